//! Makes variants of any bytes. The result is variants of the right sizes, or an error caused by the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use picture::{Limits, PictureError, make_variants};

fuzz_target!(|bytes: &[u8]| {
    // A low limit keeps each run short. Only narrow pictures are larger than the smallest variant.
    let limits = Limits { max_pixels: 1 << 12, max_baseline_jpeg_pixels: 1 << 12 };
    match make_variants(bytes, &limits) {
        Ok(pictures) => {
            assert!(u64::from(pictures.width) * u64::from(pictures.height) <= limits.max_pixels);
            assert!(!pictures.variants.is_empty());
            for variant in &pictures.variants {
                assert!(variant.width.min(variant.height) >= 1);
                assert!(variant.width.max(variant.height) <= variant.bound);
            }
        }
        Err(PictureError::Internal(reason)) => panic!("internal error: {reason}"),
        Err(_) => {}
    }
});

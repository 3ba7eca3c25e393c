//! Any bytes to variants: pictures of the promised sizes, or a reason that is the file's own.

#![no_main]

use libfuzzer_sys::fuzz_target;
use picture::{Limits, PictureError, make_variants};

fuzz_target!(|bytes: &[u8]| {
    // Small, so that it is fast: larger than the smallest variant only where it is long and thin.
    let limits = Limits { max_pixels: 1 << 12 };
    match make_variants(bytes, &limits) {
        Ok(pictures) => {
            assert!(u64::from(pictures.width) * u64::from(pictures.height) <= limits.max_pixels);
            assert!(!pictures.variants.is_empty());
            for variant in &pictures.variants {
                assert!(variant.width.min(variant.height) >= 1);
                assert!(variant.width.max(variant.height) <= variant.bound);
            }
        }
        Err(PictureError::Internal(reason)) => panic!("internal: {reason}"),
        Err(_) => {}
    }
});

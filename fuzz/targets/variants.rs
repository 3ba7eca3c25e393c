//! Any bytes to variants: pictures of the promised sizes, or a reason that is the file's own.

#![no_main]

use libfuzzer_sys::fuzz_target;
use picture::{Limits, PictureError, make_variants};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_pixels: 1 << 16 };
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

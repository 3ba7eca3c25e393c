//! Lossy WebP's frames, with and without smoothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vp8_planes::{Decoder, Smoothing};

/// What a header may claim, in pixels: the bound is the caller's to hold. More would be more of the same, and slow.
const MOST: u32 = 1 << 12;

fuzz_target!(|data: &[u8]| {
    let Ok(decoder) = Decoder::new(data) else { return };
    let (width, height) = decoder.size();
    if u32::from(width) * u32::from(height) > MOST {
        return;
    }
    let exact = decoder.decode(Smoothing::Exact);
    let sharp = decoder.decode(Smoothing::None);
    assert_eq!(exact.is_ok(), sharp.is_ok());
    for plane in exact.into_iter().flatten() {
        assert_eq!(plane.samples.len(), plane.width * plane.height);
    }
});

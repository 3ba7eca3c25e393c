//! Decodes lossy WebP frames, with and without the loop filter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vp8_planes::{Decoder, Smoothing};

/// The largest number of pixels that a header may claim. Larger frames are slow and add no coverage.
const MAX_PIXELS: u32 = 1 << 12;

fuzz_target!(|data: &[u8]| {
    let Ok(decoder) = Decoder::new(data) else { return };
    let (width, height) = decoder.size();
    if u32::from(width) * u32::from(height) > MAX_PIXELS {
        return;
    }
    let exact = decoder.decode(Smoothing::Exact);
    let unfiltered = decoder.decode(Smoothing::None);
    assert_eq!(exact.is_ok(), unfiltered.is_ok());
    for plane in exact.into_iter().flatten() {
        assert_eq!(plane.samples.len(), plane.width * plane.height);
    }
});

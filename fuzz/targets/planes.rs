//! Decodes JPEGs at any pair of scales. Some of the results are encoded and decoded again.

#![no_main]

use jpeg_planes::{Decoder, Scale, encode};
use libfuzzer_sys::fuzz_target;

/// The largest number of pixels that a header may claim. Larger files are slow and add no coverage.
const MAX_PIXELS: u32 = 1 << 10;

fuzz_target!(|input: &[u8]| {
    // The first byte contains the options; the rest is the file.
    let Some((&options, bytes)) = input.split_first() else { return };
    let scale = |bits: u8| Scale::new(usize::from(bits & 7) + 1).expect("a scale of 1 to 8");
    let (luma, chroma) = (scale(options), scale(options >> 3));
    let Ok(decoder) = Decoder::new(bytes) else { return };
    let header = decoder.header();
    if u32::from(header.width) * u32::from(header.height) > MAX_PIXELS {
        return;
    }
    let Ok(planes) = decoder.decode(luma, chroma) else { return };
    for plane in &planes.planes {
        assert_eq!(plane.samples.len(), plane.width * plane.height);
    }
    if options >> 6 == 3
        && let [luma, blue, red] = &planes.planes[..]
        && let Ok(file) = encode(luma, [blue, red], options | 1)
    {
        let decoder = Decoder::new(&file).expect("an encoded file has valid headers");
        let decoded = decoder.decode(Scale::FULL, Scale::FULL).expect("an encoded file has valid data").planes;
        assert_eq!((decoded[0].width, decoded[0].height), (luma.width, luma.height));
    }
});

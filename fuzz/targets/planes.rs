//! The JPEG decoder at any pair of scales, and now and then the encoder on what it made.

#![no_main]

use jpeg_planes::{Decoder, Scale, encode};
use libfuzzer_sys::fuzz_target;

/// What a header may claim, in pixels: the bound is the caller's to hold. More would be more of the same, and slow.
const MOST: u32 = 1 << 10;

fuzz_target!(|input: &[u8]| {
    // The first byte says how; the rest is the file.
    let Some((&how, bytes)) = input.split_first() else { return };
    let scale = |bits: u8| Scale::new(usize::from(bits & 7) + 1).expect("1 to 8");
    let (luma, chroma) = (scale(how), scale(how >> 3));
    let Ok(decoder) = Decoder::new(bytes) else { return };
    let header = decoder.header();
    if u32::from(header.width) * u32::from(header.height) > MOST {
        return;
    }
    let Ok(planes) = decoder.decode(luma, chroma) else { return };
    for plane in &planes.planes {
        assert_eq!(plane.samples.len(), plane.width * plane.height);
    }
    if how >> 6 == 3
        && let [luma, blue, red] = &planes.planes[..]
        && let Ok(file) = encode(luma, [blue, red], how | 1)
    {
        let again = Decoder::new(&file).expect("our own file").decode(Scale::FULL, Scale::FULL);
        let again = again.expect("our own data").planes;
        assert_eq!((again[0].width, again[0].height), (luma.width, luma.height));
    }
});

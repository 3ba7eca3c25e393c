use image_webp::vp8::Vp8Decoder;
use proptest::prelude::*;
use vp8_planes::{Decoder, Smoothing};

use crate::sample::{Picture, frame};

fn check(data: &[u8]) -> Result<(), TestCaseError> {
    let want = Vp8Decoder::decode_frame(data).unwrap();
    let decoder = Decoder::new(data).unwrap();
    prop_assert_eq!(decoder.size(), (want.width, want.height));
    let [luma, blue, red] = decoder.decode(Smoothing::Exact).unwrap();
    prop_assert_eq!(luma.width, usize::from(want.width).next_multiple_of(16));
    prop_assert!(luma.samples == want.ybuf, "luma differs");
    prop_assert!(blue.samples == want.ubuf, "blue differs");
    prop_assert!(red.samples == want.vbuf, "red differs");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn frame_of_any_settings_decodes_bit_exactly(
        (width, height) in (1_u32..200, 1_u32..120), seed in any::<u32>(), noise in prop_oneof![Just(0_u8), any::<u8>()],
        quality in 0..=100_u8, method in 0..=6_u8, segments in 1..=4_u8, partitions in 0..=3_u8,
        (filter, strength, sharpness) in (0..=1_u8, 0..=100_u8, 0..=7_u8),
    ) {
        let data = frame(Picture { width, height, noise, seed }, |config| {
            let config = config.quality(quality.into()).method(method).segments(segments).partitions(partitions);
            config.filter_type(filter).filter_strength(strength).filter_sharpness(sharpness)
        });
        check(&data)?;
    }
}

#[test]
fn large_frame_decodes_bit_exactly() {
    for quality in [20.0, 90.0] {
        let picture = Picture { width: 1203, height: 777, noise: 40, seed: 5 };
        check(&frame(picture, |config| config.quality(quality))).unwrap();
    }
}

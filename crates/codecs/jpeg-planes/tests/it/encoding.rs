//! Encoded files, decoded by this crate and by jpeg-decoder.

use jpeg_planes::{Decoder, Mismatch, Plane, Scale, encode};
use proptest::prelude::*;

use crate::reference::reference;
use crate::sample::Picture;

fn plane(picture: Picture) -> Plane {
    Plane { width: picture.width.into(), height: picture.height.into(), samples: picture.samples(1) }
}

fn planes(width: u16, height: u16, noise: u8, seed: u32) -> (Plane, [Plane; 2]) {
    let chroma = |seed| plane(Picture { width: width.div_ceil(2), height: height.div_ceil(2), noise: 0, seed });
    (plane(Picture { width, height, noise, seed }), [chroma(seed ^ 1), chroma(seed ^ 2)])
}

/// The mean squared error of two planes.
fn error(a: &Plane, b: &Plane) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let squares = a.samples.iter().zip(&b.samples).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    squares.sum::<f64>() / a.samples.len() as f64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn encoded_planes_decode_equally_in_both_decoders(
        (width, height) in (1_u16..300, 1_u16..90), noise in 0..80_u8, seed in any::<u32>(), quality in 1..=100_u8,
    ) {
        let (luma, [blue, red]) = planes(width, height, noise, seed);
        let bytes = encode(&luma, [&blue, &red], quality).unwrap();
        let ours = Decoder::new(&bytes).unwrap().decode(Scale::FULL, Scale::FULL).unwrap();
        let theirs = reference(&bytes, (2, 2));
        prop_assert!(error(&ours.planes[0], &theirs.planes[0]) < 0.5);
        if quality >= 95 {
            prop_assert!(error(&ours.planes[0], &luma) < 12.0, "{}", error(&ours.planes[0], &luma));
            prop_assert!(error(&ours.planes[1], &blue) < 3.0);
            prop_assert!(error(&ours.planes[2], &red) < 3.0);
        }
    }
}

/// The error is that of jpeg-encoder with its accurate transform, except for rounding.
#[test]
fn encoding_error_equals_that_of_jpeg_encoder() {
    let picture = Picture { width: 320, height: 240, noise: 50, seed: 9 };
    let (luma, [blue, red]) = planes(320, 240, 50, 9);
    let ours = encode(&luma, [&blue, &red], 80).unwrap();
    let theirs = crate::sample::jpeg(picture, 80, jpeg_encoder::ColorType::Luma, |_| {});
    let decode = |bytes: &[u8]| Decoder::new(bytes).unwrap().decode(Scale::FULL, Scale::FULL).unwrap();
    let (ours, theirs) = (error(&decode(&ours).planes[0], &luma), error(&decode(&theirs).planes[0], &luma));
    assert!((ours - theirs).abs() < 0.02 * theirs, "{ours} {theirs}");
}

#[test]
fn planes_with_wrong_sizes_are_a_mismatch() {
    let (luma, [blue, red]) = planes(30, 20, 0, 1);
    assert_eq!(encode(&luma, [&blue, &luma], 80), Err(Mismatch));
    let short = Plane { samples: vec![0; 7], ..red.clone() };
    assert_eq!(encode(&luma, [&blue, &short], 80), Err(Mismatch));
    let none = Plane { width: 0, height: 0, samples: Vec::new() };
    assert_eq!(encode(&none, [&none, &none], 80), Err(Mismatch));
}

//! The photographs in `tests/photos` of the repository.

use std::path::PathBuf;

use picture::{BOUNDS, Encoding, Format};
use resample::{Pixels, Resampler, ResizeOptions};

use crate::sample::*;

/// Name, format, and size after orientation.
pub const PHOTOS: [(&str, Format, (u32, u32)); 5] = [
    ("dogs.jpg", Format::Jpeg, (1200, 1802)),
    ("고양이.jpg", Format::Jpeg, (451, 300)),
    ("dandelions.jpg", Format::Jpeg, (2400, 1350)),
    ("mountains.webp", Format::WebP, (1600, 1200)),
    ("coffee.png", Format::Png, (480, 320)),
];

pub fn photo(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/photos");
    std::fs::read(PathBuf::from(folder).join(name)).unwrap()
}

#[test]
fn photo_has_the_expected_variants() {
    for (name, format, (width, height)) in PHOTOS {
        let pictures = make(&photo(name)).unwrap();
        assert_eq!(pictures.format, format, "{name}");
        assert_eq!((pictures.width, pictures.height), (width, height), "{name}");
        assert!((5..=25).contains(&pictures.thumb_hash.len()), "{name}");

        let longest = width.max(height);
        let bounds = match longest {
            1080.. => &BOUNDS[..],
            _ => &BOUNDS[1..],
        };
        let expected =
            bounds.iter().flat_map(|&bound| [Encoding::Jpeg, Encoding::WebP].map(|encoding| (bound, encoding)));
        let got = pictures.variants.iter().map(|v| (v.bound, v.encoding));
        assert!(got.eq(expected), "{name}");

        for variant in &pictures.variants {
            assert_eq!(variant.width.max(variant.height), variant.bound.min(longest));
            let shape = f64::from(width) / f64::from(height);
            let error = f64::from(variant.width) - f64::from(variant.height) * shape;
            assert!(error.abs() <= shape.max(1.0), "{name} has a wrong aspect ratio");
            assert_eq!(rgba(variant).len() as u32, variant.width * variant.height);
            let expected = match variant.encoding {
                Encoding::Jpeg => Format::Jpeg,
                Encoding::WebP => Format::WebP,
            };
            assert_eq!(picture::sniff(&variant.bytes), Some(expected));
            assert!(variant.bytes.len() < 450_000, "{name} has a large variant");
        }
    }
}

#[test]
fn variants_of_the_same_photo_are_identical() {
    let cat = photo("고양이.jpg");
    assert_eq!(make(&cat), make(&cat));
}

/// Compares variants with a full decode resized by Lanczos3. At quality 80, an encoded reference
/// reaches 32 dB at 128 pixels and 34 dB at the larger sizes.
#[test]
fn variants_differ_little_from_a_resized_full_decode() {
    let bytes = photo("dandelions.jpg");
    let mut decoder = jpeg_decoder::Decoder::new(&bytes[..]);
    let full = decoder.decode().unwrap();

    for variant in &make(&bytes).unwrap().variants {
        let mut reference = vec![0; (variant.width * variant.height * 3) as usize];
        let to = ((variant.width, variant.height), reference.as_mut_slice());
        Resampler::default().resize(Pixels::Three, ((2400, 1350), &full), to, &ResizeOptions::new()).unwrap();
        let got = rgba(variant);
        let got = got.iter().flat_map(|p| &p[..3]);
        let squares = got.zip(&reference).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
        let mean = squares.sum::<f64>() / reference.len() as f64;
        let decibels = 10.0 * (255.0 * 255.0 / mean).log10();
        let (bound, encoding) = (variant.bound, variant.encoding);
        println!("{bound} {encoding:?}: {decibels:.1} dB");
        assert!(decibels > 31.0, "{bound} {encoding:?} has {decibels:.1} dB");
    }
}

#[test]
fn dominant_colour_of_photos_is_plausible() {
    let colour = |name| make(&photo(name)).unwrap().dominant_colour;
    let [r, g, b] = colour("고양이.jpg");
    assert!(r > g && g > b, "a ginger cat is orange");
    let [r, g, b] = colour("coffee.png");
    assert!(r > g && r > b, "a wooden table is red");
}

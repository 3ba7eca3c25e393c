//! EXIF orientation in each format that supports it.

use picture::{Encoding, Pictures};

use crate::sample::*;

/// The pattern as a camera stores it with this orientation. The EXIF specification defines it by the
/// position of the stored row 0 and column 0 in the upright picture.
fn stored(orientation: u8) -> (u32, u32, Vec<u8>) {
    let (right, bottom) = (WIDTH - 1, HEIGHT - 1);
    let (width, height) = match orientation {
        1..=4 => (WIDTH, HEIGHT),
        _ => (HEIGHT, WIDTH),
    };
    let pixels = pixels(width, height, |column, row| {
        let (x, y) = match orientation {
            1 => (column, row),                  // row 0: top, column 0: left
            2 => (right - column, row),          // top, right
            3 => (right - column, bottom - row), // bottom, right
            4 => (column, bottom - row),         // bottom, left
            5 => (row, column),                  // left, top
            6 => (right - row, column),          // right, top
            7 => (right - row, bottom - column), // right, bottom
            8 => (row, bottom - column),         // left, bottom
            _ => unreachable!(),
        };
        pattern(x, y)
    });
    (width, height, pixels)
}

/// Checks that the variants of all eight orientations are equal.
fn assert_all_upright(encode: impl Fn(u8) -> Vec<u8>) {
    let upright = make(&encode(1)).unwrap();
    assert_upright_pattern(&upright);
    for orientation in 2..=8 {
        let turned = make(&encode(orientation)).unwrap();
        assert_eq!((turned.width, turned.height), (WIDTH, HEIGHT));
        assert_eq!(turned.variants.len(), upright.variants.len());
        for (a, b) in upright.variants.iter().zip(&turned.variants) {
            assert_eq!((a.width, a.height), (b.width, b.height));
            let difference = difference(&rgba(a), &rgba(b));
            assert!(difference < 1.5, "{orientation} differs by {difference}");
        }
    }
}

fn assert_upright_pattern(pictures: &Pictures) {
    let picture = largest(pictures, Encoding::Jpeg);
    for (x, y) in [(15, 50), (185, 10), (15, 110), (185, 110), (40, 24)] {
        let [r, g, b] = pattern(x, y);
        assert_near(pixel(picture, x, y), [r, g, b, 255], 24);
    }
}

#[test]
fn jpeg_of_each_orientation_is_upright() {
    assert_all_upright(|orientation| {
        let (width, height, pixels) = stored(orientation);
        let rgb = jpeg_encoder::ColorType::Rgb;
        jpeg(width, height, &pixels, rgb, |encoder| {
            encoder.add_exif_metadata(&exif(orientation)).unwrap();
        })
    });
}

#[test]
fn png_of_each_orientation_is_upright() {
    assert_all_upright(|orientation| {
        let (width, height, pixels) = stored(orientation);
        let kind = (png::ColorType::Rgb, png::BitDepth::Eight);
        png((width, height), kind, &pixels, |info| {
            info.exif_metadata = Some(exif(orientation).into());
        })
    });
}

#[test]
fn webp_of_each_orientation_is_upright() {
    for prefix in [&b""[..], b"Exif\0\0"] {
        assert_all_upright(|orientation| {
            let (width, height, pixels) = stored(orientation);
            let rgb = image_webp::ColorType::Rgb8;
            webp((width, height), rgb, &pixels, |encoder| {
                encoder.set_exif_metadata([prefix, &exif(orientation)].concat());
            })
        });
    }
}

/// Chunks that the header of a WebP does not announce are ignored.
#[test]
fn webp_with_unannounced_metadata_is_not_turned_or_converted() {
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let announced = webp((WIDTH, HEIGHT), image_webp::ColorType::Rgb8, &pattern_pixels(), |encoder| {
        encoder.set_exif_metadata(exif(6));
        encoder.set_icc_profile(p3);
    });
    assert_eq!((make(&announced).unwrap().width, announced[20]), (HEIGHT, 0x28));
    let mut unannounced = announced;
    unannounced[20] = 0;
    assert_pattern(&unannounced);
}

/// Some editors leave an empty segment in front of the real one.
#[test]
fn jpeg_with_an_empty_exif_segment_first_is_turned_by_the_next_one() {
    use jpeg_encoder::SamplingFactor::{R_4_1_1, R_4_2_0};
    for sampling in [R_4_2_0, R_4_1_1] {
        let turned = |first: &[u8], second: u8| {
            let bytes = pattern_jpeg(|encoder| {
                encoder.set_sampling_factor(sampling);
                encoder.add_app_segment(1, [b"Exif\0\0", first].concat()).unwrap();
                encoder.add_app_segment(1, [&b"Exif\0\0"[..], &exif(second)].concat()).unwrap();
            });
            make(&bytes).unwrap().width == HEIGHT
        };
        assert!(turned(b"", 6));
        // Otherwise the first one decides.
        assert!(turned(&exif(6), 1));
        assert!(!turned(&exif(1), 6));
    }
}

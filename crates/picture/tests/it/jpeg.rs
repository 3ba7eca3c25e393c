//! JPEGs of each kind.

use jpeg_encoder::ColorType as Jpeg;

use crate::sample::*;

#[test]
fn jpeg_of_each_sampling_and_process_has_the_right_colours() {
    use jpeg_encoder::SamplingFactor::*;
    for sampling in [R_4_4_4, R_4_2_2, R_4_2_0, R_4_1_1, R_4_4_0] {
        assert_pattern(&pattern_jpeg(|encoder| encoder.set_sampling_factor(sampling)));
        assert_pattern(&pattern_jpeg(|encoder| {
            encoder.set_sampling_factor(sampling);
            encoder.set_progressive(true);
        }));
        assert_pattern(&pattern_jpeg(|encoder| {
            encoder.set_sampling_factor(sampling);
            encoder.set_restart_interval(3);
        }));
    }
}

#[test]
fn grey_jpeg_has_the_right_colours() {
    assert_flat(&jpeg(20, 20, &[140; 400], Jpeg::Luma, |_| {}), [140; 3], 2);
}

/// Half of cyan, no magenta, full yellow, a fifth of black: (128, 255, 0) × 0.8.
const INK: [u8; 4] = [127, 0, 255, 51];
const LIGHT: [u8; 3] = [102, 204, 0];

/// The encoder inverts samples like Adobe: 255 is no ink.
#[test]
fn cmyk_and_ycck_jpeg_with_adobe_marker_have_the_right_colours() {
    for kind in [Jpeg::Cmyk, Jpeg::CmykAsYcck] {
        assert_flat(&jpeg(20, 20, &INK.repeat(400), kind, |_| {}), LIGHT, 4);
    }
}

/// Files without Adobe's marker are inverted, too, as in browsers and libraries.
#[test]
fn cmyk_jpeg_without_adobe_marker_has_the_same_colours() {
    for progressive in [false, true] {
        let mut bytes = jpeg(20, 20, &INK.repeat(400), Jpeg::Cmyk, |encoder| encoder.set_progressive(progressive));
        assert_flat(&bytes, LIGHT, 4);
        let at = bytes.windows(5).position(|w| w == b"Adobe").unwrap() - 4;
        assert_eq!(bytes[at..at + 4], [0xff, 0xee, 0x00, 0x0e]);
        bytes.drain(at..at + 16);
        assert_flat(&bytes, LIGHT, 4);
    }
}

/// Removes the segments with this marker.
fn without_segments(mut bytes: Vec<u8>, marker: u8) -> Vec<u8> {
    while let Some(at) = bytes.windows(2).position(|w| w == [0xff, marker]) {
        let length = 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        bytes.drain(at..at + length);
    }
    bytes
}

#[test]
fn jpeg_without_huffman_tables_has_the_same_picture() {
    use jpeg_encoder::SamplingFactor::*;
    const TABLES: u8 = 0xc4;
    for sampling in [R_4_4_4, R_4_2_0, R_4_1_1] {
        assert_pattern(&without_segments(pattern_jpeg(|encoder| encoder.set_sampling_factor(sampling)), TABLES));
    }
    assert_flat(&without_segments(jpeg(20, 20, &[140; 400], Jpeg::Luma, |_| {}), TABLES), [140; 3], 2);
    assert_flat(&without_segments(jpeg(20, 20, &INK.repeat(400), Jpeg::Cmyk, |_| {}), TABLES), LIGHT, 4);
}

#[test]
fn segment_shorter_than_its_length_field_is_skipped() {
    let files = [
        pattern_jpeg(|_| {}),
        pattern_jpeg(|encoder| encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_1_1)),
    ];
    for bytes in files {
        for (marker, length) in [(0xfe, 0), (0xfe, 1), (0xec, 0), (0xe1, 1)] {
            assert_pattern(&[&bytes[..2], &[0xff, marker, 0, length], &bytes[2..]].concat());
        }
    }
}

/// A CMYK profile determines the colours. An RGB profile is ignored.
#[test]
fn cmyk_jpeg_with_profile_is_converted_by_it() {
    let lab = |[cyan, _, _, black]: [bool; 4]| match (black, cyan) {
        (true, _) => [0, 128, 128],
        (false, true) => [153, 108, 98], // 60, -20, -30
        (false, false) => [255, 128, 128],
    };
    let printer = printer_profile(lab);
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let with = |ink: [u8; 4], profile: &[u8]| {
        // The encoder inverts the samples, like Adobe.
        jpeg(20, 20, &ink.repeat(400), Jpeg::Cmyk, |encoder| {
            encoder.add_icc_profile(profile).unwrap();
        })
    };
    assert_flat(&with([0, 0, 0, 0], &printer), [255; 3], 2);
    assert_flat(&with([0, 0, 0, 255], &printer), [0; 3], 2);
    assert_flat(&with([255, 0, 0, 0], &printer), [54, 156, 197], 4);
    assert_flat(&with(INK, &p3), LIGHT, 4);
}

/// Adobe's marker declares RGB, although the components are numbered like YCbCr.
#[test]
fn rgb_jpeg_has_the_right_colours() {
    let ycbcr = [200, 100, 50].repeat(400);
    let mut bytes = jpeg(20, 20, &ycbcr, Jpeg::Ycbcr, |encoder| {
        encoder.add_app_segment(14, b"Adobe\0\x64\0\0\0\0\0".to_vec()).unwrap();
    });
    let at = bytes.windows(4).position(|w| w == b"JFIF").unwrap() - 4;
    bytes.drain(at..at + 18);
    // The encoder subsamples two components, which is invisible in a flat colour.
    assert_flat(&bytes, [200, 100, 50], 3);
}

#[test]
fn jpeg_followed_by_stray_bytes_and_a_second_picture_decodes() {
    let mut bytes = pattern_jpeg(|_| {});
    bytes.extend([0xff, 0xff, 0x00, 0x12]);
    bytes.extend(pattern_jpeg(|_| {}));
    assert_pattern(&bytes);
}

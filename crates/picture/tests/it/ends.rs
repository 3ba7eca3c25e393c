//! Files whose pixels are whole, but not what follows them.

use picture::PictureError;

use crate::sample::*;

fn assert_same(changed: &[u8], whole: &[u8], what: &str) {
    let whole = make(whole).unwrap();
    match make(changed) {
        Ok(pictures) => assert!(pictures == whole, "{what}"),
        Err(error) => panic!("{what}: {error}"),
    }
}

/// What other programs leave in place of an end, or behind it.
const TAILS: [&[u8]; 6] = [b"", &[0], &[0; 12], &[0; 64], b"maker's text", b"\xff\xd8\xff\xe0\0\x10JFIF"];

#[test]
fn jpeg_of_each_process_needs_no_end_marker() {
    use jpeg_encoder::ColorType as Jpeg;
    use jpeg_encoder::SamplingFactor::*;
    let cmyk = pixels(WIDTH, HEIGHT, |x, y| [x as u8, y as u8, 99, 9]);
    let files = [
        pattern_jpeg(|_| {}),
        pattern_jpeg(|encoder| encoder.set_progressive(true)),
        pattern_jpeg(|encoder| encoder.set_restart_interval(3)),
        // These are decoded by another library.
        pattern_jpeg(|encoder| encoder.set_sampling_factor(R_4_1_1)),
        pattern_jpeg(|encoder| {
            encoder.set_sampling_factor(R_4_1_1);
            encoder.set_progressive(true);
        }),
        jpeg(WIDTH, HEIGHT, &cmyk, Jpeg::Cmyk, |_| {}),
        jpeg(WIDTH, HEIGHT, &cmyk, Jpeg::Cmyk, |encoder| encoder.set_progressive(true)),
    ];
    for (number, whole) in files.iter().enumerate() {
        let unended = &whole[..whole.len() - 2];
        for tail in TAILS {
            assert_same(&[unended, tail].concat(), whole, &format!("{number} with {tail:?}"));
            assert_same(&[&whole[..], tail].concat(), whole, &format!("{number} followed by {tail:?}"));
        }
    }
}

/// Without an end marker, a progressive picture that lacks scans is truncated.
#[test]
fn progressive_jpeg_without_its_last_scan_and_end_marker_is_truncated() {
    let ycbcr = pattern_jpeg(|encoder| encoder.set_progressive(true));
    let other = pattern_jpeg(|encoder| {
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_1_1);
        encoder.set_progressive(true);
    });
    for bytes in [ycbcr, other] {
        let last = bytes.windows(2).rposition(|w| w == [0xff, 0xda]).unwrap();
        assert_eq!(make(&bytes[..last]), Err(PictureError::Truncated));
        assert!(make(&[&bytes[..last], &[0xff, 0xd9]].concat()).is_ok());
    }
}

/// The chunk `IEND` is the last 12 bytes of these files.
#[test]
fn png_of_each_kind_needs_no_end_chunk() {
    let alpha = pixels(WIDTH, HEIGHT, |x, y| [200, 30, x as u8, y as u8]);
    let large = pixels(1300, 1100, |x, y| [x as u8, y as u8, (x * y) as u8]);
    let files = [
        rgb_png(WIDTH, HEIGHT, &pattern_pixels()),
        png((WIDTH, HEIGHT), (png::ColorType::Rgba, png::BitDepth::Eight), &alpha, |_| {}),
        rgb_png(1300, 1100, &large),
        interlaced_png(),
    ];
    for (number, whole) in files.iter().enumerate() {
        let unended = &whole[..whole.len() - 12];
        for tail in TAILS {
            assert_same(&[unended, tail].concat(), whole, &format!("{number} with {tail:?}"));
            assert_same(&[&whole[..], tail].concat(), whole, &format!("{number} followed by {tail:?}"));
        }
        let mut bad_checksum = whole.clone();
        *bad_checksum.last_mut().unwrap() ^= 1;
        assert_same(&bad_checksum, whole, &format!("{number} with a wrong checksum"));
    }
}

/// Damaged pixels are found by their checksum.
#[test]
fn png_with_damaged_pixels_is_still_corrupt() {
    for whole in [rgb_png(WIDTH, HEIGHT, &pattern_pixels()), interlaced_png()] {
        let pixels = whole.windows(4).position(|w| w == b"IDAT").unwrap() + 4;
        let end = whole.len() - 12;
        for at in [pixels + 20, (pixels + end) / 2, end - 6, end - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            assert_eq!(make(&damaged).unwrap_err().code(), "corrupt", "{at} of {end}");
        }
    }
}

/// An animation with two frames of 16 × 16, of which the second may be damaged anywhere.
#[test]
fn animation_is_shown_if_its_first_frame_is_whole() {
    let apng = {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 16, 16);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_animated(2, 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[200, 100, 50].repeat(256)).unwrap();
        writer.write_image_data(&[0, 0, 255].repeat(256)).unwrap();
        writer.finish().unwrap();
        bytes
    };
    let gif = {
        let frame = |index| gif::Frame::from_indexed_pixels(16, 16, vec![index; 256], None);
        gif((16, 16), &[frame(0), frame(2)])
    };
    let webp = {
        let config = webp::WebPConfig::new().unwrap();
        let mut animation = webp::AnimEncoder::new(16, 16, &config);
        let frames = [[200, 100, 50, 255].repeat(256), [0, 0, 255, 128].repeat(256)];
        for (number, frame) in frames.iter().enumerate() {
            animation.add_frame(webp::AnimFrame::from_rgba(frame, 16, 16, number as i32 * 100));
        }
        animation.encode().to_vec()
    };
    let second = |bytes: &[u8], name: &[u8]| bytes.windows(name.len()).rposition(|window| window == name).unwrap();
    let (apng_second, webp_second) = (second(&apng, b"fcTL") - 4, second(&webp, b"ANMF"));
    let gif_second = gif.iter().rposition(|&byte| byte == 0x2c).unwrap();
    for (name, bytes, second) in [("apng", &apng, apng_second), ("gif", &gif, gif_second), ("webp", &webp, webp_second)]
    {
        for length in second..bytes.len() {
            assert_same(&bytes[..length], bytes, &format!("{name} cut to {length}"));
            let mut damaged = bytes.clone();
            damaged[length] ^= 0xff;
            assert_same(&damaged, bytes, &format!("{name} damaged at {length}"));
        }
        assert!(make(&bytes[..second * 3 / 4]).is_err(), "{name}");
    }
}

/// Metadata follows the pixels of a WebP.
#[test]
fn webp_needs_no_whole_metadata() {
    let still = webp((WIDTH, HEIGHT), image_webp::ColorType::Rgb8, &pattern_pixels(), |encoder| {
        encoder.set_exif_metadata(exif(1));
        encoder.set_xmp_metadata(b"<x:xmpmeta/>".to_vec());
    });
    let metadata = still.windows(4).rposition(|window| window == b"EXIF").unwrap();
    for length in metadata..still.len() {
        assert_same(&still[..length], &still, &format!("cut to {length}"));
    }
    for tail in TAILS {
        assert_same(&[&still[..], tail].concat(), &still, &format!("followed by {tail:?}"));
    }
}

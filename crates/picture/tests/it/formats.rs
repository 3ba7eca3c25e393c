//! Every kind of each format comes out with the right colours.

use jpeg_encoder::ColorType as Jpeg;
use picture::{Encoding, Format, Pictures};
use png::{BitDepth, ColorType as Png};

use crate::sample::*;

/// Both encodings, which must agree.
#[track_caller]
fn assert_pixel(pictures: &Pictures, (x, y): (u32, u32), want: [u8; 4], tolerance: u8) {
    for encoding in [Encoding::Jpeg, Encoding::WebP] {
        assert_near(pixel(largest(pictures, encoding), x, y), want, tolerance);
    }
}

/// The middle of each quarter of the pattern.
#[track_caller]
fn assert_pattern(bytes: &[u8]) {
    let pictures = make(bytes).unwrap();
    assert_eq!((pictures.width, pictures.height), (WIDTH, HEIGHT));
    for at in [(50, 45), (150, 30), (50, 90), (150, 90)] {
        let [r, g, b] = pattern(at.0, at.1);
        assert_pixel(&pictures, at, [r, g, b, 255], 8);
    }
}

/// All of one colour.
#[track_caller]
fn assert_flat(bytes: &[u8], want: [u8; 3], tolerance: u8) {
    let pictures = make(bytes).unwrap();
    let [r, g, b] = want;
    assert_pixel(&pictures, (5, 5), [r, g, b, 255], tolerance);
    let near = |(got, want): (u8, u8)| got.abs_diff(want) <= tolerance;
    assert!(pictures.dominant_colour.into_iter().zip(want).all(near));
}

#[test]
fn jpeg_of_every_sampling_and_process() {
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
fn grey_jpeg() {
    assert_flat(&jpeg(20, 20, &[140; 400], Jpeg::Luma, |_| {}), [140; 3], 2);
}

/// Half of the cyan, no magenta, all yellow, a fifth of black: (128, 255, 0) × 0.8.
const INK: [u8; 4] = [127, 0, 255, 51];
const LIGHT: [u8; 3] = [102, 204, 0];

/// As Adobe stores it, which the encoder does: inverted, 255 is no ink.
#[test]
fn cmyk_and_ycck_jpeg() {
    for kind in [Jpeg::Cmyk, Jpeg::CmykAsYcck] {
        assert_flat(&jpeg(20, 20, &INK.repeat(400), kind, |_| {}), LIGHT, 4);
    }
}

/// Without Adobe's marker it is not inverted: 255 is full ink.
#[test]
fn cmyk_jpeg_without_a_marker() {
    let stored = INK.map(|ink| 255 - ink).repeat(400); // the encoder inverts it
    let mut bytes = jpeg(20, 20, &stored, Jpeg::Cmyk, |_| {});
    let at = bytes.windows(5).position(|w| w == b"Adobe").unwrap() - 4;
    assert_eq!(bytes[at..at + 4], [0xff, 0xee, 0x00, 0x0e]);
    bytes.drain(at..at + 16);
    assert_flat(&bytes, LIGHT, 4);
}

/// A profile says what the inks look like; one for light says nothing of them.
#[test]
fn cmyk_jpeg_with_a_profile() {
    let lab = |[cyan, _, _, black]: [bool; 4]| match (black, cyan) {
        (true, _) => [0, 128, 128],
        (false, true) => [153, 108, 98], // 60, -20, -30
        (false, false) => [255, 128, 128],
    };
    let printer = printer_profile(lab);
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let with = |ink: [u8; 4], profile: &[u8]| {
        // The encoder inverts it, as Adobe does.
        jpeg(20, 20, &ink.repeat(400), Jpeg::Cmyk, |encoder| {
            encoder.add_icc_profile(profile).unwrap();
        })
    };
    assert_flat(&with([0, 0, 0, 0], &printer), [255; 3], 2);
    assert_flat(&with([0, 0, 0, 255], &printer), [0; 3], 2);
    assert_flat(&with([255, 0, 0, 0], &printer), [54, 156, 197], 4);
    assert_flat(&with(INK, &p3), LIGHT, 4);
}

/// Three components that Adobe's marker declares to be RGB, though numbered like YCbCr.
#[test]
fn rgb_jpeg() {
    let ycbcr = [200, 100, 50].repeat(400);
    let mut bytes = jpeg(20, 20, &ycbcr, Jpeg::Ycbcr, |encoder| {
        encoder.add_app_segment(14, b"Adobe\0\x64\0\0\0\0\0".to_vec()).unwrap();
    });
    let at = bytes.windows(4).position(|w| w == b"JFIF").unwrap() - 4;
    bytes.drain(at..at + 18);
    // Chroma was subsampled, which a flat colour does not show.
    assert_flat(&bytes, [200, 100, 50], 3);
}

#[test]
fn jpeg_with_stray_bytes_and_a_second_picture_behind() {
    let mut bytes = pattern_jpeg(|_| {});
    bytes.extend([0xff, 0xff, 0x00, 0x12]);
    bytes.extend(pattern_jpeg(|_| {}));
    assert_pattern(&bytes);
}

#[test]
fn adobe_rgb_is_converted() {
    let profile = moxcms::ColorProfile::new_adobe_rgb().encode().unwrap();
    // By the matrices of both spaces and Adobe's gamma of 2.2.
    let bytes = jpeg(20, 20, &[120, 140, 90].repeat(400), Jpeg::Rgb, |encoder| {
        encoder.add_icc_profile(&profile).unwrap();
    });
    assert_flat(&bytes, [111, 141, 86], 4);
}

#[test]
fn colours_of_a_wide_gamut_are_converted() {
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let colour = [200, 100, 50].repeat(400);
    let want = [215, 93, 31];
    let with_profile = jpeg(20, 20, &colour, Jpeg::Rgb, |encoder| {
        encoder.add_icc_profile(&p3).unwrap();
    });
    assert_flat(&with_profile, want, 4);
    let kind = (Png::Rgb, BitDepth::Eight);
    let with_profile = png((20, 20), kind, &colour, |info| {
        info.icc_profile = Some(p3.clone().into());
    });
    assert_flat(&with_profile, want, 4);
    let with_profile = webp((20, 20), image_webp::ColorType::Rgb8, &colour, |encoder| {
        encoder.set_icc_profile(p3.clone());
    });
    assert_flat(&with_profile, want, 4);
}

#[test]
fn png_of_sixteen_bits() {
    let sixteen = |values: &[u16]| -> Vec<u8> { values.iter().flat_map(|v| v.to_be_bytes()).collect() };
    // A ramp: clipped to 8 bits, nearly all of it would be white.
    let ramp = pixels(128, 16, |x, _| [x as u16 * 512]);
    let kind = (Png::Grayscale, BitDepth::Sixteen);
    let pictures = make(&png((128, 16), kind, &sixteen(&ramp), |_| {})).unwrap();
    for x in [1, 32, 64, 96, 126] {
        let grey = (x * 2) as u8;
        assert_pixel(&pictures, (x, 8), [grey, grey, grey, 255], 4);
    }

    let colour = [0x8000, 0x4000, 0xc0ff].repeat(400);
    let kind = (Png::Rgb, BitDepth::Sixteen);
    assert_flat(&png((20, 20), kind, &sixteen(&colour), |_| {}), [128, 64, 192], 3);

    let clear = [0x8000, 0x4000, 0xc0ff, 0x8000].repeat(400);
    let kind = (Png::Rgba, BitDepth::Sixteen);
    let pictures = make(&png((20, 20), kind, &sixteen(&clear), |_| {})).unwrap();
    assert_near(pixel(largest(&pictures, Encoding::WebP), 5, 5), [128, 64, 192, 128], 3);
    assert_near(pixel(largest(&pictures, Encoding::Jpeg), 5, 5), [191, 159, 223, 255], 3);
}

#[test]
fn png_of_few_bits() {
    // Black on the left, white on the right.
    let row = [0x00, 0xff];
    let kind = (Png::Grayscale, BitDepth::One);
    let pictures = make(&png((16, 16), kind, &row.repeat(16), |_| {})).unwrap();
    assert_pixel(&pictures, (2, 8), [0, 0, 0, 255], 4);
    assert_pixel(&pictures, (13, 8), [255, 255, 255, 255], 4);

    let kind = (Png::Grayscale, BitDepth::Four);
    assert_flat(&png((20, 20), kind, &[0x88; 200], |_| {}), [136; 3], 2);
    let kind = (Png::Grayscale, BitDepth::Eight);
    assert_flat(&png((20, 20), kind, &[77; 400], |_| {}), [77; 3], 2);

    let palette = vec![1, 2, 3, 200, 100, 50];
    let kind = (Png::Indexed, BitDepth::One);
    let bytes = png((16, 16), kind, &[0xff; 32], |info| {
        info.palette = Some(palette.clone().into());
    });
    assert_flat(&bytes, [200, 100, 50], 3);
    // The same with a transparent entry.
    let bytes = png((16, 16), kind, &[0xff; 32], |info| {
        info.palette = Some(palette.clone().into());
        info.trns = Some(vec![255, 0].into());
    });
    let pictures = make(&bytes).unwrap();
    assert_eq!(pixel(largest(&pictures, Encoding::WebP), 5, 5)[3], 0);
    assert_near(pixel(largest(&pictures, Encoding::Jpeg), 5, 5), [255; 4], 1);
}

/// Made small strip by strip, whatever its rows hold.
#[test]
fn png_larger_than_all_variants() {
    let size = (1400, 1700);
    // Brighter towards the right and the bottom.
    let grey = |x: u32, y: u32| ((x + y) / 14) as u8;
    let kinds: [(Png, BitDepth, Vec<u8>); 5] = [
        (Png::Grayscale, BitDepth::Eight, pixels(1400, 1700, |x, y| [grey(x, y)])),
        (Png::GrayscaleAlpha, BitDepth::Eight, pixels(1400, 1700, |x, y| [grey(x, y), 255])),
        (Png::Rgb, BitDepth::Eight, pixels(1400, 1700, |x, y| [grey(x, y); 3])),
        (Png::Rgba, BitDepth::Eight, pixels(1400, 1700, |x, y| [grey(x, y), grey(x, y), grey(x, y), 255])),
        (Png::Rgb, BitDepth::Sixteen, pixels(1400, 1700, |x, y| [grey(x, y); 6])),
    ];
    for (colour, depth, samples) in kinds {
        let pictures = make(&png(size, (colour, depth), &samples, |_| {})).unwrap();
        assert_eq!((pictures.width, pictures.height), size);
        let variant = largest(&pictures, Encoding::Jpeg);
        assert_eq!((variant.width, variant.height), (889, 1080));
        for (x, y) in [(3, 3), (880, 5), (5, 1075), (880, 1075), (444, 170), (444, 305), (444, 540), (444, 800)] {
            let scaled = |at: u32, from: u32, to: u32| (at * 2 + 1) * from / (2 * to);
            let want = grey(scaled(x, 1400, 889), scaled(y, 1700, 1080));
            assert_near(pixel(variant, x, y), [want, want, want, 255], 3);
        }
    }
}

#[test]
fn transparency_is_kept_in_webp_and_white_in_jpeg() {
    let half = |x, _| match x {
        0..100 => [200, 30, 30, 255],
        _ => [30, 30, 200, 0],
    };
    let rgba = pixels(WIDTH, HEIGHT, half);
    let size = (WIDTH, HEIGHT);
    let grey: Vec<u8> = rgba.chunks_exact(4).flat_map(|p| [p[0], p[3]]).collect();
    let files = [
        png(size, (Png::Rgba, BitDepth::Eight), &rgba, |_| {}),
        png(size, (Png::GrayscaleAlpha, BitDepth::Eight), &grey, |_| {}),
        webp(size, image_webp::ColorType::Rgba8, &rgba, |_| {}),
        webp::Encoder::from_rgba(&rgba, WIDTH, HEIGHT).encode(90.0).to_vec(),
    ];
    for (number, bytes) in files.iter().enumerate() {
        let pictures = make(bytes).unwrap();
        for variant in &pictures.variants {
            let left = pixel(variant, variant.width / 4, variant.height / 2);
            let right = pixel(variant, variant.width * 3 / 4, variant.height / 2);
            assert_eq!(left[3], 255, "{number}");
            assert_near([left[0], 0, 0, 0], [200, 0, 0, 0], 8);
            match variant.encoding {
                Encoding::WebP => assert_eq!(right[3], 0, "{number}"),
                Encoding::Jpeg => assert_near(right, [255; 4], 3),
            }
        }
    }
}

#[test]
fn an_alpha_without_use_is_dropped() {
    let opaque = pixels(WIDTH, HEIGHT, |x, y| {
        let [r, g, b] = pattern(x, y);
        [r, g, b, 255]
    });
    let bytes = png((WIDTH, HEIGHT), (Png::Rgba, BitDepth::Eight), &opaque, |_| {});
    assert_pattern(&bytes);
    let pictures = make(&bytes).unwrap();
    let webp = &largest(&pictures, Encoding::WebP).bytes;
    assert_eq!(&webp[12..16], b"VP8 ", "no extended header, no alpha chunk");
}

#[test]
fn webp_lossy_and_lossless() {
    let rgb = pattern_pixels();
    assert_pattern(&webp::Encoder::from_rgb(&rgb, WIDTH, HEIGHT).encode(95.0));
    let lossless = image_webp::ColorType::Rgb8;
    assert_pattern(&webp((WIDTH, HEIGHT), lossless, &rgb, |_| {}));
}

#[test]
fn animated_webp_shows_its_first_frame() {
    let config = webp::WebPConfig::new().unwrap();
    let mut animation = webp::AnimEncoder::new(60, 40, &config);
    let frames = [[200, 100, 50, 255], [0, 0, 255, 255], [0, 255, 0, 255]];
    let frames = frames.map(|colour| colour.repeat(60 * 40));
    for (number, frame) in frames.iter().enumerate() {
        let frame = webp::AnimFrame::from_rgba(frame, 60, 40, number as i32 * 100);
        animation.add_frame(frame);
    }
    let bytes = animation.encode();
    assert_flat(&bytes, [200, 100, 50], 6);
    assert_eq!((make(&bytes).unwrap().width, make(&bytes).unwrap().height), (60, 40));
}

#[test]
fn gif_shows_its_first_frame_on_its_screen() {
    let (width, height) = (WIDTH as u16, HEIGHT as u16);
    // 60 × 40 in green at (20, 10), its left half transparent; then a full frame in blue.
    let indices = pixels(60, 40, |x, _| [if x < 30 { 3 } else { 1 }]);
    let mut first = gif::Frame::from_indexed_pixels(60, 40, indices, Some(3));
    (first.left, first.top) = (20, 10);
    let all = vec![2; usize::from(width) * usize::from(height)];
    let second = gif::Frame::from_indexed_pixels(width, height, all, None);

    let pictures = make(&gif((width, height), &[first, second])).unwrap();
    assert_eq!(pictures.format, Format::Gif);
    assert_eq!((pictures.width, pictures.height), (WIDTH, HEIGHT));
    let webp = largest(&pictures, Encoding::WebP);
    assert_near(pixel(webp, 65, 30), [30, 160, 60, 255], 8);
    for (x, y) in [(5, 5), (30, 30), (100, 30), (60, 70)] {
        assert_eq!(pixel(webp, x, y)[3], 0, "{x}, {y}");
        assert_near(pixel(largest(&pictures, Encoding::Jpeg), x, y), [255; 4], 3);
    }
}

#[test]
fn gif_interlaced_and_larger_than_its_screen() {
    let (width, height) = (WIDTH as u16, HEIGHT as u16);
    let quarter = |x, y| [u8::from(x >= WIDTH / 2) + 2 * u8::from(y >= HEIGHT / 2)];
    let rows: Vec<Vec<u8>> = (0..HEIGHT).map(|y| (0..WIDTH).flat_map(|x| quarter(x, y)).collect()).collect();
    // Every 8th row from 0, every 8th from 4, every 4th from 2, every 2nd from 1.
    let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
    let order = passes.map(|(from, step)| rows.iter().skip(from).step_by(step));
    let interlaced: Vec<u8> = order.into_iter().flatten().flatten().copied().collect();
    let mut frame = gif::Frame::from_indexed_pixels(width, height, interlaced, None);
    frame.interlaced = true;
    assert_pattern(&gif((width, height), &[frame]));

    // What hangs over the screen's edge is cut off.
    let mut frame = gif::Frame::from_indexed_pixels(100, 100, vec![1; 10_000], None);
    (frame.left, frame.top) = (30, 0);
    let pictures = make(&gif((40, 20), &[frame])).unwrap();
    assert_eq!((pictures.width, pictures.height), (40, 20));
    let webp = largest(&pictures, Encoding::WebP);
    assert_eq!(pixel(webp, 5, 10)[3], 0);
    assert_near(pixel(webp, 36, 10), [30, 160, 60, 255], 8);
}

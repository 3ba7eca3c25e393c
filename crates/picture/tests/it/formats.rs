//! Colour profiles, transparency, and WebPs and GIFs of each kind.

use jpeg_encoder::ColorType as Jpeg;
use picture::{Encoding, Format};
use png::{BitDepth, ColorType as Png};

use crate::sample::*;

#[test]
fn adobe_rgb_profile_is_converted() {
    let profile = moxcms::ColorProfile::new_adobe_rgb().encode().unwrap();
    // Expected values by the matrices of both spaces and Adobe's gamma of 2.2.
    let bytes = jpeg(20, 20, &[120, 140, 90].repeat(400), Jpeg::Rgb, |encoder| {
        encoder.add_icc_profile(&profile).unwrap();
    });
    assert_flat(&bytes, [111, 141, 86], 4);
}

#[test]
fn display_p3_profile_in_each_format_is_converted() {
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
fn transparent_picture_stays_transparent_in_webp_and_is_white_in_jpeg() {
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
fn opaque_alpha_channel_is_dropped() {
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
fn lossy_and_lossless_webp_have_the_right_colours() {
    let rgb = pattern_pixels();
    assert_pattern(&webp::Encoder::from_rgb(&rgb, WIDTH, HEIGHT).encode(95.0));
    let lossless = image_webp::ColorType::Rgb8;
    assert_pattern(&webp((WIDTH, HEIGHT), lossless, &rgb, |_| {}));
}

#[test]
fn animated_webp_decodes_to_its_first_frame() {
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
fn gif_decodes_to_its_first_frame_on_its_screen() {
    let (width, height) = (WIDTH as u16, HEIGHT as u16);
    // A frame of 60 × 40 at (20, 10), the left half transparent and the right half green; then a full blue frame.
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
fn interlaced_gif_and_frame_larger_than_the_screen_decode() {
    let (width, height) = (WIDTH as u16, HEIGHT as u16);
    let quarter = |x, y| [u8::from(x >= WIDTH / 2) + 2 * u8::from(y >= HEIGHT / 2)];
    let rows: Vec<Vec<u8>> = (0..HEIGHT).map(|y| (0..WIDTH).flat_map(|x| quarter(x, y)).collect()).collect();
    // First row and step of each pass.
    let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
    let order = passes.map(|(from, step)| rows.iter().skip(from).step_by(step));
    let interlaced: Vec<u8> = order.into_iter().flatten().flatten().copied().collect();
    let mut frame = gif::Frame::from_indexed_pixels(width, height, interlaced, None);
    frame.interlaced = true;
    assert_pattern(&gif((width, height), &[frame]));

    // A frame enlarges the screen, even one without a size.
    for screen in [(40, 20), (0, 0), (0, 20), (131, 1)] {
        let mut frame = gif::Frame::from_indexed_pixels(100, 100, vec![1; 10_000], None);
        (frame.left, frame.top) = (30, 7);
        let pictures = make(&gif(screen, &[frame])).unwrap();
        assert_eq!((pictures.width, pictures.height), (u32::from(screen.0).max(130), 107));
        let webp = largest(&pictures, Encoding::WebP);
        assert_eq!((pixel(webp, 15, 50)[3], pixel(webp, 60, 2)[3]), (0, 0));
        assert_near(pixel(webp, 36, 50), [30, 160, 60, 255], 8);
        assert_near(pixel(webp, 125, 102), [30, 160, 60, 255], 8);
    }
}

/// Such an index is black, unless it is the transparent one.
#[test]
fn gif_index_beyond_the_table_is_black() {
    // Columns of 10 pixels with the indices 0 to 7; the table has four colours.
    let indices = pixels(80, 40, |x, _| [(x / 10) as u8]);
    let frame = |transparent| gif::Frame::from_indexed_pixels(80, 40, indices.clone(), transparent);
    let opaque = make(&gif((80, 40), &[frame(None)])).unwrap();
    let webp = largest(&opaque, Encoding::WebP);
    assert_near(pixel(webp, 34, 20), [220, 200, 40, 255], 16);
    for x in [45, 55, 65, 75] {
        assert_near(pixel(webp, x, 20), [0, 0, 0, 255], 8);
    }
    let transparent = make(&gif((80, 40), &[frame(Some(6))])).unwrap();
    let webp = largest(&transparent, Encoding::WebP);
    assert_near(pixel(webp, 55, 20), [0, 0, 0, 255], 8);
    assert_eq!(pixel(webp, 65, 20)[3], 0);

    // Without any table, all indices are beyond it.
    let mut without = gif((80, 40), &[frame(None)]);
    assert_eq!(without[10] & 0x87, 0x81, "a table of four colours");
    without[10] &= !0x87;
    without.drain(13..25);
    assert_flat(&without, [0; 3], 2);
}

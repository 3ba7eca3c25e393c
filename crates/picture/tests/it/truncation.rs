//! A file that is cut off is an error at every point: never half a picture.

use crate::photos::{PHOTOS, photo};
use crate::sample::*;

/// Small files of every kind, so that each can be cut at every byte.
fn small_files() -> Vec<(&'static str, Vec<u8>)> {
    let (width, height) = (40, 24);
    let rgb = pixels(width, height, |x, y| [x as u8 * 6, y as u8 * 10, (x * y) as u8]);
    let clear = pixels(width, height, |x, y| [x as u8 * 6, y as u8 * 10, 99, (x + y) as u8]);
    let colour = jpeg_encoder::ColorType::Rgb;
    let size = (width, height);
    let config = webp::WebPConfig::new().unwrap();
    let mut animation = webp::AnimEncoder::new(width, height, &config);
    animation.add_frame(webp::AnimFrame::from_rgba(&clear, width, height, 0));
    let inverse: Vec<u8> = clear.iter().map(|v| !v).collect();
    animation.add_frame(webp::AnimFrame::from_rgba(&inverse, width, height, 100));
    let frame = gif::Frame::from_indexed_pixels(9, 9, vec![1; 81], None);

    vec![
        ("baseline", jpeg(width, height, &rgb, colour, |_| {})),
        ("progressive", jpeg(width, height, &rgb, colour, |e| e.set_progressive(true))),
        ("restarts", jpeg(width, height, &rgb, colour, |e| e.set_restart_interval(2))),
        ("png", rgb_png(width, height, &rgb)),
        ("lossy", webp::Encoder::from_rgb(&rgb, width, height).encode(70.0).to_vec()),
        ("lossy with alpha", webp::Encoder::from_rgba(&clear, width, height).encode(70.0).to_vec()),
        ("lossless", webp(size, image_webp::ColorType::Rgba8, &clear, |_| {})),
        ("animation", animation.encode().to_vec()),
        ("gif", gif((9, 9), &[frame.clone(), frame])),
    ]
}

#[test]
fn small_files_cut_at_every_byte() {
    for (name, bytes) in small_files() {
        make(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        for length in 12..bytes.len() {
            let error = make(&bytes[..length]).expect_err(name);
            assert_eq!(error.code(), "truncated", "{name} cut to {length}");
        }
        // Less than that is not recognised, or has no header to be cut.
        for length in 0..12 {
            assert!(make(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
    }
}

#[test]
fn photos_cut_anywhere() {
    for (name, _, _) in PHOTOS {
        let bytes = photo(name);
        let last = bytes.len();
        let ends = [1, 2, 3, 9, 40].map(|back| last - back);
        for length in (1..12).map(|i| last * i / 12).chain(ends) {
            let error = make(&bytes[..length]).expect_err(name);
            assert_eq!(error.code(), "truncated", "{name} cut to {length}");
        }
    }
}

/// Some software completes what was cut with an end marker. Decoders then render grey.
#[test]
fn an_end_marker_does_not_heal_a_jpeg() {
    for (name, bytes) in small_files().into_iter().take(3) {
        let scan = bytes.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
        // A progressive picture is whole, if coarse, after its first scan; the bits of the last
        // byte may be padding.
        let next = bytes[scan + 2..].windows(2);
        let end = next.into_iter().position(|w| w[0] == 0xff && !matches!(w[1], 0 | 0xd0..=0xd7)).unwrap();
        for length in scan + 14..scan + end {
            let cut = [&bytes[..length], &[0xff, 0xd9]].concat();
            let error = make(&cut).expect_err(&format!("{name} cut to {length}"));
            assert!(["truncated", "corrupt"].contains(&error.code()));
        }
    }
}

/// The same for containers: a header that says that the cut file is whole.
#[test]
fn an_honest_size_does_not_heal_a_webp() {
    for (name, bytes) in small_files() {
        if !bytes.starts_with(b"RIFF") || name == "animation" {
            continue;
        }
        for length in 30..bytes.len() - 1 {
            let mut cut = bytes[..length].to_vec();
            let size = (length as u32 - 8).to_le_bytes();
            cut[4..8].copy_from_slice(&size);
            let error = make(&cut).expect_err(&format!("{name} cut to {length}"));
            assert_eq!(error.code(), "corrupt", "{name} cut to {length}");
        }
    }
}

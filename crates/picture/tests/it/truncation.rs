//! A file that is cut off at any point is an error.

use picture::Pictures;

use crate::photos::{PHOTOS, photo};
use crate::sample::*;

/// Small files of each kind, small enough to test every length.
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

/// Checks a cut file: it is truncated, or its picture is whole because only bytes behind the pixels are missing.
#[track_caller]
fn assert_truncated_or_whole(cut: &[u8], whole: &Pictures, name: &str) {
    match make(cut) {
        Ok(pictures) => assert!(&pictures == whole, "{name} cut to {} is incomplete", cut.len()),
        Err(error) => assert_eq!(error.code(), "truncated", "{name} cut to {}", cut.len()),
    }
}

#[test]
fn file_cut_at_any_byte_is_truncated_or_whole() {
    for (name, bytes) in small_files() {
        let whole = make(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        for length in 12..bytes.len() {
            assert_truncated_or_whole(&bytes[..length], &whole, name);
        }
        // The format of shorter files may not be recognised.
        for length in 0..12 {
            assert!(make(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
        // Half of the pixels are not enough.
        let first = if name == "animation" || name == "gif" { bytes.len() / 4 } else { bytes.len() / 2 };
        assert_eq!(make(&bytes[..first]).unwrap_err().code(), "truncated", "{name}");
    }
}

#[test]
fn photo_cut_anywhere_is_truncated_or_whole() {
    for (name, _, _) in PHOTOS {
        let bytes = photo(name);
        let whole = make(&bytes).unwrap();
        let last = bytes.len();
        for length in [1, 2, 3, 9, 40].map(|back| last - back) {
            assert_truncated_or_whole(&bytes[..length], &whole, name);
        }
        for length in (1..12).map(|i| last * i / 12) {
            assert_eq!(make(&bytes[..length]).unwrap_err().code(), "truncated", "{name} cut to {length}");
        }
    }
}

/// Some software adds an end marker to a truncated file, which many decoders render partly grey.
#[test]
fn cut_jpeg_with_end_marker_is_an_error() {
    for (name, bytes) in small_files().into_iter().take(3) {
        let scan = bytes.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
        // A progressive picture is complete after its first scan, so only that scan is cut. The bits
        // of its last byte may be padding.
        let next = bytes[scan + 2..].windows(2);
        let end = next.into_iter().position(|w| w[0] == 0xff && !matches!(w[1], 0 | 0xd0..=0xd7)).unwrap();
        for length in scan + 14..scan + end {
            let cut = [&bytes[..length], &[0xff, 0xd9]].concat();
            let error = make(&cut).expect_err(&format!("{name} cut to {length}"));
            assert!(["truncated", "corrupt"].contains(&error.code()));
        }
    }
}

/// The container declares the length of the truncated file.
#[test]
fn cut_webp_with_matching_container_size_is_corrupt() {
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

//! Files that try to make the decoders use too much memory or time.

use picture::{Limits, PictureError, make_variants};

use crate::sample::*;

fn code(bytes: &[u8]) -> &'static str {
    make(bytes).unwrap_err().code()
}

/// Sets the frame header's dimensions.
fn claim(mut jpeg: Vec<u8>, width: u16, height: u16) -> Vec<u8> {
    let at = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    // Writes the header and the end, but no pixels.
    drop(encoder.write_header().unwrap());
    bytes
}

fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, data) in chunks {
        body.extend(*name);
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(*data);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(body);
    bytes
}

fn vp8x(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let mut header = vec![flags, 0, 0, 0];
    header.extend(&(width - 1).to_le_bytes()[..3]);
    header.extend(&(height - 1).to_le_bytes()[..3]);
    header
}

/// The lossy frame of a valid WebP.
fn vp8(width: u32, height: u32) -> Vec<u8> {
    let rgb = vec![99; (width * height * 3) as usize];
    let file = webp::Encoder::from_rgb(&rgb, width, height).encode(50.0);
    assert_eq!(&file[12..16], b"VP8 ");
    file[20..].to_vec()
}

/// The content of an `ANMF` chunk.
fn frame(width: u32, height: u32, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut data = vec![0; 6];
    data.extend(&(width - 1).to_le_bytes()[..3]);
    data.extend(&(height - 1).to_le_bytes()[..3]);
    data.extend([0; 4]);
    data.extend(&riff(chunks)[12..]);
    data
}

#[test]
fn header_of_each_format_that_claims_too_many_pixels_is_an_error() {
    let exceeds = |bytes: &[u8], width, height, max_pixels| {
        assert_eq!(make(bytes), Err(PictureError::TooManyPixels { width, height, max_pixels }));
    };
    let too_many = |bytes: &[u8], width, height| exceeds(bytes, width, height, 64_000_000);
    too_many(&png_claiming(50_000, 50_000), 50_000, 50_000);
    exceeds(&claim(pattern_jpeg(|_| {}), 65_500, 65_500), 65_500, 65_500, 210_000_000);
    let vp8 = vp8(16, 16);
    let mut large = vp8.clone();
    large[6..10].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    too_many(&riff(&[(b"VP8 ", &large)]), 16_383, 16_383);
    let animation =
        [(b"VP8X", &vp8x(2, 1 << 24, 16)[..]), (b"ANIM", &[0; 6]), (b"ANMF", &frame(16, 16, &[(b"VP8 ", &vp8)]))];
    too_many(&riff(&animation), 1 << 24, 16);
    let gif = gif((65_535, 65_535), &[gif::Frame::from_indexed_pixels(2, 2, [0; 4], None)]);
    too_many(&gif, 65_535, 65_535);
}

#[test]
fn gif_frame_much_larger_than_its_screen_is_an_error() {
    let mut bytes = gif((2, 2), &[gif::Frame::from_indexed_pixels(2, 2, [0; 4], None)]);
    let at = bytes.iter().rposition(|&b| b == 0x2c).unwrap();
    bytes[at + 5..at + 9].fill(0xff);
    assert_eq!(code(&bytes), "too_many_pixels");
}

#[test]
fn webp_with_pixels_larger_than_its_canvas_is_corrupt() {
    let small = (b"VP8X", &vp8x(0, 16, 16)[..]);
    let mut large = vp8(16, 16);
    large[6..10].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert_eq!(code(&riff(&[small, (b"VP8 ", &large)])), "corrupt");
    assert_eq!(code(&riff(&[small, (b"ANMF", &frame(9, 9, &[]))])), "corrupt");
    assert!(make(&riff(&[small, (b"VP8 ", &vp8(16, 16))])).is_ok());
}

/// image-webp 0.2.4 panics on these files.
#[test]
fn webp_frame_with_pixels_of_another_size_is_corrupt() {
    let alpha = [&[0][..], &[7; 16 * 16]].concat();
    let animation = |width, height| {
        let vp8 = vp8(width, height);
        let chunks: [(&[u8; 4], &[u8]); 2] = [(b"ALPH", &alpha), (b"VP8 ", &vp8)];
        riff(&[(b"VP8X", &vp8x(0x12, 40, 40)), (b"ANIM", &[0; 6]), (b"ANMF", &frame(16, 16, &chunks))])
    };
    assert!(make(&animation(16, 16)).is_ok());
    for (width, height) in [(24, 16), (16, 24), (8, 16), (16, 8)] {
        let error = make(&animation(width, height)).unwrap_err();
        assert_eq!(error, PictureError::Corrupt("a frame with pixels of another size".into()));
    }
}

#[test]
fn dimension_of_zero_is_corrupt() {
    for (width, height) in [(0, 9), (9, 0)] {
        assert_eq!(code(&claim(pattern_jpeg(|_| {}), width, height)), "corrupt");
        let mut png = rgb_png(2, 2, &[0; 12]);
        png[16..20].copy_from_slice(&u32::from(width).to_be_bytes());
        png[20..24].copy_from_slice(&u32::from(height).to_be_bytes());
        let crc = crc(&png[12..29]);
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(code(&png), "corrupt");
        let frame = gif::Frame::from_indexed_pixels(2, 2, [0; 4], None);
        // The frame enlarges the screen of a GIF.
        let mut gif = gif((width, height), std::slice::from_ref(&frame));
        assert!(make(&gif).is_ok());
        gif[6..10].copy_from_slice(&[2, 0, 2, 0]);
        let at = gif.iter().rposition(|&b| b == 0x2c).unwrap();
        gif[at + 5..at + 9].copy_from_slice(&[width as u8, 0, height as u8, 0]);
        assert_eq!(code(&gif), "corrupt");
    }
    let mut vp8 = vp8(16, 16);
    vp8[6] = 0;
    assert_eq!(code(&riff(&[(b"VP8 ", &vp8)])), "corrupt");
}

#[test]
fn limit_of_the_caller_applies() {
    let exact = u64::from(WIDTH * HEIGHT);
    let (baseline, progressive) = (pattern_jpeg(|_| {}), pattern_jpeg(|encoder| encoder.set_progressive(true)));
    let other = pattern_jpeg(|encoder| encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_1_1));
    let limit = |bytes: &[u8], max_pixels, max_baseline_jpeg_pixels| {
        make_variants(bytes, &Limits { max_pixels, max_baseline_jpeg_pixels }).map(drop).map_err(|error| error.code())
    };
    assert_eq!(limit(&baseline, 0, exact), Ok(()));
    assert_eq!(limit(&baseline, exact, exact - 1), Err("too_many_pixels"));
    // Only a baseline JPEG that is scaled while it is decoded has a limit of its own.
    for bytes in [progressive, other, rgb_png(WIDTH, HEIGHT, &pattern_pixels())] {
        assert_eq!(limit(&bytes, exact, 0), Ok(()));
        assert_eq!(limit(&bytes, exact - 1, exact), Err("too_many_pixels"));
    }
}

/// A baseline JPEG of 16,320 × 12,240 pixels, the size of phones' largest photos, with quarters of four colours.
fn jpeg_of_200_megapixels() -> Vec<u8> {
    const SIZE: (u32, u32) = (16_320, 12_240);
    // An upper and a lower row of blocks, each a restart interval.
    let rows = pixels(SIZE.0, 32, |x, y| match (x < SIZE.0 / 2, y < 16) {
        (true, true) => [200, 30, 30],
        (false, true) => [30, 160, 60],
        (true, false) => [40, 60, 200],
        (false, false) => [220, 200, 40],
    });
    let bytes = jpeg(SIZE.0, 32, &rows, jpeg_encoder::ColorType::Rgb, |encoder| {
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_2_0);
        encoder.set_restart_interval((SIZE.0 / 16) as u16);
    });
    let scan = bytes.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
    let data = scan + 2 + usize::from(bytes[scan + 3]);
    let restart = bytes.windows(2).position(|w| w == [0xff, 0xd0]).unwrap();
    let (upper, lower) = (&bytes[data..restart], &bytes[restart + 2..bytes.len() - 2]);
    let mut large = claim(bytes[..data].to_vec(), SIZE.0 as u16, SIZE.1 as u16);
    let rows = SIZE.1 / 16;
    for row in 0..rows {
        large.extend(if row < rows / 2 { upper } else { lower });
        large.extend([0xff, 0xd0 + (row % 8) as u8]);
    }
    large.truncate(large.len() - 2);
    large.extend([0xff, 0xd9]);
    large
}

#[test]
fn baseline_jpeg_of_200_megapixels_decodes() {
    let pictures = make(&jpeg_of_200_megapixels()).unwrap();
    assert_eq!((pictures.width, pictures.height), (16_320, 12_240));
    let variant = largest(&pictures, picture::Encoding::Jpeg);
    assert_eq!((variant.width, variant.height), (1080, 810));
    for ((x, y), [r, g, b]) in [
        ((200, 200), [200, 30, 30]),
        ((900, 200), [30, 160, 60]),
        ((200, 700), [40, 60, 200]),
        ((900, 700), [220, 200, 40]),
    ] {
        assert_near(pixel(variant, x, y), [r, g, b, 255], 8);
    }
}

#[test]
fn empty_and_unsupported_content_is_an_error() {
    assert_eq!(code(b""), "empty");
    assert_eq!(code(b"<html><script>alert(1)</script>"), "unsupported_format");
    assert_eq!(code(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "unsupported_format");
    assert_eq!(code(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"), "unsupported_format");
    let heic = if cfg!(feature = "heic") { "truncated" } else { "unsupported_format" };
    assert_eq!(code(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), heic);
}

#[test]
fn jpeg_with_thousands_of_scans_is_corrupt() {
    let jpeg = pattern_jpeg(|encoder| encoder.set_progressive(true));
    // Repeats a scan before the last one, which completes the picture.
    let last = jpeg.windows(2).rposition(|w| w == [0xff, 0xda]).unwrap();
    let scan = jpeg[..last].windows(2).rposition(|w| w == [0xff, 0xda]).unwrap();
    let bomb = [&jpeg[..last], &jpeg[scan..last].repeat(5000), &jpeg[last..]].concat();
    let error = make(&bomb).unwrap_err();
    assert_eq!(error, PictureError::Corrupt("too many scans".into()));
}

#[test]
fn jpeg_of_an_uncommon_process_is_unsupported() {
    let at = |jpeg: &[u8]| jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    for (offset, value) in [(1, 0xc3), (1, 0xc9), (1, 0xc5), (4, 12)] {
        let mut jpeg = pattern_jpeg(|_| {});
        let frame = at(&jpeg);
        jpeg[frame + offset] = value;
        assert_eq!(code(&jpeg), "unsupported_format", "{offset} {value}");
    }
}

#[test]
fn extremely_long_picture_has_variants_one_pixel_wide() {
    for (width, height) in [(1, 20_000), (20_000, 1), (3, 65_000)] {
        let grey = vec![77; (width * height * 3) as usize];
        let rgb = jpeg_encoder::ColorType::Rgb;
        for bytes in [jpeg(width, height, &grey, rgb, |_| {}), rgb_png(width, height, &grey)] {
            let pictures = make(&bytes).unwrap();
            assert_eq!((pictures.width, pictures.height), (width, height));
            assert_eq!(pictures.variants.len(), 6);
            for variant in &pictures.variants {
                assert_eq!(variant.width.max(variant.height), variant.bound);
                assert_eq!(variant.width.min(variant.height), 1);
                assert_near(rgba(variant)[0], [77, 77, 77, 255], 3);
            }
        }
    }
}

//! Generates pictures, encodes them, and checks variants.

use std::io::Cursor;

use picture::{Encoding, Limits, PictureError, Pictures, Variant};

pub const WIDTH: u32 = 200;
pub const HEIGHT: u32 = 120;

/// An asymmetric picture: quarters of four colours, with a white bar in one of them.
pub fn pattern(x: u32, y: u32) -> [u8; 3] {
    if (20..60).contains(&x) && (20..28).contains(&y) {
        return [255, 255, 255];
    }
    match (x < WIDTH / 2, y < HEIGHT / 2) {
        (true, true) => [200, 30, 30],
        (false, true) => [30, 160, 60],
        (true, false) => [40, 60, 200],
        (false, false) => [220, 200, 40],
    }
}

pub fn pattern_pixels() -> Vec<u8> {
    pixels(WIDTH, HEIGHT, pattern)
}

/// Pixels of any depth, row by row, computed from column and row.
pub fn pixels<const N: usize, T: Copy>(width: u32, height: u32, at: impl Fn(u32, u32) -> [T; N]) -> Vec<T> {
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    rows.flat_map(|(x, y)| at(x, y)).collect()
}

/// A JPEG; `configure` sets options of the encoder.
pub fn jpeg(
    width: u32,
    height: u32,
    pixels: &[u8],
    colour: jpeg_encoder::ColorType,
    configure: impl FnOnce(&mut jpeg_encoder::Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    configure(&mut encoder);
    encoder.encode(pixels, width as u16, height as u16, colour).unwrap();
    bytes
}

pub fn pattern_jpeg(configure: impl FnOnce(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let rgb = jpeg_encoder::ColorType::Rgb;
    jpeg(WIDTH, HEIGHT, &pattern_pixels(), rgb, configure)
}

/// A PNG; `configure` changes its header.
pub fn png(
    (width, height): (u32, u32),
    (colour, depth): (png::ColorType, png::BitDepth),
    data: &[u8],
    configure: impl FnOnce(&mut png::Info<'_>),
) -> Vec<u8> {
    let mut info = png::Info::with_size(width, height);
    info.color_type = colour;
    info.bit_depth = depth;
    configure(&mut info);
    let mut bytes = Vec::new();
    let encoder = png::Encoder::with_info(&mut bytes, info).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

pub fn rgb_png(width: u32, height: u32, rgb: &[u8]) -> Vec<u8> {
    let kind = (png::ColorType::Rgb, png::BitDepth::Eight);
    png((width, height), kind, rgb, |_| {})
}

/// A transparent PNG of 37 × 21 with seven interlaced passes, which the encoder of [`png`] cannot write.
pub fn interlaced_png() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/variants/rgba-interlaced.png");
    std::fs::read(path).unwrap()
}

/// Inserts a chunk behind the header of a PNG.
pub fn with_chunk(png: &[u8], name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let (head, rest) = png.split_at(33);
    let body = [name, data].concat();
    [head, &(data.len() as u32).to_be_bytes(), &body, &crc(&body).to_be_bytes(), rest].concat()
}

/// The CRC-32 of PNG.
pub fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| match crc & 1 {
            1 => crc >> 1 ^ 0xedb8_8320,
            _ => crc >> 1,
        })
    })
}

/// A lossless WebP; `configure` sets options of the encoder.
pub fn webp(
    (width, height): (u32, u32),
    colour: image_webp::ColorType,
    data: &[u8],
    configure: impl FnOnce(&mut image_webp::WebPEncoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image_webp::WebPEncoder::new(&mut bytes);
    configure(&mut encoder);
    encoder.encode(data, width, height, colour).unwrap();
    bytes
}

/// A GIF with a palette of four colours.
pub fn gif(screen: (u16, u16), frames: &[gif::Frame<'_>]) -> Vec<u8> {
    let palette = [200, 30, 30, 30, 160, 60, 40, 60, 200, 220, 200, 40];
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, screen.0, screen.1, &palette).unwrap();
    for frame in frames {
        encoder.write_frame(frame).unwrap();
    }
    drop(encoder);
    bytes
}

/// A little-endian TIFF with one directory: orientation and camera.
pub fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
    tiff.extend(b"\x0f\x01\x02\0\x08\0\0\0\x26\0\0\0"); // Make: 8 bytes at offset 38
    tiff.extend([0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    tiff.extend([0; 4]);
    tiff.extend(b"Samsung\0");
    tiff
}

/// A printer's ICC profile (ICC.1:2010, lut8Type). `lab` is the Lab colour of each combination of
/// full cyan, magenta, yellow and black.
pub fn printer_profile(lab: impl Fn([bool; 4]) -> [u8; 3]) -> Vec<u8> {
    let mut lut = b"mft1\0\0\0\0\x04\x03\x02\0".to_vec();
    let identity = |at: usize| if at.is_multiple_of(4) { [0, 1, 0, 0] } else { [0; 4] };
    lut.extend((0..9).flat_map(identity));
    lut.extend((0..4).flat_map(|_| 0..=255));
    lut.extend((0..16_u8).flat_map(|at| lab([8, 4, 2, 1].map(|bit| at & bit != 0))));
    lut.extend((0..3).flat_map(|_| 0..=255));

    let mut profile = vec![0; 128];
    let length = 128 + 4 + 12 + lut.len() as u32;
    profile[..4].copy_from_slice(&length.to_be_bytes());
    profile[8..12].copy_from_slice(&[2, 0x40, 0, 0]);
    profile[12..24].copy_from_slice(b"prtrCMYKLab ");
    profile[36..40].copy_from_slice(b"acsp");
    // The white point of D50.
    profile[68..80].copy_from_slice(&[0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d]);
    profile.extend(1_u32.to_be_bytes());
    profile.extend(b"A2B0");
    profile.extend(144_u32.to_be_bytes());
    profile.extend((lut.len() as u32).to_be_bytes());
    profile.extend(lut);
    profile
}

pub fn make(bytes: &[u8]) -> Result<Pictures, PictureError> {
    picture::make_variants(bytes, &Limits::default())
}

/// The largest variant of an encoding.
pub fn largest(pictures: &Pictures, encoding: Encoding) -> &Variant {
    let mut variants = pictures.variants.iter();
    variants.find(|v| v.encoding == encoding).unwrap()
}

/// Decodes a variant to RGBA and checks its size.
pub fn rgba(variant: &Variant) -> Vec<[u8; 4]> {
    let (width, height, pixels) = match variant.encoding {
        Encoding::Jpeg => {
            let mut decoder = jpeg_decoder::Decoder::new(&variant.bytes[..]);
            let samples = decoder.decode().unwrap();
            let info = decoder.info().unwrap();
            let pixels = with_alpha(&samples);
            (info.width.into(), info.height.into(), pixels)
        }
        Encoding::WebP => {
            let mut decoder = image_webp::WebPDecoder::new(Cursor::new(&variant.bytes)).unwrap();
            let (width, height) = decoder.dimensions();
            let mut samples = vec![0; decoder.output_buffer_size().unwrap()];
            decoder.read_image(&mut samples).unwrap();
            let pixels = if decoder.has_alpha() {
                let rgba = samples.chunks_exact(4);
                rgba.map(|p| [p[0], p[1], p[2], p[3]]).collect()
            } else {
                with_alpha(&samples)
            };
            (width, height, pixels)
        }
    };
    assert_eq!((width, height), (variant.width, variant.height));
    pixels
}

fn with_alpha(rgb: &[u8]) -> Vec<[u8; 4]> {
    rgb.chunks_exact(3).map(|p| [p[0], p[1], p[2], 255]).collect()
}

/// The mean absolute difference of all channels.
pub fn difference(a: &[[u8; 4]], b: &[[u8; 4]]) -> f64 {
    assert_eq!(a.len(), b.len());
    let channels = a.as_flattened().iter().zip(b.as_flattened());
    let sum: u64 = channels.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / (4 * a.len()) as f64
}

/// One pixel of a variant.
pub fn pixel(variant: &Variant, x: u32, y: u32) -> [u8; 4] {
    rgba(variant)[(y * variant.width + x) as usize]
}

#[track_caller]
pub fn assert_near(got: [u8; 4], want: [u8; 4], tolerance: u8) {
    let near = got.iter().zip(want).all(|(g, w)| g.abs_diff(w) <= tolerance);
    assert!(near, "{got:?} is not {want:?}");
}

/// Checks a pixel of the largest JPEG and of the largest WebP.
#[track_caller]
pub fn assert_pixel(pictures: &Pictures, (x, y): (u32, u32), want: [u8; 4], tolerance: u8) {
    for encoding in [Encoding::Jpeg, Encoding::WebP] {
        assert_near(pixel(largest(pictures, encoding), x, y), want, tolerance);
    }
}

/// Checks the centre of each quarter of the pattern.
#[track_caller]
pub fn assert_pattern(bytes: &[u8]) {
    let pictures = make(bytes).unwrap();
    assert_eq!((pictures.width, pictures.height), (WIDTH, HEIGHT));
    for at in [(50, 45), (150, 30), (50, 90), (150, 90)] {
        let [r, g, b] = pattern(at.0, at.1);
        assert_pixel(&pictures, at, [r, g, b, 255], 8);
    }
}

/// Checks a picture of a single colour.
#[track_caller]
pub fn assert_flat(bytes: &[u8], want: [u8; 3], tolerance: u8) {
    let pictures = make(bytes).unwrap();
    let [r, g, b] = want;
    assert_pixel(&pictures, (5, 5), [r, g, b, 255], tolerance);
    let near = |(got, want): (u8, u8)| got.abs_diff(want) <= tolerance;
    assert!(pictures.dominant_colour.into_iter().zip(want).all(near));
}

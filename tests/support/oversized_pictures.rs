//! Pictures of extreme dimensions.

use std::io::Write;

use crate::photographs::photograph;

/// Small files whose headers claim very large dimensions: name and content.
pub fn oversized_pictures() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("50000.png", png_without_pixels(50_000)),
        ("65500.jpg", jpeg_with_dimensions(65_500, 65_500)),
        ("65535.gif", gif_header(65_535, 65_535)),
        ("16383.webp", webp_header(16_383, 16_383)),
    ]
}

/// A valid PNG of `side` × `side` transparent pixels: a small file, large when decoded.
pub fn large_png(side: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut header = png_header(&mut file, side);
    let mut pixels = header.stream_writer().expect("stream");
    let row = vec![0; 4 * side as usize];
    for _ in 0..side {
        pixels.write_all(&row).expect("row");
    }
    pixels.finish().expect("end of the pixels");
    header.finish().expect("end of the file");
    file
}

/// A PNG with a valid header and 1.4 MB of invalid pixel data.
fn png_without_pixels(side: u32) -> Vec<u8> {
    let mut file = Vec::new();
    png_header(&mut file, side).write_chunk(png::chunk::IDAT, &[0; 1_400_000]).expect("chunk");
    file
}

fn png_header(file: &mut Vec<u8>, side: u32) -> png::Writer<&mut Vec<u8>> {
    let mut encoder = png::Encoder::new(file, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_compression(png::Compression::Fastest);
    encoder.write_header().expect("header")
}

/// A photograph with other dimensions in its frame header (T.81, B.2.2): height and width follow marker, length and
/// precision.
fn jpeg_with_dimensions(width: u16, height: u16) -> Vec<u8> {
    let mut file = photograph("고양이.jpg");
    let frame = file.windows(4).position(|part| part[0] == 0xff && matches!(part[1], 0xc0 | 0xc2) && part[2] == 0);
    let size = frame.expect("frame header") + 5;
    file[size..size + 2].copy_from_slice(&height.to_be_bytes());
    file[size + 2..size + 4].copy_from_slice(&width.to_be_bytes());
    file
}

fn gif_header(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"GIF89a".to_vec();
    let size = [width.to_le_bytes(), height.to_le_bytes()].concat();
    file.extend(&size);
    file.extend([0x80, 0, 0, 255, 0, 0, 0, 0, 0]);
    file.extend([0x2c, 0, 0, 0, 0]);
    file.extend(&size);
    file.extend([0, 2, 2, 0x44, 1, 0, 0x3b]);
    file
}

fn webp_header(width: u32, height: u32) -> Vec<u8> {
    // A lossless image's header: signature, then width - 1 and height - 1 in 14 bits each.
    let size = (width - 1) | (height - 1) << 14;
    let mut chunk = b"VP8L".to_vec();
    chunk.extend(6u32.to_le_bytes());
    chunk.push(0x2f);
    chunk.extend(size.to_le_bytes());
    chunk.push(0);
    let mut file = b"RIFF".to_vec();
    file.extend(u32::try_from(chunk.len() + 4).expect("small file").to_le_bytes());
    file.extend(b"WEBP");
    file.extend(chunk);
    file
}

//! Files that mean harm.

use std::io::Write;

/// Files whose headers claim far more than their bytes hold: name and bytes.
pub fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("50000.png", hollow_png(50_000)),
        ("65500.jpg", jpeg_claiming(65_500, 65_500)),
        ("65535.gif", gif_header(65_535, 65_535)),
        ("16383.webp", webp_header(16_383, 16_383)),
    ]
}

/// A real PNG of `side` × `side` transparent pixels: small as a file, large when decoded.
pub fn large_png(side: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut header = png_header(&mut file, side);
    let mut pixels = header.stream_writer().expect("a stream");
    let row = vec![0; 4 * side as usize];
    for _ in 0..side {
        pixels.write_all(&row).expect("a row");
    }
    pixels.finish().expect("an end");
    header.finish().expect("an end");
    file
}

/// A PNG of which only the header is true: its pixels are 1.4 MB of rubbish.
fn hollow_png(side: u32) -> Vec<u8> {
    let mut file = Vec::new();
    png_header(&mut file, side).write_chunk(png::chunk::IDAT, &[0; 1_400_000]).expect("a chunk");
    file
}

fn png_header(file: &mut Vec<u8>, side: u32) -> png::Writer<&mut Vec<u8>> {
    let mut encoder = png::Encoder::new(file, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_compression(png::Compression::Fastest);
    encoder.write_header().expect("a header")
}

/// A photograph that claims another size: its frame header (T.81, B.2.2) has height and width after
/// marker, length and precision.
fn jpeg_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut file = super::photograph("고양이.jpg");
    let frame = file.windows(4).position(|part| part[0] == 0xff && matches!(part[1], 0xc0 | 0xc2) && part[2] == 0);
    let size = frame.expect("a frame header") + 5;
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
    file.extend(u32::try_from(chunk.len() + 4).expect("small").to_le_bytes());
    file.extend(b"WEBP");
    file.extend(chunk);
    file
}

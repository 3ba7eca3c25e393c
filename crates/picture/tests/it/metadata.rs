//! Variants contain no metadata of the original.

use picture::{Encoding, Pictures};

use crate::photos::photo;
use crate::sample::*;

#[test]
fn sample_photo_contains_gps_position() {
    let dogs = photo("dogs.jpg");
    let exif = exif::Reader::new().read_from_container(&mut std::io::Cursor::new(&dogs)).unwrap();
    let has = |tag| exif.get_field(tag, exif::In::PRIMARY).is_some();
    assert!(has(exif::Tag::GPSLatitude) && has(exif::Tag::Make));
}

#[test]
fn variants_of_a_photo_have_no_metadata() {
    assert_bare(&make(&photo("dogs.jpg")).unwrap());
}

#[test]
fn variants_of_files_with_each_kind_of_metadata_have_none() {
    let icc = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>Samsung</x:xmpmeta>";

    let jpeg = pattern_jpeg(|encoder| {
        encoder.add_exif_metadata(&exif(1)).unwrap();
        encoder.add_icc_profile(&icc).unwrap();
        encoder.add_app_segment(1, xmp.to_vec()).unwrap();
        encoder.add_app_segment(13, b"Photoshop 3.0\0Samsung".to_vec()).unwrap();
    });
    let mut commented = jpeg[..2].to_vec();
    commented.extend(b"\xff\xfe\x00\x09Samsung");
    commented.extend(&jpeg[2..]);
    assert_bare(&make(&commented).unwrap());

    let kind = (png::ColorType::Rgb, png::BitDepth::Eight);
    let png = png((WIDTH, HEIGHT), kind, &pattern_pixels(), |info| {
        info.exif_metadata = Some(exif(1).into());
        info.icc_profile = Some(icc.clone().into());
        let text = png::text_metadata::TEXtChunk::new("Comment", "Samsung");
        info.uncompressed_latin1_text.push(text);
    });
    assert_bare(&make(&png).unwrap());

    // A transparent WebP variant has the extended header, which could contain metadata.
    let clear = pixels(WIDTH, HEIGHT, |x, _| [200, 30, 30, x as u8]);
    let rgba = image_webp::ColorType::Rgba8;
    let webp = webp((WIDTH, HEIGHT), rgba, &clear, |encoder| {
        encoder.set_exif_metadata(exif(1));
        encoder.set_icc_profile(icc.clone());
        encoder.set_xmp_metadata(xmp.to_vec());
    });
    assert_bare(&make(&webp).unwrap());
}

/// Checks that the structure contains only pixels, and that no known metadata string occurs.
fn assert_bare(pictures: &Pictures) {
    // Shorter names occur in compressed data by chance.
    let metadata: [&[u8]; 8] =
        [b"Exif\0", b"EXIF", b"Samsung", b"SM-S928N", b"ICC_PROFILE", b"mntrRGB", b"xmpmeta", b"Photoshop"];
    for variant in &pictures.variants {
        let bytes = &variant.bytes;
        for name in metadata {
            let found = bytes.windows(name.len()).any(|w| w == name);
            assert!(!found, "{}", String::from_utf8_lossy(name));
        }
        match variant.encoding {
            Encoding::Jpeg => assert_bare_jpeg(bytes),
            Encoding::WebP => assert_bare_webp(bytes),
        }
    }
}

fn assert_bare_jpeg(bytes: &[u8]) {
    let mut at = 2;
    loop {
        assert_eq!(bytes[at], 0xff);
        let marker = bytes[at + 1];
        let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        match marker {
            0xe0 => assert_eq!((&bytes[at + 4..at + 9], length), (&b"JFIF\0"[..], 16)),
            // Baseline with 4:2:0: luma has twice the chroma's samples in both directions.
            0xc0 => assert_eq!((bytes[at + 11], bytes[at + 14]), (0x22, 0x11)),
            0xc4 | 0xdb => {}
            0xda => break,
            other => panic!("segment {other:#x}"),
        }
        at += 2 + length;
    }
}

fn assert_bare_webp(bytes: &[u8]) {
    let mut at = 12;
    while at < bytes.len() {
        let name = &bytes[at..at + 4];
        let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap());
        assert!([&b"VP8 "[..], b"VP8X", b"ALPH"].contains(&name), "chunk {}", String::from_utf8_lossy(name));
        at += 8 + (size as usize).next_multiple_of(2);
    }
}

//! Ogg files without an end, and chains of recordings.

use std::io::Cursor;

use sound::{Structure, layout};

use crate::signals::{case, fixture, outcome};

/// The pages of an Ogg file.
fn pages(file: &[u8]) -> Vec<Vec<u8>> {
    let mut pages = Vec::new();
    let mut rest = file;
    while let Some(&segments) = rest.get(26) {
        let header = 27 + usize::from(segments);
        let length = header + rest[27..header].iter().map(|&count| usize::from(count)).sum::<usize>();
        pages.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    pages
}

/// Sets a page's checksum (RFC 3533, 6).
fn seal(page: &mut [u8]) {
    page[22..26].fill(0);
    let mut crc = 0_u32;
    for &byte in page.iter() {
        crc ^= u32::from(byte) << 24;
        for _ in 0..8 {
            crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 };
        }
    }
    page[22..26].copy_from_slice(&crc.to_le_bytes());
}

fn with_serial(file: &[u8], serial: u32) -> Vec<u8> {
    let mut pages = pages(file);
    for page in &mut pages {
        page[14..18].copy_from_slice(&serial.to_le_bytes());
        seal(page);
    }
    pages.concat()
}

#[test]
fn recording_without_end_of_stream_flag_is_whole() {
    for name in ["music.opus", "voice.opus", "surround.opus", "vorbis.ogg"] {
        let file = fixture(name);
        let whole = outcome(&file).unwrap();
        let mut pages = pages(&file);
        let last = pages.last_mut().unwrap();
        assert_eq!(last[5] & 4, 4, "{name}");
        last[5] &= !4;
        seal(last);
        let without_flag = pages.concat();
        let frames = outcome(&without_flag).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Without the flag, the padding of the last packet is unknown.
        assert!((whole..whole + 5_760).contains(&frames), "{name}: {frames}, with flag {whole}");
        // Bytes behind the last page are no page.
        assert_eq!(outcome([&without_flag[..], &[0; 100]].concat()), Ok(frames), "{name}");
        // A page less is a shorter recording.
        if pages.len() > 3 {
            let shorter = outcome(pages[..pages.len() - 1].concat()).unwrap();
            assert!(shorter < frames, "{name}: {shorter}");
        }
    }
}

#[test]
fn chained_recordings_are_handed_on_with_the_ranges_of_equal_formats() {
    let (mono, stereo, vorbis) = (fixture("voice.opus"), fixture("music.opus"), fixture("vorbis.ogg"));
    let ranges = |files: &[&Vec<u8>]| {
        let chain: Vec<u8> =
            files.iter().enumerate().flat_map(|(index, file)| with_serial(file, index as u32 + 1)).collect();
        let expected = if files.len() > 1 { Err("needs_other_decoder") } else { outcome(files[0]) };
        assert_eq!(outcome(&chain), expected);
        let Structure::Ogg(links) = layout(Cursor::new(chain)).unwrap().structure else { panic!("no Ogg") };
        links.parts.into_iter().map(|range| (range.start as usize, range.end as usize)).collect::<Vec<_>>()
    };
    let (m, s, v) = (mono.len(), stereo.len(), vorbis.len());
    assert_eq!(ranges(&[&mono]), [(0, m)]);
    assert_eq!(ranges(&[&mono, &mono, &mono]), [(0, 3 * m)]);
    assert_eq!(ranges(&[&mono, &stereo]), [(0, m), (m, m + s)]);
    assert_eq!(ranges(&[&stereo, &mono, &mono]), [(0, s), (s, s + 2 * m)]);
    assert_eq!(ranges(&[&vorbis, &mono, &vorbis]), [(0, v), (v, v + m), (v + m, v + m + v)]);
}

#[test]
fn chain_of_too_many_formats_is_rejected() {
    let (mono, stereo) = (fixture("voice.opus"), fixture("music.opus"));
    let links = (0..70_u32).map(|index| with_serial(if index % 2 == 0 { &mono } else { &stereo }, index));
    let chain: Vec<u8> = links.flatten().collect();
    assert_eq!(layout(Cursor::new(chain)).unwrap_err().code(), "needs_other_decoder");
}

#[test]
fn stream_of_another_codec_is_handed_on() {
    assert_eq!(outcome(case("ogg-speex.spx")), Err("needs_other_decoder"));
    let mut pages = pages(&fixture("voice.opus"));
    let at = pages[0].windows(8).position(|window| window == b"OpusHead").unwrap();
    pages[0][at..at + 8].copy_from_slice(b"CELT    ");
    seal(&mut pages[0]);
    assert_eq!(outcome(pages.concat()), Err("needs_other_decoder"));
}

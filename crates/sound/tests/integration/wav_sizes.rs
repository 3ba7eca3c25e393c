//! WAV files whose headers state wrong sizes. ffmpeg and Chromium read what is there.

use crate::signals::{Samples, outcome, wav};

const FRAMES: u64 = 8_000;

fn recording() -> Vec<u8> {
    wav(8_000, 1, &Samples::I16(&[1000; FRAMES as usize]))
}

/// A chunk without a pad byte.
fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&id[..], &(content.len() as u32).to_le_bytes(), content].concat()
}

/// Inserts bytes before the samples' chunk.
fn with_chunks(bytes: &[u8]) -> Vec<u8> {
    let mut file = recording();
    file.splice(36..36, bytes.iter().copied());
    file
}

#[test]
fn wrong_length_of_samples_reads_to_the_end_of_the_file() {
    let with_length = |length: u32| {
        let mut file = recording();
        file[40..44].copy_from_slice(&length.to_le_bytes());
        outcome(file)
    };
    for length in [0, 16_002, 16_010, 16_044, 24_000, 2_000_000_000, 0x7fff_0000, 0x7fff_ffff, u32::MAX - 1, u32::MAX] {
        assert_eq!(with_length(length), Ok(FRAMES), "{length}");
    }
    assert_eq!(with_length(8_000), Ok(FRAMES / 2), "other content follows");
}

#[test]
fn wrong_length_of_the_file_is_ignored() {
    for length in [0, 1, 36, 16_000, 16_028, u32::MAX] {
        let mut file = recording();
        file[4..8].copy_from_slice(&length.to_le_bytes());
        assert_eq!(outcome(file), Ok(FRAMES), "{length}");
    }
}

#[test]
fn file_cut_within_its_samples_is_read_to_its_end() {
    for (end, frames) in [(44 + 16_000 - 1, 7_999), (44 + 8_000, 4_000), (46, 1)] {
        assert_eq!(outcome(&recording()[..end]), Ok(frames), "{end}");
    }
}

#[test]
fn chunks_before_the_samples_are_skipped_padded_or_not() {
    let odd_text = chunk(b"LIST", &[&b"INFO"[..], &chunk(b"ICMT", b"odd")].concat());
    let even_list_with_odd_text = chunk(b"LIST", &[&b"INFO"[..], &chunk(b"ICMT", b"odd"), b"\0"].concat());
    for (name, bytes) in [
        ("odd and padded", [&odd_text[..], b"\0"].concat()),
        ("odd", odd_text.clone()),
        ("odd text in an even list", even_list_with_odd_text),
        ("two odd ones", [odd_text.clone(), chunk(b"id3 ", b"ID3")].concat()),
        ("fact of odd length", chunk(b"fact", &[0; 5])),
        ("zeroes", chunk(b"JUNK", &[0; 4096])),
        ("unknown", chunk(b"abcd", &[1, 2, 3, 4])),
    ] {
        assert_eq!(outcome(with_chunks(&bytes)), Ok(FRAMES), "{name}");
    }
}

#[test]
fn chunks_behind_the_samples_are_ignored() {
    let list = chunk(b"LIST", &[&b"INFO"[..], &chunk(b"ICMT", b"text")].concat());
    assert_eq!(outcome([recording(), list.clone()].concat()), Ok(FRAMES));
    // An odd number of bytes, without a pad byte.
    let mut file = wav(8_000, 1, &Samples::I16(&[1000; 100]));
    file.pop();
    file[40..44].copy_from_slice(&199_u32.to_le_bytes());
    assert_eq!(outcome([file, list].concat()), Ok(99));
}

#[test]
fn rf64_is_read_like_a_wav() {
    for (magic, long_length, frames) in [
        (b"RF64", 16_000_u64, FRAMES),
        (b"BW64", 16_000, FRAMES),
        (b"RF64", 8_000, FRAMES / 2),
        (b"RF64", 0, FRAMES),
        (b"RF64", u64::MAX, FRAMES),
    ] {
        let sizes = [16_064_u64, long_length, 8_000].map(u64::to_le_bytes).concat();
        let mut file = recording();
        file[40..44].copy_from_slice(&[0xff; 4]);
        file.splice(12..12, chunk(b"ds64", &[sizes, vec![0; 4]].concat()));
        file[..8].copy_from_slice(&[&magic[..], &[0xff; 4]].concat());
        assert_eq!(outcome(file), Ok(frames), "{long_length}");
    }
}

//! Recordings as phones make them.

use std::fs;

use stack::paths;

/// The files derived from a recording: the waveform as JSON and binary, an M4A and an Opus rendition.
pub const DERIVED_FILES: usize = 4;

/// The recording location in [`tagged_recording`], as phones write it (ISO 6709).
pub const LOCATION: &str = "+37.5665+126.9780/";
/// The title in [`tagged_recording`].
pub const TITLE: &str = "비밀 이야기";

/// A file of `crates/sound/tests/fixtures`.
pub fn recording(name: &str) -> Vec<u8> {
    fs::read(paths::root().join("crates/sound/tests/fixtures").join(name)).expect("recording")
}

/// A file of `crates/sound/tests/cases`.
pub fn case(name: &str) -> Vec<u8> {
    fs::read(paths::root().join("crates/sound/tests/cases").join(name)).expect("recording")
}

/// An M4A (AAC-LC, mono, two seconds, index at the end) with [`LOCATION`] and [`TITLE`] in the atoms that phones use.
pub fn tagged_recording() -> Vec<u8> {
    let mut file = recording("aac-index-last.m4a");
    let text = |kind: [u8; 4], text: &str| {
        let mut content = u16::try_from(text.len()).expect("short text").to_be_bytes().to_vec();
        // The language "und", packed.
        content.extend([0x55, 0xc4]);
        content.extend(text.as_bytes());
        atom(kind, &content)
    };
    let tags = [text(*b"\xa9xyz", LOCATION), text(*b"\xa9nam", TITLE)].concat();
    // The index is the last box: a longer index moves no other box.
    let start = file.windows(4).rposition(|window| window == b"moov").expect("index") - 4;
    file.extend(atom(*b"udta", &tags));
    let length = u32::try_from(file.len() - start).expect("small file");
    file[start..start + 4].copy_from_slice(&length.to_be_bytes());
    file
}

fn atom(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + content.len()).expect("small atom");
    [&length.to_be_bytes(), &kind[..], content].concat()
}

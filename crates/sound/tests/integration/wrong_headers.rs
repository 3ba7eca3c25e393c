//! Headers that contradict the content of the file.

use crate::signals::{Samples, analysed, fixture, flac_bomb, wav};

fn position(file: &[u8], mark: &[u8]) -> usize {
    file.windows(mark.len()).position(|window| window == mark).unwrap()
}

#[test]
fn wrong_duration_in_mp4_is_ignored() {
    for duration in [1_u32, 44_100, u32::MAX - 1] {
        let mut file = fixture("aac-index-last.m4a");
        for (mark, offset) in [(b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)] {
            let at = position(&file, mark) + offset;
            file[at..at + 4].copy_from_slice(&duration.to_be_bytes());
        }
        assert_eq!(analysed(file).unwrap().frames, 88_200, "{duration}");
    }
}

#[test]
fn edits_other_than_encoder_delay_are_ignored() {
    let actual = analysed(fixture("aac.m4a")).unwrap().frames;
    let edited = |length: u32, start: u32| {
        let mut file = fixture("aac.m4a");
        let at = position(&file, b"elst") + 12;
        file[at..at + 4].copy_from_slice(&length.to_be_bytes());
        file[at + 4..at + 8].copy_from_slice(&start.to_be_bytes());
        analysed(file).unwrap().frames
    };
    assert_eq!(actual, 4 * 48_000);
    // The encoder's delay and padding remain: 1024 frames at the start, up to 1024 at the end.
    assert!((actual..actual + 2048).contains(&edited(100, 1024)), "ends after 0.1 s");
    assert!((actual..actual + 2049).contains(&edited(4000, 90_000)), "starts after 2 s");
    assert!((actual..actual + 2048).contains(&edited(u32::MAX, 1024)), "never ends");
    assert!((actual..actual + 2049).contains(&edited(4000, u32::MAX)), "starts with a pause");
}

#[test]
fn wrong_number_of_frames_in_mp3_is_ignored() {
    let actual = analysed(fixture("stereo.mp3")).unwrap().frames;
    assert_eq!(actual, 3 * 44_100);
    for frames in [1_u32, 10, 100_000] {
        let mut file = fixture("stereo.mp3");
        let at = position(&file, b"Info") + 8;
        file[at..at + 4].copy_from_slice(&frames.to_be_bytes());
        let found = analysed(file).unwrap().frames;
        assert!((actual..actual + 2304).contains(&found), "{frames}: {found}");
    }
}

#[test]
fn too_small_number_of_samples_in_flac_is_ignored() {
    for declared in [0, 1, 48_000, 2 * 65_535] {
        assert_eq!(analysed(flac_bomb(2, 1, declared)).unwrap().frames, 2 * 65_535, "{declared}");
    }
    // A larger number is indistinguishable from a truncated file.
    assert_eq!(analysed(flac_bomb(2, 1, 1 << 35)).unwrap_err().code(), "truncated");
}

#[test]
fn wrong_length_in_wav_is_handled_by_kind() {
    let with_length = |length: u32| {
        let mut file = wav(8_000, 1, &Samples::I16(&[1000; 8_000]));
        file[40..44].copy_from_slice(&length.to_le_bytes());
        if length == u32::MAX {
            file[4..8].copy_from_slice(&[0xff; 4]);
        }
        analysed(file).map(|analysis| analysis.frames).map_err(|error| error.code())
    };
    assert_eq!(with_length(u32::MAX), Ok(8_000), "written to a pipe");
    assert_eq!(with_length(0), Err("needs_other_decoder"), "interrupted writer");
    assert_eq!(with_length(0x7fff_ffff), Err("needs_other_decoder"), "another placeholder");
    assert_eq!(with_length(16_002), Err("truncated"));
    assert_eq!(with_length(8_000), Ok(4_000), "other content follows");
}

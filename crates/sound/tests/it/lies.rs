//! Headers that say something else than what is there.

use crate::synth::{Samples, analysed, fixture, flac_bomb, wav};

fn position(file: &[u8], mark: &[u8]) -> usize {
    file.windows(mark.len()).position(|window| window == mark).unwrap()
}

#[test]
fn duration_in_an_mp4_is_not_believed() {
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
fn edits_that_are_no_encoders_are_ignored() {
    let truth = analysed(fixture("aac.m4a")).unwrap().frames;
    let edited = |length: u32, start: u32| {
        let mut file = fixture("aac.m4a");
        let at = position(&file, b"elst") + 12;
        file[at..at + 4].copy_from_slice(&length.to_be_bytes());
        file[at + 4..at + 8].copy_from_slice(&start.to_be_bytes());
        analysed(file).unwrap().frames
    };
    assert_eq!(truth, 4 * 48_000);
    // Both cases keep what an encoder may have added: 1024 frames in front, up to 1024 behind.
    assert!((truth..truth + 2048).contains(&edited(100, 1024)), "ends after 0.1 s");
    assert!((truth..truth + 2049).contains(&edited(4000, 90_000)), "begins after 2 s");
    assert!((truth..truth + 2048).contains(&edited(u32::MAX, 1024)), "never ends");
    assert!((truth..truth + 2049).contains(&edited(4000, u32::MAX)), "begins with a pause");
}

#[test]
fn number_of_frames_in_an_mp3_is_not_believed() {
    let truth = analysed(fixture("stereo.mp3")).unwrap().frames;
    assert_eq!(truth, 3 * 44_100);
    for frames in [1_u32, 10, 100_000] {
        let mut file = fixture("stereo.mp3");
        let at = position(&file, b"Info") + 8;
        file[at..at + 4].copy_from_slice(&frames.to_be_bytes());
        let found = analysed(file).unwrap().frames;
        assert!((truth..truth + 2304).contains(&found), "{frames}: {found}");
    }
}

#[test]
fn number_of_samples_in_a_flac_is_not_believed() {
    for claimed in [0, 1, 48_000, 2 * 65_535] {
        assert_eq!(analysed(flac_bomb(2, 1, claimed)).unwrap().frames, 2 * 65_535, "{claimed}");
    }
    // More cannot be told from a file that was cut off.
    assert_eq!(analysed(flac_bomb(2, 1, 1 << 35)).unwrap_err().code(), "truncated");
}

#[test]
fn length_of_a_wav() {
    let with_length = |length: u32| {
        let mut file = wav(8_000, 1, &Samples::I16(&[1000; 8_000]));
        file[40..44].copy_from_slice(&length.to_le_bytes());
        if length == u32::MAX {
            file[4..8].copy_from_slice(&[0xff; 4]);
        }
        analysed(file).map(|analysis| analysis.frames).map_err(|error| error.code())
    };
    assert_eq!(with_length(u32::MAX), Ok(8_000), "written to a pipe");
    assert_eq!(with_length(0), Err("needs_other_decoder"), "its writer died");
    assert_eq!(with_length(0x7fff_ffff), Err("needs_other_decoder"), "another mark for unknown");
    assert_eq!(with_length(16_002), Err("truncated"));
    assert_eq!(with_length(8_000), Ok(4_000), "something else follows");
}

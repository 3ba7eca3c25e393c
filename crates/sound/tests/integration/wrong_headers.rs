//! Headers that contradict the content of the file.

use crate::signals::{analysed, fixture, flac_bomb};

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

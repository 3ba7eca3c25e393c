//! Truncated files. A file with an index is rejected. A stream of frames has none, and the length in a WAV is often
//! wrong, so the rest of them is a valid recording.

use crate::signals::{Samples, fixture, outcome, wav};

#[test]
fn truncated_mp4_is_rejected() {
    for name in ["aac.m4a", "aac-index-last.m4a", "video.mp4"] {
        let file = fixture(name);
        for end in (12..file.len() - 1).step_by(file.len() / 23) {
            assert_eq!(outcome(&file[..end]), Err("truncated"), "{name} cut at {end} of {}", file.len());
        }
    }
}

#[test]
fn wav_truncated_before_its_samples_is_rejected() {
    let file = wav(8_000, 2, &Samples::I16(&[1000; 8_000]));
    for end in 12..44 {
        assert_eq!(outcome(&file[..end]), Err("truncated"), "cut at {end}");
    }
}

#[test]
fn ogg_truncated_within_a_page_is_rejected() {
    for name in ["vorbis.ogg", "music.opus"] {
        let file = fixture(name);
        let whole = outcome(&file).unwrap();
        for end in (5..file.len()).step_by(file.len() / 23) {
            match outcome(&file[..end]) {
                Err(code) => assert_eq!(code, "truncated", "{name} cut at {end}"),
                Ok(frames) => assert!(frames < whole, "{name} cut at {end}, between two pages"),
            }
        }
    }
}

#[test]
fn truncated_flac_is_rejected() {
    let file = fixture("voice.flac");
    for end in (5..file.len()).step_by(file.len() / 23) {
        assert_eq!(outcome(&file[..end]), Err("truncated"), "cut at {end} of {}", file.len());
    }
}

#[test]
fn truncated_stream_of_frames_is_analysed() {
    for name in ["stereo.mp3", "voice.mp3", "aac.aac"] {
        let file = fixture(name);
        let whole = outcome(&file).unwrap() as f64;
        let half = outcome(&file[..file.len() / 2]).unwrap() as f64;
        assert!((0.4..0.6).contains(&(half / whole)), "{name}: {half} of {whole}");
    }
}

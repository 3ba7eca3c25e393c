//! Files that end early. What has an index or a length is refused; a bare stream of frames has
//! neither, and what there is of it is the recording.

use crate::synth::{Samples, analysed, fixture, wav};

fn outcome(file: &[u8]) -> Result<u64, &'static str> {
    analysed(file).map(|analysis| analysis.frames).map_err(|error| error.code())
}

#[test]
fn an_mp4_is_whole_or_refused() {
    for name in ["aac.m4a", "aac-index-last.m4a", "video.mp4"] {
        let file = fixture(name);
        for end in (12..file.len() - 1).step_by(file.len() / 23) {
            assert_eq!(outcome(&file[..end]), Err("truncated"), "{name} cut at {end} of {}", file.len());
        }
    }
}

#[test]
fn a_wav_is_whole_or_refused() {
    let file = wav(8_000, 2, &Samples::I16(&[1000; 8_000]));
    for end in (12..file.len()).step_by(371) {
        assert_eq!(outcome(&file[..end]), Err("truncated"), "cut at {end}");
    }
}

#[test]
fn an_ogg_ends_with_a_page() {
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
fn a_flac_is_whole_or_refused() {
    let file = fixture("voice.flac");
    for end in (5..file.len()).step_by(file.len() / 23) {
        assert_eq!(outcome(&file[..end]), Err("truncated"), "cut at {end} of {}", file.len());
    }
}

#[test]
fn a_stream_of_frames_is_what_there_is() {
    for name in ["stereo.mp3", "voice.mp3", "aac.aac"] {
        let file = fixture(name);
        let whole = outcome(&file).unwrap() as f64;
        let half = outcome(&file[..file.len() / 2]).unwrap() as f64;
        assert!((0.4..0.6).contains(&(half / whole)), "{name}: {half} of {whole}");
    }
}

//! Recordings as phones and common programs write them: see `tests/cases/README.md`.

use crate::signals::{analysed, case, outcome};

#[test]
fn whole_recording_has_all_its_samples() {
    for (name, frames) in [
        ("m4a-trimmed-at-start.m4a", 2 * 44_100),
        ("m4a-trimmed-at-end.m4a", 2 * 44_100),
        ("m4a-empty-edit-then-priming.m4a", 3 * 44_100),
        ("m4a-itunsmpb.m4a", 3 * 44_100),
        ("opus-in-mp4.mp4", 3 * 48_000),
        ("fmp4-gaps-between-fragments.mp4", 142 * 1024),
        ("mp3-22050-lame.mp3", 3 * 22_050),
        ("mp3-joined-mid-frame.mp3", 112 * 1152),
        // Without an end-of-stream flag nothing tells the padding of the last packet.
        ("ogg-opus-without-eos.opus", 151 * 960 - 312),
        ("wav-data-44-too-long.wav", 8_000),
        ("wav-riff-8-too-short.wav", 8_000),
        ("meter-0.395s.wav", 6_320),
        ("rendition-true-peak-claps.wav", 24_255),
    ] {
        assert_eq!(outcome(case(name)), Ok(frames), "{name}");
    }
}

#[test]
fn recording_for_another_decoder_is_handed_on() {
    for name in [
        "flac-32-bit.flac",
        "m4a-sbr-announced-entry-44100.m4a",
        "mp3-stereo-then-mono.mp3",
        "mp4-hevc-x265.mp4",
        "mp4-unknown-track-first.mp4",
        "ogg-speex.spx",
        "webm-timestamps-jump-3s.webm",
    ] {
        assert_eq!(outcome(case(name)), Err("needs_other_decoder"), "{name}");
    }
}

#[test]
fn recording_shorter_than_a_gating_block_has_no_loudness() {
    let analysis = analysed(case("meter-0.395s.wav")).unwrap();
    assert_eq!(analysis.loudness, sound::Loudness::default());
}

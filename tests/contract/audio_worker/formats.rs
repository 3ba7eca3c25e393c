//! Recordings as phones and common programs write them. Item and renditions agree.

use domain::media::Sound;
use sound::Analysis;
use test_support::{
    recordings::{case, recording},
    wav::wav,
};

use super::{process, waveform};
use crate::media_environment::MediaEnvironment;

/// Checks that what the item says and what the renditions play is the same recording, at the promised level.
async fn check(media: &MediaEnvironment, name: &str, milliseconds: u64, sound: &Sound, renditions: &[Analysis]) {
    let duration = sound.duration_ms;
    assert!(duration.abs_diff(milliseconds) <= 1, "{name}: {duration} ms, not {milliseconds}");
    for rendition in renditions {
        let played = rendition.duration_seconds * 1000.0;
        assert!((played - duration.max(100) as f64).abs() < 5.0, "{name}: item {duration} ms, rendition {played} ms");
        let peak = rendition.true_peak_dbtp.unwrap_or(f64::NEG_INFINITY);
        assert!(peak <= -1.0, "{name}: {peak} dBTP");
        let target = if rendition.channels == 1 { -19.0 } else { -16.0 };
        if let (Some(lufs), false) = (rendition.loudness.integrated_lufs, sound.loudness.limited) {
            assert!((lufs - target).abs() < 1.0, "{name}: {lufs} LUFS, {:?}", sound.loudness);
        }
    }
    let json = waveform(media, sound).await;
    let number = |field: &str| json[field].as_f64().expect("number");
    let drawn = 1000.0 * number("length") * number("samples_per_pixel") / number("sample_rate");
    let point = 1000.0 * number("samples_per_pixel") / number("sample_rate");
    assert!((duration as f64 - 1.0..duration as f64 + point + 1.0).contains(&drawn), "{name}: {drawn} ms are drawn");
}

#[tokio::test]
async fn item_and_renditions_of_each_case_agree() {
    let media = MediaEnvironment::start("audio-cases").await;
    let mut worker = media.start_function("AudioWorker").await;
    for (name, codec, milliseconds) in [
        ("flac-32-bit.flac", "flac", 700),
        ("fmp4-gaps-between-fragments.mp4", "aac_lc", 3_029),
        ("m4a-empty-edit-then-priming.m4a", "aac_lc", 3_000),
        ("m4a-itunsmpb.m4a", "aac_lc", 3_000),
        ("m4a-sbr-announced-entry-44100.m4a", "aac_lc", 3_000),
        ("m4a-trimmed-at-end.m4a", "aac_lc", 2_000),
        ("m4a-trimmed-at-start.m4a", "aac_lc", 2_000),
        ("meter-0.395s.wav", "pcm", 395),
        ("mp3-22050-lame.mp3", "mp3", 3_000),
        ("mp3-joined-mid-frame.mp3", "mp3", 2_926),
        ("mp3-stereo-then-mono.mp3", "mp3", 5_069),
        ("mp4-hevc-x265.mp4", "aac_lc", 2_000),
        ("mp4-unknown-track-first.mp4", "aac_lc", 1_000),
        ("ogg-opus-without-eos.opus", "opus", 3_014),
        ("ogg-speex.spx", "speex", 10_720),
        ("opus-in-mp4.mp4", "opus", 3_000),
        ("rendition-true-peak-claps.wav", "pcm", 550),
        ("wav-data-44-too-long.wav", "pcm", 1_000),
        ("wav-riff-8-too-short.wav", "pcm", 1_000),
        ("webm-timestamps-jump-3s.webm", "opus", 3_000),
    ] {
        let (sound, renditions) = process(&media, &mut worker, case(name)).await;
        assert_eq!(sound.codec, codec, "{name}");
        check(&media, name, milliseconds, &sound, &renditions).await;
    }
}

#[tokio::test]
async fn all_recordings_of_a_chain_or_join_are_played() {
    let media = MediaEnvironment::start("audio-chains").await;
    let mut worker = media.start_function("AudioWorker").await;
    for (name, files, codec, milliseconds) in [
        // ffmpeg alone stops where the format changes.
        ("mono then stereo", ["voice.opus", "music.opus"], "opus", 7_000),
        ("stereo then six channels", ["music.opus", "surround.opus"], "opus", 4_000),
        ("Vorbis then Opus", ["vorbis.ogg", "voice.opus"], "vorbis", 7_000),
        ("one format", ["voice.opus", "voice.opus"], "opus", 8_000),
    ] {
        let chain = files.map(recording).concat();
        let (sound, renditions) = process(&media, &mut worker, chain).await;
        assert_eq!(sound.codec, codec, "{name}");
        check(&media, name, milliseconds, &sound, &renditions).await;
    }
    for (name, files, milliseconds) in [
        ("44.1 kHz stereo then 24 kHz mono", ["stereo.mp3", "voice.mp3"], 6_000..6_200),
        ("24 kHz mono then 44.1 kHz stereo", ["voice.mp3", "stereo.mp3"], 6_000..6_200),
        ("twice the same", ["stereo.mp3", "stereo.mp3"], 5_950..6_100),
    ] {
        let (sound, renditions) = process(&media, &mut worker, files.map(recording).concat()).await;
        assert!(milliseconds.contains(&sound.duration_ms), "{name}: {}", sound.duration_ms);
        check(&media, name, sound.duration_ms, &sound, &renditions).await;
    }
}

#[tokio::test]
async fn true_peak_is_kept_for_sounds_that_encoders_raise() {
    let media = MediaEnvironment::start("audio-peaks").await;
    let mut worker = media.start_function("AudioWorker").await;
    let noise = |t: f64| (t * 7_919.0).sin() * (t * t * 104_729.0).sin() * (t * 15_485.0).cos();
    let burst = move |t: f64| if t % 0.5 < 0.03 { 0.9 * noise(t) } else { 0.0 };
    for (name, content) in [
        ("bursts", wav(44_100, 1, 2.0, burst)),
        ("short bursts", wav(44_100, 2, 0.35, burst)),
        ("clicks", wav(48_000, 1, 3.0, |t| if t % 0.3 < 0.0004 { 0.99 } else { 0.0 })),
        ("square", wav(44_100, 2, 2.0, |t| if t * 441.0 % 1.0 < 0.5 { 0.9 } else { -0.9 })),
        ("noise", wav(48_000, 2, 4.0, |t| 0.5 * noise(t))),
    ] {
        let (sound, renditions) = process(&media, &mut worker, content).await;
        check(&media, name, sound.duration_ms, &sound, &renditions).await;
    }
}

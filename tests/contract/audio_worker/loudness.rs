//! Loudness normalisation.

use std::f64::consts::TAU;

use test_support::{
    recordings::recording,
    wav::{voice, wav},
};

use super::{lufs, process};
use crate::media_environment::MediaEnvironment;

#[tokio::test]
async fn renditions_have_target_loudness_for_any_original() {
    let media = MediaEnvironment::start("audio-loudness").await;
    let mut worker = media.start_function("AudioWorker").await;
    // Clicks in a quiet tone: gain alone would raise them far above full scale.
    let clicks = |t: f64| {
        let height = if t % 1.5 < 0.002 { 0.4 } else { 0.05 };
        height * (TAU * 440.0 * t).sin()
    };
    for (name, content, channels, limited) in [
        ("stereo", recording("stereo.mp3"), 2, None),
        ("too loud", recording("hot.mp3"), 1, Some(false)),
        ("quiet", voice(3.0), 1, Some(false)),
        ("clicks", wav(48_000, 2, 6.0, clicks), 2, Some(true)),
        ("opus", recording("voice.opus"), 1, None),
        ("six channels", recording("surround.opus"), 2, None),
        ("48 kHz from 192", wav(192_000, 2, 1.0, |t| 0.1 * (TAU * 997.0 * t).sin()), 2, Some(false)),
    ] {
        let (sound, analyses) = process(&media, &mut worker, content).await;
        if let Some(limited) = limited {
            assert_eq!(sound.loudness.limited, limited, "{name}: {:?}", sound.loudness);
        }
        let target = if channels == 1 { -19.0 } else { -16.0 };
        for analysis in &analyses {
            assert_eq!(analysis.channels, channels, "{name}");
            let lufs = lufs(analysis);
            assert!((lufs - target).abs() < 1.0, "{name}: {lufs} LUFS, {:?}", sound.loudness);
            let peak = analysis.measured.true_peak_dbtp.expect("peak");
            assert!(peak <= -1.0, "{name}: {peak} dBTP, {:?}", sound.loudness);
        }
    }
}

#[tokio::test]
async fn silence_is_ready_without_loudness_or_gain() {
    let media = MediaEnvironment::start("audio-silence").await;
    let mut worker = media.start_function("AudioWorker").await;
    let (sound, _) = process(&media, &mut worker, wav(44_100, 2, 2.0, |_| 0.0)).await;
    assert_eq!((sound.loudness.integrated_lufs, sound.loudness.true_peak_dbtp), (None, None));
    assert_eq!((sound.loudness.gain_db, sound.duration_ms), (0.0, 2_000));
    assert_eq!((sound.silence.leading_ms, sound.silence.pauses.len()), (2_000, 1));
    let (sound, _) = process(&media, &mut worker, wav(44_100, 1, 1.0 / 44_100.0, |_| 0.5)).await;
    assert_eq!(sound.duration_ms, 0, "one sample");
}

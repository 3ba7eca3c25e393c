//! Files that are not recordings, and unusual recordings.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use serde_json::Value;
use sound::{Analysis, Limits, SoundError, analyse};

use crate::signals::{Samples, analysed, fixture, flac_bomb, sine, wav};

fn code(bytes: &[u8]) -> &'static str {
    analysed(bytes).expect_err("an error").code()
}

/// serde_json would hide an infinite number as `null`.
fn assert_finite(analysis: &Analysis) {
    let loudness = analysis.measured.loudness;
    let optional = [
        loudness.integrated_lufs,
        loudness.range_lu,
        loudness.max_momentary_lufs,
        loudness.max_short_term_lufs,
        analysis.measured.true_peak_dbtp,
        analysis.measured.sample_peak_dbfs,
    ];
    assert!(optional.into_iter().flatten().all(f64::is_finite), "{analysis:?}");
    assert!(analysis.duration_seconds.is_finite());
}

#[test]
fn silence_has_no_loudness() {
    let analysis = analysed(wav(48_000, 2, &Samples::I16(&[0; 2 * 48_000 * 2]))).unwrap();
    assert_finite(&analysis);
    let json = serde_json::to_value(&analysis).unwrap();
    assert_eq!(json["loudness"]["integrated_lufs"], Value::Null);
    assert_eq!(json["true_peak_dbtp"], Value::Null);
    assert_eq!(analysis.measured.silences.leading_seconds, 2.0);
    assert_eq!(analysis.measured.silences.trailing_seconds, 2.0);
    assert_eq!(analysis.measured.silences.stretches.len(), 1);
    assert!(analysis.measured.waveform.preview().iter().all(|&point| point == 0));
}

#[test]
fn direct_current_is_silent_with_a_high_peak() {
    let analysis = analysed(wav(48_000, 1, &Samples::F32(&[0.5; 4 * 48_000]))).unwrap();
    assert_finite(&analysis);
    assert!((analysis.measured.sample_peak_dbfs.unwrap() + 6.02).abs() < 0.01);
    // Only the steps at both ends are audible.
    assert!(analysis.measured.silences.stretches.iter().any(|s| s.end_seconds - s.start_seconds > 3.0));
    assert!(analysis.measured.waveform.points().iter().all(|&point| point == [64, 64]));
}

#[test]
fn recording_of_one_sample_is_analysed() {
    let analysis = analysed(wav(44_100, 1, &Samples::I16(&[16_384]))).unwrap();
    assert_finite(&analysis);
    assert_eq!((analysis.measured.frames, analysis.measured.loudness.integrated_lufs), (1, None));
    assert_eq!(analysis.measured.waveform.points(), [[64, 64]]);
    assert_eq!(analysis.measured.waveform.preview(), [255]);
}

#[test]
fn file_without_audio_has_its_own_error() {
    assert_eq!(code(b""), "empty");
    assert_eq!(code("옛날 옛적에".as_bytes()), "not_audio");
    assert_eq!(code(b"<html><body>no</body></html>"), "not_audio");
    assert_eq!(code(&[0; 5000]), "not_audio");
    assert_eq!(code(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "not_audio");
    assert_eq!(code(&fixture("silent-video.mp4")), "no_audio_track");
    assert_eq!(code(&wav(44_100, 1, &Samples::I16(&[]))), "no_samples");
}

#[test]
fn other_format_needs_another_decoder() {
    for name in ["voice.amr", "voice.3gp", "webm.webm", "aac-24k.aac"] {
        assert_eq!(code(&fixture(name)), "needs_other_decoder", "{name}");
    }
    // Changes the AAC-LC configuration to HE-AAC: object type 5 in the first five bits.
    let mut file = fixture("aac.m4a");
    let at = file.windows(5).position(|window| window == [0x11, 0x90, 0x56, 0xe5, 0x00]).unwrap();
    file[at] = 5 << 3 | 1;
    assert_eq!(code(&file), "needs_other_decoder");
}

#[test]
fn eight_channels_at_192_khz_are_analysed_and_more_rejected() {
    let tone = sine(192_000, 997.0, -20.0, 0.0, 1.0);
    let samples: Vec<f32> = tone.iter().flat_map(|&sample| [sample; 8]).collect();
    let analysis = analysed(wav(192_000, 8, &Samples::F32(&samples))).unwrap();
    assert_finite(&analysis);
    assert_eq!((analysis.channels, analysis.rate_hz, analysis.measured.frames), (8, 192_000, 192_000));
    assert!((analysis.measured.true_peak_dbtp.unwrap() + 20.0).abs() < 0.05);
    assert_eq!(code(&wav(192_000, 9, &Samples::I16(&[0; 90]))), "too_many_channels");
    assert_eq!(code(&wav(384_000, 1, &Samples::I16(&[0; 90]))), "rate_out_of_range");
    assert_eq!(code(&wav(100, 1, &Samples::I16(&[0; 90]))), "rate_out_of_range");
}

#[test]
fn samples_that_are_not_finite_give_finite_results() {
    let mut samples = sine(48_000, 440.0, -6.0, 0.0, 1.0);
    for (index, value) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e-45].into_iter().enumerate() {
        samples[1000 + 5000 * index] = value;
    }
    let analysis = analysed(wav(48_000, 1, &Samples::F32(&samples))).unwrap();
    assert_finite(&analysis);
    assert!(analysis.measured.sample_peak_dbfs.unwrap() > 36.0, "infinite samples are clamped to +36 dB");
}

#[test]
fn decompression_bomb_is_rejected_at_the_limit() {
    let limits = Limits { max_seconds: 20, ..Default::default() };
    // 28 kB that decode to 23 minutes and declare one second.
    let bomb = flac_bomb(1000, 8, 48_000);
    assert_eq!(analyse(Cursor::new(&bomb), &limits), Err(SoundError::TooLong { max_seconds: 20 }));
    let limits = Limits { max_samples: 1_000_000, ..Default::default() };
    assert_eq!(analyse(Cursor::new(&bomb), &limits), Err(SoundError::TooManySamples { max_samples: 1_000_000 }));
    // A small one is a valid recording.
    let analysis = analysed(flac_bomb(3, 2, 3 * 65_535)).unwrap();
    assert_eq!((analysis.measured.frames, analysis.channels), (3 * 65_535, 2));
}

/// A source that fails after `budget` bytes.
struct FailingSource {
    file: Cursor<Vec<u8>>,
    budget: usize,
}

impl Read for FailingSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.budget = self.budget.checked_sub(count).ok_or(io::ErrorKind::ConnectionReset)?;
        Ok(count)
    }
}

impl Seek for FailingSource {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn failing_source_is_a_source_error() {
    for name in ["aac.m4a", "aac-index-last.m4a", "stereo.mp3", "vorbis.ogg", "music.opus", "voice.flac", "alaw.wav"] {
        let file = fixture(name);
        for budget in (0..file.len()).step_by(file.len() / 7) {
            let source = FailingSource { file: Cursor::new(file.clone()), budget };
            let error = analyse(source, &Limits::default()).expect_err(name);
            assert!(
                matches!(error, SoundError::Source { kind: io::ErrorKind::ConnectionReset, .. }),
                "{name}: {error:?}"
            );
        }
    }
}

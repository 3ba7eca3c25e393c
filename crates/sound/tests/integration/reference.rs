//! Compares the analysis of each fixture with the measurements of ffmpeg's `ebur128=peak=true`.
//! `tests/fixtures/make.sh` produces both. `cargo xtask bench sound` compares the two programs directly.

use sound::{Codec, Container};

use crate::signals::{analysed, fixture};

struct Expected {
    name: &'static str,
    format: (Container, Codec, u32, usize),
    /// Duration in seconds, loudness in LUFS, true peak in dBTP.
    measures: (f64, f64, f64),
}

const fn expected(name: &'static str, format: (Container, Codec, u32, usize), measures: (f64, f64, f64)) -> Expected {
    Expected { name, format, measures }
}

use Codec::{AacLc, Flac as FlacCodec, Mp3, Opus, Pcm, Vorbis};
use Container::{Adts, Flac, Mp4, Mpeg, Ogg, Wav};

const FILES: [Expected; 16] = [
    expected("aac.m4a", (Mp4, AacLc, 48_000, 2), (4.0, -13.732, -1.788)),
    expected("aac-index-last.m4a", (Mp4, AacLc, 44_100, 1), (2.0, -14.651, -2.805)),
    expected("aac-low.m4a", (Mp4, AacLc, 22_050, 1), (2.0, -14.403, -1.820)),
    expected("aac.aac", (Adts, AacLc, 44_100, 1), (2.043, -14.647, -2.805)),
    expected("fragmented.m4a", (Mp4, AacLc, 48_000, 2), (4.032, -13.725, -1.788)),
    expected("video.mp4", (Mp4, AacLc, 44_100, 1), (2.0, -13.885, -1.525)),
    expected("stereo.mp3", (Mpeg, Mp3, 44_100, 2), (3.0, -13.824, -3.375)),
    expected("voice.mp3", (Mpeg, Mp3, 24_000, 1), (3.0, -14.662, -4.279)),
    expected("hot.mp3", (Mpeg, Mp3, 48_000, 1), (2.0, -5.616, 7.637)),
    expected("vorbis.ogg", (Ogg, Vorbis, 44_100, 2), (3.0, -13.347, -2.793)),
    expected("music.opus", (Ogg, Opus, 48_000, 2), (3.0, -13.926, -3.324)),
    expected("voice.opus", (Ogg, Opus, 48_000, 1), (4.0, -14.950, -2.710)),
    expected("surround.opus", (Ogg, Opus, 48_000, 6), (1.0, -8.798, -3.479)),
    expected("voice.flac", (Flac, FlacCodec, 16_000, 1), (1.0, -14.728, -4.394)),
    expected("surround.flac", (Flac, FlacCodec, 8_000, 6), (0.5, -7.564, -3.649)),
    expected("alaw.wav", (Wav, Pcm, 8_000, 1), (1.0, -14.608, -4.279)),
];

#[test]
fn fixture_measurements_equal_those_of_ffmpeg() {
    for Expected { name, format, measures: (seconds, lufs, dbtp) } in FILES {
        let found = analysed(fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((found.container, found.codec, found.rate_hz, found.channels), format, "{name}");
        assert!((found.duration_seconds - seconds).abs() < 0.001, "{name}: {} s", found.duration_seconds);
        let integrated = found.loudness.integrated_lufs.unwrap();
        assert!((integrated - lufs).abs() < 0.03, "{name}: {integrated} LUFS");
        let true_peak = found.true_peak_dbtp.unwrap();
        assert!((true_peak - dbtp).abs() < 0.1, "{name}: {true_peak} dBTP");
    }
}

#[test]
fn clipping_is_counted_in_clipped_recording_only() {
    let clipping = |name| analysed(fixture(name)).unwrap().clipping;
    assert_eq!(clipping("stereo.mp3").runs, 0);
    assert!(clipping("hot.mp3").runs > 100);
}

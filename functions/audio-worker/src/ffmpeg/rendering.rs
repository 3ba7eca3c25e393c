//! The renditions and ffmpeg's arguments for them.

use std::{ffi::OsString, path::PathBuf};

use sound::Level;

/// A format in which each recording is rendered.
#[derive(Debug)]
pub struct Rendition {
    pub file_name: &'static str,
    pub extension: &'static str,
    /// With the codec as in RFC 6381, so that clients can choose.
    pub content_type: &'static str,
    muxer: &'static str,
    encoder: &'static str,
    /// Options of the encoder.
    options: &'static [&'static str],
    /// Bits per second for mono and stereo.
    bit_rates: [&'static str; 2],
}

/// AAC-LC in M4A is first, because all phones and browsers play it. Opus has a third of the size. Its container is Ogg,
/// which Android and all browsers play (Safari since 18.4), needs no index for seeking, and has exact start and end.
pub static RENDITIONS: [Rendition; 2] = [
    Rendition {
        file_name: "story.m4a",
        extension: "m4a",
        content_type: "audio/mp4; codecs=\"mp4a.40.2\"",
        // MP4 with the brand `M4A`.
        muxer: "ipod",
        encoder: "aac",
        // The default search leaves 1 to 4 dB more noise at these bit rates and takes twice the time
        // (docs/benchmarks/sound.md).
        options: &["-aac_coder", "fast"],
        bit_rates: ["80k", "128k"],
    },
    Rendition {
        file_name: "story.opus",
        extension: "opus",
        content_type: "audio/ogg; codecs=opus",
        muxer: "ogg",
        encoder: "libopus",
        options: &[],
        bit_rates: ["32k", "48k"],
    },
];

/// The sampling rate of all Opus streams, in Hz.
const OPUS_HZ: u32 = 48_000;
/// The sampling rate of the limiter, in Hz: four times the highest rate of a rendition, for peaks between samples.
const LIMITER_HZ: u32 = 192_000;

/// The settings for one recording.
#[derive(Debug, Clone, Copy)]
pub struct RenderSettings {
    pub level: Level,
    /// The sampling rate of the original.
    pub rate_hz: u32,
    /// The channels of the original.
    pub channels: usize,
}

impl RenderSettings {
    /// Shorter recordings are filled up with silence, in seconds. Resampling a few samples may leave none, and encoders
    /// would fail.
    pub const MIN_SECONDS: f64 = 0.1;

    /// Mono stays mono. Everything else becomes stereo.
    pub fn output_channels(&self) -> u32 {
        if self.channels == 1 { 1 } else { 2 }
    }

    /// The sampling rate of a rendition, in Hz.
    pub fn output_rate_hz(&self, rendition: &Rendition) -> u32 {
        if rendition.encoder == "libopus" { OPUS_HZ } else { aac_rate(self.rate_hz) }
    }

    /// The arguments that encode a WAV from the standard input. `files` has a file for each of `renditions`.
    pub fn arguments(&self, renditions: &[&Rendition], files: &[PathBuf]) -> Vec<OsString> {
        let channels = self.output_channels().to_string();
        let mut arguments: Vec<OsString> = Vec::new();
        arguments.extend(["-nostdin", "-hide_banner", "-nostats", "-y", "-v", "error"].map(Into::into));
        arguments.extend(["-protocol_whitelist", "pipe", "-codec_whitelist", "pcm_f32le"].map(Into::into));
        arguments.extend(["-threads", "1", "-f", "wav", "-i", "pipe:0"].map(Into::into));
        arguments.extend(["-filter_complex".into(), self.filters(renditions).into()]);
        for (index, (rendition, file)) in renditions.iter().zip(files).enumerate() {
            let (rate, label) = (self.output_rate_hz(rendition).to_string(), format!("[r{index}]"));
            let bit_rate = rendition.bit_rates[usize::from(self.channels != 1)];
            arguments.extend(["-map", &label, "-c:a", rendition.encoder, "-b:a", bit_rate].map(Into::into));
            arguments.extend(rendition.options.iter().map(Into::into));
            arguments.extend(["-ar", &rate, "-ac", &channels].map(Into::into));
            // Removes tags, chapters and covers, which may contain place and author. Bitexact output makes the same
            // recording always have the same bytes and keys.
            arguments.extend(["-map_metadata", "-1", "-map_chapters", "-1"].map(Into::into));
            arguments.extend(["-fflags", "+bitexact", "-flags:a", "+bitexact"].map(Into::into));
            if rendition.muxer == "ipod" {
                // With the index first, playback starts after the first bytes.
                arguments.extend(["-movflags", "+faststart"].map(Into::into));
            }
            arguments.extend(["-f", rendition.muxer].map(Into::into));
            arguments.push(file.into());
        }
        arguments
    }

    fn filters(&self, renditions: &[&Rendition]) -> String {
        let Level { gain_db, limit_dbtp } = self.level;
        let mut filters = format!("[0:a:0]volume=volume={gain_db:.4}dB:precision=float");
        if let Some(limit) = limit_dbtp {
            let limit = 10_f64.powf(limit / 20.0);
            // 5 ms look-ahead avoids clicks. 100 ms release is shorter than a syllable.
            filters +=
                &format!(",aresample={LIMITER_HZ},alimiter=limit={limit:.6}:level=0:attack=5:release=100:latency=1");
            // Once for all renditions, if they have the same rate.
            let mut rates = renditions.iter().map(|rendition| self.output_rate_hz(rendition));
            if let Some(rate) = rates.next()
                && rates.all(|other| other == rate)
            {
                filters += &format!(",aresample={rate}");
            }
        }
        filters += &format!(",apad=whole_dur={}", Self::MIN_SECONDS);
        let count = renditions.len();
        let labels: String = (0..count).map(|index| format!("[r{index}]")).collect();
        format!("{filters},asplit={count}{labels}")
    }
}

/// The next higher rate that AAC and all players support. Multiples of 44.1 kHz become 44.1 kHz.
fn aac_rate(rate_hz: u32) -> u32 {
    const RATES: [u32; 9] = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
    match rate_hz {
        88_200 | 176_400 => 44_100,
        _ => RATES.into_iter().find(|known| *known >= rate_hz).unwrap_or(48_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(channels: usize, limit_dbtp: Option<f64>) -> RenderSettings {
        RenderSettings { level: Level { gain_db: 7.25, limit_dbtp }, rate_hz: 44_100, channels }
    }

    #[test]
    fn aac_rate_is_the_next_supported_one() {
        let rates = [4_000, 8_000, 11_025, 37_800, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
        let expected = [8_000, 8_000, 11_025, 44_100, 44_100, 48_000, 44_100, 48_000, 44_100, 48_000];
        assert_eq!(rates.map(aac_rate), expected);
    }

    #[test]
    fn filters_contain_limiter_only_if_needed() {
        let expected = "[0:a:0]volume=volume=7.2500dB:precision=float,apad=whole_dur=0.1,asplit=2[r0][r1]";
        assert_eq!(settings(2, None).filters(&RENDITIONS.each_ref()), expected);
        let limited = settings(2, Some(-2.0)).filters(&[&RENDITIONS[0]]);
        assert!(limited.contains("dB:precision=float,aresample=192000,alimiter=limit=0.794328:"), "{limited}");
        assert!(limited.ends_with(",aresample=44100,apad=whole_dur=0.1,asplit=1[r0]"), "{limited}");
    }

    #[test]
    fn limited_sound_is_resampled_once_for_renditions_of_one_rate() {
        let limited = |rate_hz| RenderSettings { rate_hz, ..settings(2, Some(-2.0)) }.filters(&RENDITIONS.each_ref());
        assert_eq!(limited(48_000).matches("aresample").count(), 2, "{}", limited(48_000));
        assert_eq!(limited(44_100).matches("aresample").count(), 1, "{}", limited(44_100));
    }

    #[test]
    fn mono_recording_is_rendered_in_mono() {
        assert_eq!([1, 2, 6].map(|channels| settings(channels, None).output_channels()), [1, 2, 2]);
        let arguments = settings(1, None).arguments(&RENDITIONS.each_ref(), &["a.m4a".into(), "b.opus".into()]);
        assert_eq!(arguments.iter().filter(|argument| *argument == "80k" || *argument == "32k").count(), 2);
        assert!(arguments.iter().all(|argument| argument != "2" && argument != "128k"));
    }
}

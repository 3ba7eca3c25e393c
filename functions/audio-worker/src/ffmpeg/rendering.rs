use std::{ffi::OsString, path::PathBuf};

use sound::Level;

/// A rendition of each recording.
#[derive(Debug)]
pub struct Rendition {
    pub file_name: &'static str,
    pub extension: &'static str,
    /// With the codec as in RFC 6381, by which clients choose.
    pub content_type: &'static str,
    muxer: &'static str,
    encoder: &'static str,
    /// In bits per second: mono, stereo.
    bit_rates: [&'static str; 2],
}

/// AAC-LC in M4A plays on every phone and in every browser, and comes first. Opus is a third as large;
/// it comes in Ogg, which Android and all browsers play (Safari from 18.4), which needs no index to
/// seek in, and which says exactly where the sound begins and ends.
pub const RENDITIONS: [Rendition; 2] = [
    Rendition {
        file_name: "story.m4a",
        extension: "m4a",
        content_type: "audio/mp4; codecs=\"mp4a.40.2\"",
        // MP4 with the brand that players expect of sound.
        muxer: "ipod",
        encoder: "aac",
        bit_rates: ["80k", "128k"],
    },
    Rendition {
        file_name: "story.opus",
        extension: "opus",
        content_type: "audio/ogg; codecs=opus",
        muxer: "ogg",
        encoder: "libopus",
        bit_rates: ["32k", "48k"],
    },
];

/// What Opus is always coded at, in Hz.
const OPUS_HZ: u32 = 48_000;
/// Where peaks between samples are sought: four times the highest rate of a rendition.
const LIMITER_HZ: u32 = 192_000;

/// How a recording is to be rendered.
#[derive(Debug, Clone, Copy)]
pub struct Rendering {
    pub level: Level,
    /// Of the original.
    pub rate_hz: u32,
    /// Of the original.
    pub channels: usize,
}

impl Rendering {
    /// Mono stays mono; what has more than two channels becomes stereo.
    pub fn channels(&self) -> u32 {
        if self.channels == 1 { 1 } else { 2 }
    }

    /// The rate of a rendition, in Hz.
    pub fn rate_hz(&self, rendition: &Rendition) -> u32 {
        if rendition.encoder == "libopus" { OPUS_HZ } else { aac_rate(self.rate_hz) }
    }

    /// What stands behind the input; one file for each of [`RENDITIONS`].
    pub fn arguments(&self, files: &[PathBuf]) -> Vec<OsString> {
        let channels = self.channels().to_string();
        let mut arguments: Vec<OsString> = vec!["-filter_complex".into(), self.filters().into()];
        for (index, (rendition, file)) in RENDITIONS.iter().zip(files).enumerate() {
            let (rate, label) = (self.rate_hz(rendition).to_string(), format!("[r{index}]"));
            let bit_rate = rendition.bit_rates[usize::from(self.channels != 1)];
            arguments.extend(["-map", &label, "-c:a", rendition.encoder, "-b:a", bit_rate].map(Into::into));
            arguments.extend(["-ar", &rate, "-ac", &channels].map(Into::into));
            // No tags, chapters or covers: some say where and by whom it was recorded. And nothing that
            // differs from run to run: the same sound has the same bytes, and so the same keys.
            arguments.extend(["-map_metadata", "-1", "-map_chapters", "-1"].map(Into::into));
            arguments.extend(["-fflags", "+bitexact", "-flags:a", "+bitexact"].map(Into::into));
            if rendition.muxer == "ipod" {
                // The index in front: playing starts with the first bytes.
                arguments.extend(["-movflags", "+faststart"].map(Into::into));
            }
            arguments.extend(["-f", rendition.muxer].map(Into::into));
            arguments.push(file.into());
        }
        arguments
    }

    fn filters(&self) -> String {
        let Level { gain_db, limit_dbtp } = self.level;
        // Mixed down before it is made louder, by the gain that was found for the mixture.
        let mut filters = match self.channels {
            0..=2 => "[0:a:0]".to_owned(),
            _ => "[0:a:0]aformat=channel_layouts=stereo,".to_owned(),
        };
        filters += &format!("volume=volume={gain_db:.4}dB:precision=float");
        if let Some(limit) = limit_dbtp {
            let limit = 10_f64.powf(limit / 20.0);
            // Looks 5 ms ahead, so that nothing jumps, and lets go within 100: shorter than a syllable.
            filters +=
                &format!(",aresample={LIMITER_HZ},alimiter=limit={limit:.6}:level=0:attack=5:release=100:latency=1");
        }
        // Of a few samples, resampling leaves none, and encoders fail: a tenth of a second is the least.
        filters += ",apad=whole_dur=0.1";
        let labels: String = (0..RENDITIONS.len()).map(|index| format!("[r{index}]")).collect();
        format!("{filters},asplit={}{labels}", RENDITIONS.len())
    }
}

/// The next rate that AAC has and every player takes: multiples come down by whole numbers.
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

    fn rendering(channels: usize, limit_dbtp: Option<f64>) -> Rendering {
        Rendering { level: Level { gain_db: 7.25, limit_dbtp }, rate_hz: 44_100, channels }
    }

    #[test]
    fn rates_are_those_that_players_take() {
        let rates = [4_000, 8_000, 11_025, 37_800, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
        let wanted = [8_000, 8_000, 11_025, 44_100, 44_100, 48_000, 44_100, 48_000, 44_100, 48_000];
        assert_eq!(rates.map(aac_rate), wanted);
    }

    #[test]
    fn the_gain_is_linear_and_limits_only_where_it_must() {
        let wanted = "[0:a:0]volume=volume=7.2500dB:precision=float,apad=whole_dur=0.1,asplit=2[r0][r1]";
        assert_eq!(rendering(2, None).filters(), wanted);
        let limited = rendering(2, Some(-2.0)).filters();
        assert!(limited.contains("dB:precision=float,aresample=192000,alimiter=limit=0.794328:"), "{limited}");
        assert!(rendering(6, None).filters().starts_with("[0:a:0]aformat=channel_layouts=stereo,volume="));
    }

    #[test]
    fn mono_stays_mono() {
        assert_eq!([1, 2, 6].map(|channels| rendering(channels, None).channels()), [1, 2, 2]);
        let arguments = rendering(1, None).arguments(&["a.m4a".into(), "b.opus".into()]);
        assert_eq!(arguments.iter().filter(|argument| *argument == "80k" || *argument == "32k").count(), 2);
        assert!(arguments.iter().all(|argument| argument != "2" && argument != "128k"));
    }
}

use domain::media::{self, File};
use function_kit::failure::Failure;
use serde::Serialize;

use crate::{epoch::Epoch, links::Links};

/// What is heard of a recording.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sound {
    pub duration_ms: u64,
    /// Of the original.
    pub codec: String,
    /// Of the original, in Hz.
    pub sample_rate: u32,
    /// Of the original; 1 is mono.
    pub channels: u32,
    pub loudness: Loudness,
    pub silence: Silence,
    pub waveform: Waveform,
    /// The one that plays everywhere is first.
    pub renditions: Vec<Rendition>,
}

/// Of the original; what cannot be measured, as in silence, is absent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loudness {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrated_lufs: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_lu: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub true_peak_dbtp: Option<f64>,
    /// How much louder the renditions are.
    pub gain_db: f64,
}

/// Where nothing is to be heard.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    pub leading_ms: u64,
    pub trailing_ms: u64,
    /// Those of half a second and more, the longest of them if there are many.
    pub pauses: Vec<Pause>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    pub start_ms: u64,
    pub end_ms: u64,
}

/// What is drawn of it.
#[derive(Debug, Serialize)]
pub struct Waveform {
    /// At most 200 amplitudes from 0 to 255, base 64 without padding.
    pub preview: String,
    /// In audiowaveform's formats, version 2: `json` and `dat`. Empty without links.
    pub files: Vec<WaveformFile>,
}

#[derive(Debug, Serialize)]
pub struct WaveformFile {
    pub url: String,
    pub bytes: u64,
    #[serde(rename = "type")]
    pub content_type: &'static str,
}

/// A file to play.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    pub url: String,
    pub bytes: u64,
    #[serde(rename = "type")]
    pub content_type: String,
    pub channels: u32,
    pub sample_rate: u32,
}

impl Sound {
    /// Files are left out unless `links` are given.
    pub async fn of(sound: media::Sound, links: Option<(&Links, Epoch)>) -> Result<Self, Failure> {
        let media::Sound { duration_ms, codec, rate_hz, channels, loudness, silence, waveform, renditions } = sound;
        let media::Waveform { preview, json, binary } = waveform;
        let (mut files, mut played) = (Vec::new(), Vec::new());
        if let Some((links, epoch)) = links {
            // Both kinds at once: files of one item share a signature.
            let drawn = [("application/json", json), ("application/octet-stream", binary)];
            let keys = drawn.iter().map(|(_, File { key, .. })| key.as_str());
            let keys: Vec<_> = keys.chain(renditions.iter().map(|rendition| rendition.file.key.as_str())).collect();
            let mut urls = links.to(&keys, epoch).await?.into_iter();
            files = drawn
                .iter()
                .zip(urls.by_ref())
                .map(|((content_type, file), url)| WaveformFile { url, bytes: file.size, content_type })
                .collect();
            played = renditions
                .into_iter()
                .zip(urls)
                .map(|(rendition, url)| Rendition {
                    url,
                    bytes: rendition.file.size,
                    content_type: rendition.content_type,
                    channels: rendition.channels,
                    sample_rate: rendition.rate_hz,
                })
                .collect();
        }
        let pause = |pause: media::Pause| Pause { start_ms: pause.start_ms, end_ms: pause.end_ms };
        Ok(Self {
            duration_ms,
            codec,
            sample_rate: rate_hz,
            channels,
            loudness: Loudness {
                integrated_lufs: loudness.integrated_lufs,
                range_lu: loudness.range_lu,
                true_peak_dbtp: loudness.true_peak_dbtp,
                gain_db: loudness.gain_db,
            },
            silence: Silence {
                leading_ms: silence.leading_ms,
                trailing_ms: silence.trailing_ms,
                pauses: silence.pauses.into_iter().map(pause).collect(),
            },
            waveform: Waveform { preview, files },
            renditions: played,
        })
    }
}

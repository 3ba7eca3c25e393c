use serde::{Deserialize, Serialize};

/// Properties, waveform and renditions of a recording. All numbers are finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// Duration in milliseconds, counted while decoding, not read from a header.
    pub duration_ms: u64,
    /// Codec of the original: `aac_lc`, `mp3`, `opus`, …
    pub codec: String,
    /// Sample rate of the original in Hz.
    pub rate_hz: u32,
    /// Channels of the original; 1 is mono.
    pub channels: u32,
    /// Loudness of the original, and the gain applied to the renditions.
    pub loudness: Loudness,
    /// Silent stretches.
    pub silence: Silence,
    /// Waveform for display.
    pub waveform: Waveform,
    /// Playable files. The first one plays on all platforms.
    pub renditions: Vec<Rendition>,
}

/// Loudness of an original (BS.1770, EBU R 128). Silence and very short recordings have no measured
/// values.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated loudness in LUFS, without silence.
    pub integrated_lufs: Option<f64>,
    /// Loudness range in LU.
    pub range_lu: Option<f64>,
    /// True peak in dB relative to full scale.
    pub true_peak_dbtp: Option<f64>,
    /// Gain of the renditions over the original in dB.
    pub gain_db: f64,
    /// Whether a limiter reduced peaks of the renditions.
    pub limited: bool,
}

/// Silent stretches of at least half a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Silence before the first sound in milliseconds; the whole duration if there is no sound.
    pub leading_ms: u64,
    /// Silence after the last sound in milliseconds.
    pub trailing_ms: u64,
    /// The longest stretches, at most [`MAX_PAUSES`], in the order of time.
    pub pauses: Vec<Pause>,
}

/// Most pauses of an item. Bounds the size of a stored item.
pub const MAX_PAUSES: usize = 32;

/// A silent stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Start in milliseconds from the beginning of the recording.
    pub start_ms: u64,
    /// End in milliseconds from the beginning of the recording.
    pub end_ms: u64,
}

/// Waveform of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waveform {
    /// Preview: at most 200 amplitudes from 0 to 255, in base 64 without padding.
    pub preview: String,
    /// Lowest and highest samples in audiowaveform's JSON format, version 2.
    pub json: File,
    /// The same in audiowaveform's binary format, version 2.
    pub binary: File,
}

/// A playable file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// Key and size.
    #[serde(flatten)]
    pub file: File,
    /// Content type with the codec as in RFC 6381.
    pub content_type: String,
    /// Channels: 1 or 2.
    pub channels: u32,
    /// Sample rate in Hz.
    pub rate_hz: u32,
}

/// A file derived from a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Key in the bucket of derivatives.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
}

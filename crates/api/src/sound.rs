use serde::Serialize;

/// Loudness of a recording by EBU R 128, and the gain applied to its renditions.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Loudness {
    /// Integrated loudness of the original in LUFS, without silence. Absent if it cannot be measured, for
    /// example in silence.
    pub integrated_lufs: Option<f64>,
    /// Loudness range of the original in LU. Absent if it cannot be measured, for example in silence.
    #[cfg_attr(feature = "document", schema(minimum = 0))]
    pub range_lu: Option<f64>,
    /// True peak of the original in dB relative to full scale. Absent in digital silence.
    pub true_peak_dbtp: Option<f64>,
    /// Gain of the renditions over the original in dB; negative if they are quieter.
    #[cfg_attr(feature = "document", schema(maximum = 40))]
    pub gain_db: f64,
}

/// Silent stretches of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Silence {
    /// Silence before the first sound in milliseconds; the whole duration if there is no sound.
    pub leading_ms: u64,
    /// Silence after the last sound in milliseconds; the whole duration if there is no sound.
    pub trailing_ms: u64,
    /// The 32 longest stretches of at least half a second, in the order of time, including those at the
    /// beginning and the end.
    #[cfg_attr(feature = "document", schema(max_items = 32))]
    pub pauses: Vec<Pause>,
}

/// A silent stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Pause {
    /// Start in milliseconds from the beginning of the recording.
    pub start_ms: u64,
    /// End in milliseconds from the beginning of the recording.
    pub end_ms: u64,
}

/// Waveform of a recording: one line for all channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Waveform {
    /// Preview to display while a file loads: up to 200 amplitudes of a byte each, relative to the loudest,
    /// in base 64 without padding.
    #[cfg_attr(feature = "document", schema(content_encoding = "base64", max_length = 267))]
    pub preview: String,
    /// The waveform in two formats: JSON, and binary with a third of the size.
    #[cfg_attr(feature = "document", schema(min_items = 2, max_items = 2))]
    pub files: Vec<WaveformFile>,
}

/// A waveform in one of the formats of [audiowaveform](https://github.com/bbc/audiowaveform), version 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct WaveformFile {
    /// URL of the file. It needs no access token. The URL of a `public` item never changes; others work
    /// for at least ten minutes, for anyone who has them.
    #[cfg_attr(feature = "document", schema(format = "uri"))]
    pub url: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// `application/json` or `application/octet-stream`.
    #[serde(rename = "type")]
    pub content_type: String,
}

/// A file rendered from a recording, with normalized loudness and without location. It can be played from
/// any point before it is fully downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Rendition {
    /// URL of the file. It needs no access token. The URL of a `public` item never changes; others work
    /// for at least ten minutes, for anyone who has them.
    #[cfg_attr(feature = "document", schema(format = "uri"))]
    pub url: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Content type with the codec as in RFC 6381: `audio/mp4; codecs="mp4a.40.2"` or `audio/ogg; codecs=opus`.
    #[serde(rename = "type")]
    pub content_type: String,
    /// Channels: 1 is mono, 2 is stereo.
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 2))]
    pub channels: u32,
    /// Sample rate in Hz.
    pub sample_rate: u32,
}

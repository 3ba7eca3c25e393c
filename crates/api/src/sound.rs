use serde::Serialize;

/// How loud a recording is, by EBU R 128, and what was done about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Loudness {
    /// Of the original, over all that is not silence, in LUFS. Absent if it cannot be measured, as in silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub integrated_lufs: Option<f64>,
    /// How far loud and quiet passages of the original lie apart, in LU. Absent if it cannot be measured,
    /// as in silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, minimum = 0))]
    pub range_lu: Option<f64>,
    /// The highest point of the original's waveform, in dB relative to full scale. Absent in digital silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub true_peak_dbtp: Option<f64>,
    /// How much louder the renditions are than the original, in dB; negative if they are quieter.
    #[cfg_attr(feature = "document", schema(maximum = 40))]
    pub gain_db: f64,
}

/// Where nothing is to be heard in a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Silence {
    /// Until something is to be heard, in milliseconds; the whole duration if nothing ever is.
    pub leading_ms: u64,
    /// From the last sound to the end, in milliseconds; the whole duration if there is no sound.
    pub trailing_ms: u64,
    /// Stretches of half a second and more, also at the beginning and at the end: the 32 longest, in the
    /// order of time.
    #[cfg_attr(feature = "document", schema(max_items = 32))]
    pub pauses: Vec<Pause>,
}

/// A stretch in which nothing is to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Pause {
    /// Where it begins, in milliseconds from the beginning of the recording.
    pub start_ms: u64,
    /// Where it ends, in milliseconds from the beginning of the recording.
    pub end_ms: u64,
}

/// What to draw of a recording: one line for all channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Waveform {
    /// What to draw while a file loads: up to 200 amplitudes, a byte each, relative to the loudest, in
    /// base 64 without padding.
    #[cfg_attr(feature = "document", schema(content_encoding = "base64", max_length = 267))]
    pub preview: String,
    /// The same waveform in two formats: JSON, and binary, which is a third of the size.
    #[cfg_attr(feature = "document", schema(min_items = 2, max_items = 2))]
    pub files: Vec<WaveformFile>,
}

/// A waveform in one of the formats of [audiowaveform](https://github.com/bbc/audiowaveform), version 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct WaveformFile {
    /// Where to get it, without signing in. Of a `public` item it stays the same; others work for ten
    /// minutes at least, for whoever has them.
    #[cfg_attr(feature = "document", schema(format = "uri"))]
    pub url: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// `application/json` or `application/octet-stream`.
    #[serde(rename = "type")]
    pub content_type: String,
}

/// A file made of a recording, at an even loudness, without a trace of where it was made. It can be played
/// from any point before all of it has been fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Rendition {
    /// Where to get it, without signing in. Of a `public` item it stays the same; others work for ten
    /// minutes at least, for whoever has them.
    #[cfg_attr(feature = "document", schema(format = "uri"))]
    pub url: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// Its type, with the codec as in RFC 6381: `audio/mp4; codecs="mp4a.40.2"` or `audio/ogg; codecs=opus`.
    #[serde(rename = "type")]
    pub content_type: String,
    /// 1 is mono, 2 is stereo.
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 2))]
    pub channels: u32,
    /// In Hz.
    pub sample_rate: u32,
}

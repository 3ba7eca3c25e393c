use serde::{Deserialize, Serialize};

/// All that was found out about a recording, and made from it.
///
/// No number is infinite or not a number: what has no value is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// Of the recording, in milliseconds: counted while decoding, never what a header claims.
    pub duration_ms: u64,
    /// How the original is encoded: `aac_lc`, `mp3`, `opus`, …
    pub codec: String,
    /// Of the original, in Hz.
    pub rate_hz: u32,
    /// Of the original; 1 is mono.
    pub channels: u32,
    /// Of the original, and what was done about it.
    pub loudness: Loudness,
    /// Where nothing is to be heard.
    pub silence: Silence,
    /// What is drawn of it.
    pub waveform: Waveform,
    /// What is played; the one that plays everywhere is first.
    pub renditions: Vec<Rendition>,
}

/// How loud an original is (BS.1770, EBU R 128). Silence has no loudness, and what is too short has
/// none either.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Over all that is not silence, in LUFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrated_lufs: Option<f64>,
    /// How far loud and quiet passages lie apart, in LU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range_lu: Option<f64>,
    /// The highest point of the waveform, in dB relative to full scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_peak_dbtp: Option<f64>,
    /// How much louder the renditions are than the original, in dB.
    pub gain_db: f64,
    /// Whether single peaks of the renditions had to be held down.
    pub limited: bool,
}

/// Silence of at least half a second, in milliseconds from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Until something is to be heard; the whole duration if nothing ever is.
    pub leading_ms: u64,
    /// From the last sound to the end.
    pub trailing_ms: u64,
    /// The longest stretches, at most [`MAX_PAUSES`], in the order of time.
    pub pauses: Vec<Pause>,
}

/// Pauses that an item keeps at most: it stays small, whatever is uploaded.
pub const MAX_PAUSES: usize = 32;

/// A stretch in which nothing is to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Where it begins.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
}

/// What is drawn of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waveform {
    /// At most 200 amplitudes from 0 to 255, base 64 without padding: what to draw while loading.
    pub preview: String,
    /// Lowest and highest samples as audiowaveform's JSON, version 2.
    pub json: File,
    /// The same in audiowaveform's binary format.
    pub binary: File,
}

/// A file to play.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// Where it lies.
    #[serde(flatten)]
    pub file: File,
    /// Its type, with the codec as in RFC 6381.
    pub content_type: String,
    /// 1 or 2.
    pub channels: u32,
    /// In Hz.
    pub rate_hz: u32,
}

/// A file made from a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// In the bucket of derived files.
    pub key: String,
    /// In bytes.
    pub size: u64,
}

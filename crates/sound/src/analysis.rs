use serde::Serialize;

use crate::{
    Codec, Container, Decoded, Waveform,
    measure::{Clipping, Loudness, Measured, Silences},
};

/// All that [`analyse`](crate::analyse) found out about a recording.
///
/// No number in it is infinite or not a number: what has no value is `None`, `null` in JSON. The
/// waveform has formats of its own and is left out there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// What holds it.
    pub container: Container,
    /// How it is encoded.
    pub codec: Codec,
    /// Samples per second and channel, in Hz.
    pub rate_hz: u32,
    /// 1 is mono.
    pub channels: usize,
    /// Samples of each channel, counted as they were decoded: what an encoder added at the
    /// beginning and the end is not among them, and headers are not believed.
    pub frames: u64,
    /// `frames` in seconds.
    pub duration_seconds: f64,
    /// How loud it is.
    pub loudness: Loudness,
    /// The highest point of the waveform, also between its samples, in dB relative to full scale
    /// (BS.1770-5, annex 2); `None` for digital silence.
    pub true_peak_dbtp: Option<f64>,
    /// The highest sample, in dB relative to full scale; `None` for digital silence.
    pub sample_peak_dbfs: Option<f64>,
    /// What was cut off at full scale.
    pub clipping: Clipping,
    /// Where nothing is to be heard.
    pub silences: Silences,
    /// Packets that could not be decoded and count as silence: few, or it would be an error.
    pub damaged_packets: u64,
    /// Minima and maxima, to be drawn.
    #[serde(skip)]
    pub waveform: Waveform,
}

impl From<Analysis> for Decoded {
    fn from(analysis: Analysis) -> Self {
        let measured = Measured {
            frames: analysis.frames,
            loudness: analysis.loudness,
            true_peak_dbtp: analysis.true_peak_dbtp,
            sample_peak_dbfs: analysis.sample_peak_dbfs,
            clipping: analysis.clipping,
            silences: analysis.silences,
            waveform: analysis.waveform,
        };
        Self { rate_hz: analysis.rate_hz, channels: analysis.channels, measured }
    }
}

impl Analysis {
    pub(crate) fn new(
        container: Container,
        codec: Codec,
        rate_hz: u32,
        channels: usize,
        damaged_packets: u64,
        measured: Measured,
    ) -> Self {
        Self {
            container,
            codec,
            rate_hz,
            channels,
            frames: measured.frames,
            duration_seconds: measured.frames as f64 / f64::from(rate_hz),
            loudness: measured.loudness,
            true_peak_dbtp: measured.true_peak_dbtp,
            sample_peak_dbfs: measured.sample_peak_dbfs,
            clipping: measured.clipping,
            silences: measured.silences,
            damaged_packets,
            waveform: measured.waveform,
        }
    }
}

use serde::Serialize;

use crate::{
    format::{Codec, Container},
    measure::{Clipping, Loudness, Measured, Silences},
    waveform_format::Waveform,
};

/// The result of [`analyse`](crate::analyse).
///
/// All numbers are finite. A value that does not exist is `None`, in JSON `null`. The JSON omits the
/// waveform, which has its own formats.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// The container format.
    pub container: Container,
    /// The codec.
    pub codec: Codec,
    /// The sampling rate, in Hz.
    pub rate_hz: u32,
    /// The number of channels.
    pub channels: usize,
    /// Samples per channel, counted while decoding, without the encoder's delay and padding.
    pub frames: u64,
    /// The duration of `frames`, in seconds.
    pub duration_seconds: f64,
    /// The loudness.
    pub loudness: Loudness,
    /// The highest point of the waveform, including points between samples, in dB relative to full scale
    /// (BS.1770-5, annex 2); `None` for digital silence.
    pub true_peak_dbtp: Option<f64>,
    /// The highest sample, in dB relative to full scale; `None` for digital silence.
    pub sample_peak_dbfs: Option<f64>,
    /// The clipped samples.
    pub clipping: Clipping,
    /// The silent stretches.
    pub silences: Silences,
    /// Minima and maxima for drawing.
    #[serde(skip)]
    pub waveform: Waveform,
}

/// The result of [`analyse_pcm`](crate::analyse_pcm).
#[derive(Debug, Clone, PartialEq)]
pub struct PcmAnalysis {
    /// The sampling rate, in Hz.
    pub rate_hz: u32,
    /// The number of channels.
    pub channels: usize,
    /// The measured values.
    pub measured: Measured,
}

impl From<Analysis> for PcmAnalysis {
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
    pub(crate) fn new(container: Container, codec: Codec, rate_hz: u32, channels: usize, measured: Measured) -> Self {
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
            waveform: measured.waveform,
        }
    }
}

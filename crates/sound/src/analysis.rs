use serde::Serialize;

use crate::{
    format::{Codec, Container},
    measure::Measured,
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
    /// The duration of the measured frames, in seconds.
    pub duration_seconds: f64,
    /// The measured values. The encoder's delay and padding are left out.
    #[serde(flatten)]
    pub measured: Measured,
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
    fn from(Analysis { rate_hz, channels, measured, .. }: Analysis) -> Self {
        Self { rate_hz, channels, measured }
    }
}

impl Analysis {
    pub(crate) fn new(container: Container, codec: Codec, rate_hz: u32, channels: usize, measured: Measured) -> Self {
        let duration_seconds = measured.frames as f64 / f64::from(rate_hz);
        Self { container, codec, rate_hz, channels, duration_seconds, measured }
    }
}

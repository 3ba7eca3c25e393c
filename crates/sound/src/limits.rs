use crate::error::SoundError;

/// Limits of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest decoded duration, in seconds. Default: 3 hours and 5 minutes, which leaves a margin for
    /// recordings of 3 hours. Memory grows by 288 kB per hour.
    pub max_seconds: u32,
    /// The most samples over all channels. Default: four times the longest stereo recording at 48 kHz. It
    /// limits the time for 8 channels at 192 kHz.
    pub max_samples: u64,
    /// The most channels. Default: 8 (7.1).
    pub max_channels: usize,
    /// The lowest sampling rate, in Hz. Default: 4000, half of a telephone's.
    pub min_rate_hz: u32,
    /// The highest sampling rate, in Hz. Default: 192,000.
    pub max_rate_hz: u32,
    /// The most points of the waveform, rounded down to an even number. Default: 32,768. The binary form then
    /// has at most 64 KiB, and a point of a three-hour story spans a third of a second.
    pub max_points: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let max_seconds = 185 * 60;
        Self {
            max_seconds,
            max_samples: u64::from(max_seconds) * 48_000 * 2 * 4,
            max_channels: 8,
            min_rate_hz: 4_000,
            max_rate_hz: 192_000,
            max_points: 32_768,
        }
    }
}

impl Limits {
    /// Checks the format before measuring starts.
    pub(crate) fn check_format(&self, rate_hz: u32, channels: usize) -> Result<(), SoundError> {
        let Self { max_channels, min_rate_hz, max_rate_hz, .. } = *self;
        if channels == 0 {
            return Err(SoundError::corrupt("no channels"));
        }
        if channels > max_channels {
            return Err(SoundError::TooManyChannels { channels, max_channels });
        }
        if !(min_rate_hz..=max_rate_hz).contains(&rate_hz) {
            return Err(SoundError::RateOutOfRange { rate_hz, min_rate_hz, max_rate_hz });
        }
        Ok(())
    }

    /// Checks the number of frames decoded so far.
    pub(crate) fn check_length(&self, frames: u64, rate_hz: u32, channels: usize) -> Result<(), SoundError> {
        let Self { max_seconds, max_samples, .. } = *self;
        if frames > u64::from(max_seconds) * u64::from(rate_hz) {
            return Err(SoundError::TooLong { max_seconds });
        }
        if frames.saturating_mul(channels as u64) > max_samples {
            return Err(SoundError::TooManySamples { max_samples });
        }
        Ok(())
    }
}

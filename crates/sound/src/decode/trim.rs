//! Removes the encoder's delay and padding from the samples, and enforces the limits.

use crate::{error::SoundError, limits::Limits, measure::Meter};

/// The most padding that encoders add, in frames (AAC and MP3 up to three packets, Opus up to 120 ms).
const MAX_PADDING: usize = 8192;

/// A meter that leaves out the encoder's delay and padding.
pub(crate) struct TrimmingMeter<'l> {
    limits: &'l Limits,
    rate_hz: u32,
    channels: usize,
    meter: Meter,
    /// Frames to skip at the start.
    skip: u64,
    /// Frames declared as padding, kept until the end confirms it. One buffer per channel.
    held: Vec<Vec<f32>>,
    /// Whether the file's declared padding has been plausible so far.
    is_padding_trusted: bool,
}

impl<'l> TrimmingMeter<'l> {
    pub fn new(limits: &'l Limits, rate_hz: u32, weights: &[f64], skip: u64) -> Result<Self, SoundError> {
        limits.check_format(rate_hz, weights.len())?;
        let meter = Meter::new(rate_hz, weights, limits.max_points);
        let held = vec![Vec::new(); weights.len()];
        Ok(Self { limits, rate_hz, channels: weights.len(), meter, skip, held, is_padding_trusted: true })
    }

    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Skips more frames, if nothing has been measured yet. A delay may span several packets.
    pub fn skip_more(&mut self, frames: u64) {
        if self.meter.frames() == 0 {
            self.skip = self.skip.saturating_add(frames);
        }
    }

    /// Measures the next samples. The last `padding` frames are declared as padding and held back. If more
    /// follows than an encoder adds, they are measured after all, and further declarations are ignored.
    pub fn push(&mut self, planes: &[&[f32]], padding: u64) -> Result<(), SoundError> {
        if planes.len() != self.channels {
            return Err(SoundError::other_decoder("a number of channels that changes"));
        }
        let length = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let padding = if self.is_padding_trusted { usize::try_from(padding).unwrap_or(length).min(length) } else { 0 };
        let held = self.held[0].len();
        if held > 0 && (padding < length || held + padding > MAX_PADDING) {
            self.is_padding_trusted = false;
            let held = std::mem::replace(&mut self.held, vec![Vec::new(); self.channels]);
            self.measure(&held.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            return self.measure(planes);
        }
        for (held, plane) in self.held.iter_mut().zip(planes) {
            held.extend_from_slice(&plane[length - padding..length]);
        }
        self.measure(&planes.iter().map(|plane| &plane[..length - padding]).collect::<Vec<_>>())
    }

    /// The meter of all samples but the padding.
    pub fn into_meter(self) -> Meter {
        self.meter
    }

    fn measure(&mut self, planes: &[&[f32]]) -> Result<(), SoundError> {
        let length = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let skipped = usize::try_from(self.skip).unwrap_or(length).min(length);
        self.skip -= skipped as u64;
        if skipped == 0 {
            self.meter.push(planes);
        } else {
            self.meter.push(&planes.iter().map(|plane| &plane[skipped..length]).collect::<Vec<_>>());
        }
        self.limits.check_length(self.meter.frames(), self.rate_hz, self.channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(packets: &[(usize, u64)], skip: u64) -> u64 {
        let limits = Limits::default();
        let mut meter = TrimmingMeter::new(&limits, 48_000, &[1.0], skip).expect("a meter");
        for &(length, padding) in packets {
            meter.push(&[&vec![0.1; length]], padding).expect("within the limits");
        }
        meter.into_meter().frames()
    }

    #[test]
    fn delay_and_padding_are_not_measured() {
        assert_eq!(frames(&[(1000, 0), (1000, 300)], 1105), 595);
        assert_eq!(frames(&[(1000, 0), (1000, 300), (1000, 1000)], 0), 1700);
    }

    #[test]
    fn implausible_padding_is_measured() {
        assert_eq!(frames(&[(1000, 300), (1000, 0)], 0), 2000, "sound after the padding");
        let endless: Vec<_> = std::iter::once((1000, 300)).chain([(1000, 1000); 20]).collect();
        assert_eq!(frames(&endless, 0), 21_000, "more padding than an encoder adds");
    }
}

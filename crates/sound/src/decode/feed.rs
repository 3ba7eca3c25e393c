//! What lies between the decoder and the meter: samples that are the encoder's own are taken off
//! at both ends, and limits are held.

use crate::{Limits, SoundError, measure::Meter};

/// Encoders add less than this at the end (AAC and MP3 up to three frames, Opus up to 120 ms).
const MOST_PADDING: usize = 8192;

pub(crate) struct Feed<'l> {
    limits: &'l Limits,
    rate_hz: u32,
    channels: usize,
    meter: Meter,
    /// Frames still to be left out at the beginning.
    skip: u64,
    /// Frames said to be padding, until it is clear that nothing follows.
    held: Vec<Vec<f32>>,
    /// Whether what the file says of its end is credible.
    believed: bool,
}

impl<'l> Feed<'l> {
    pub fn new(limits: &'l Limits, rate_hz: u32, weights: &[f64], skip: u64) -> Result<Self, SoundError> {
        limits.check_format(rate_hz, weights.len())?;
        let meter = Meter::new(rate_hz, weights, limits.max_points);
        let held = vec![Vec::new(); weights.len()];
        Ok(Self { limits, rate_hz, channels: weights.len(), meter, skip, held, believed: true })
    }

    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Takes the next samples, the last `padding` of which are said to be none. They are held
    /// back; should more come after them than an encoder adds, they were sound after all, and the
    /// file is not believed again.
    pub fn push(&mut self, planes: &[&[f32]], padding: u64) -> Result<(), SoundError> {
        if planes.len() != self.channels {
            return Err(SoundError::other_decoder("a number of channels that changes"));
        }
        let length = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let padding = if self.believed { usize::try_from(padding).unwrap_or(length).min(length) } else { 0 };
        let held = self.held[0].len();
        if held > 0 && (padding < length || held + padding > MOST_PADDING) {
            self.believed = false;
            let held = std::mem::replace(&mut self.held, vec![Vec::new(); self.channels]);
            self.measure(&held.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            return self.measure(planes);
        }
        for (held, plane) in self.held.iter_mut().zip(planes) {
            held.extend_from_slice(&plane[length - padding..length]);
        }
        self.measure(&planes.iter().map(|plane| &plane[..length - padding]).collect::<Vec<_>>())
    }

    pub fn finish(self) -> Meter {
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
        let mut feed = Feed::new(&limits, 48_000, &[1.0], skip).expect("a feed");
        for &(length, padding) in packets {
            feed.push(&[&vec![0.1; length]], padding).expect("fed");
        }
        feed.finish().frames()
    }

    #[test]
    fn leaves_out_what_is_the_encoders() {
        assert_eq!(frames(&[(1000, 0), (1000, 300)], 1105), 595);
        assert_eq!(frames(&[(1000, 0), (1000, 300), (1000, 1000)], 0), 1700);
    }

    #[test]
    fn does_not_believe_an_end_that_is_none() {
        assert_eq!(frames(&[(1000, 300), (1000, 0)], 0), 2000, "sound after the end");
        let endless: Vec<_> = std::iter::once((1000, 300)).chain([(1000, 1000); 20]).collect();
        assert_eq!(frames(&endless, 0), 21_000, "more padding than there is");
    }
}

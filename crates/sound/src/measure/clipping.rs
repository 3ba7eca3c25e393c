//! Counts clipped samples.

use serde::Serialize;

/// Full scale, with a tolerance for 16-bit converters.
pub(crate) const FULL_SCALE: f32 = 32_765.0 / 32_768.0;
/// The shortest run that counts. One or two samples at full scale are harmless.
const MIN_RUN: u32 = 3;

/// The clipped samples of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Clipping {
    /// The number of runs of at least three consecutive samples of a channel at or above full scale.
    pub runs: u64,
    /// The number of samples in these runs.
    pub samples: u64,
}

/// Counts the clipped samples of one channel.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClipCounter {
    run: u32,
    found: Clipping,
}

impl ClipCounter {
    /// Counts in the next samples, whose lowest and highest are `low` and `high`.
    pub fn push(&mut self, samples: &[f32], low: f32, high: f32) {
        if self.run == 0 && high < FULL_SCALE && low > -FULL_SCALE {
            return;
        }
        for sample in samples {
            if sample.abs() < FULL_SCALE {
                self.run = 0;
                continue;
            }
            self.run = self.run.saturating_add(1);
            if self.run == MIN_RUN {
                self.found.runs += 1;
                self.found.samples += u64::from(MIN_RUN);
            } else if self.run > MIN_RUN {
                self.found.samples += 1;
            }
        }
    }

    pub fn add_to(&self, total: &mut Clipping) {
        total.runs += self.found.runs;
        total.samples += self.found.samples;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_across_calls_is_counted_once() {
        let mut counter = ClipCounter::default();
        for samples in [&[0.0, 1.0, 1.0][..], &[-1.0, 0.5], &[1.0, 1.0], &[0.0], &[1.0; 5]] {
            let low = samples.iter().copied().fold(f32::INFINITY, f32::min);
            let high = samples.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            counter.push(samples, low, high);
        }
        assert_eq!(counter.found, Clipping { runs: 2, samples: 8 });
    }
}

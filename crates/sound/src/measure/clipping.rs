//! Samples that were cut off at full scale.

use serde::Serialize;

/// Full scale, less what a 16-bit converter may miss it by.
pub(crate) const FULL_SCALE: f32 = 32_765.0 / 32_768.0;
/// A waveform touches full scale for a sample or two without harm.
const RUN: u32 = 3;

/// How much of a recording is clipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Clipping {
    /// How often three or more samples of a channel in a row lie at full scale or beyond it.
    pub runs: u64,
    /// The samples in these runs.
    pub samples: u64,
}

/// Counts for one channel.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClipCounter {
    run: u32,
    found: Clipping,
}

impl ClipCounter {
    /// `low` and `high` span `samples`.
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
            if self.run == RUN {
                self.found.runs += 1;
                self.found.samples += u64::from(RUN);
            } else if self.run > RUN {
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
    fn counts_runs_across_calls() {
        let mut counter = ClipCounter::default();
        for samples in [&[0.0, 1.0, 1.0][..], &[-1.0, 0.5], &[1.0, 1.0], &[0.0], &[1.0; 5]] {
            let low = samples.iter().copied().fold(f32::INFINITY, f32::min);
            let high = samples.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            counter.push(samples, low, high);
        }
        assert_eq!(counter.found, Clipping { runs: 2, samples: 8 });
    }
}

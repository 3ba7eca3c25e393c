//! The true peak: how high the waveform rises between its samples (BS.1770-5, annex 2).
//!
//! Interpolating every sample would be the dearest part of the whole analysis, and almost all of
//! it in vain: no interpolated value exceeds the loudest sample under the filter times the sum of
//! the filter's absolute coefficients. So a segment that cannot beat the peak found so far is
//! passed over, and what comes out is the same to the last bit.

use std::f64::consts::PI;

/// Outputs computed at a time, and samples for which the meter keeps a minimum and maximum.
pub(crate) const SEGMENT: usize = 32;
/// Coefficients per phase. The flat part of the pass band ends at 0.43 of the sampling rate.
const TAPS: usize = 32;
/// Samples before a segment that its outputs depend on. Not more than one segment.
pub(crate) const HISTORY: usize = SEGMENT;
/// The rate to interpolate to: four times that of a CD. The standard asks for 192 kHz from 48.
const OVERSAMPLED_HZ: u32 = 176_400;

const _: () = assert!(TAPS - 1 <= HISTORY);

/// Interpolates between samples, as finely as the rate needs it.
#[derive(Debug, Clone)]
pub(crate) struct Interpolator {
    /// One set of coefficients for each point between two samples.
    phases: Vec<[f32; TAPS]>,
    /// No output exceeds the largest input under the filter times this.
    gain: f32,
}

impl Interpolator {
    pub fn new(rate_hz: u32) -> Self {
        let mut factor = 1;
        while rate_hz.saturating_mul(factor) < OVERSAMPLED_HZ && factor < 64 {
            factor *= 2;
        }
        let phases: Vec<_> = (1..factor).map(|phase| coefficients(f64::from(phase) / f64::from(factor))).collect();
        let gains = phases.iter().map(|taps| taps.iter().map(|tap| tap.abs()).sum::<f32>());
        // A thousandth more than it is, for what rounding may add.
        let gain = gains.fold(1.0, f32::max) * 1.001;
        Self { phases, gain }
    }

    /// Whether `samples` this loud may hold a peak above `peak` between them.
    pub fn may_exceed(&self, loudest: f32, peak: f32) -> bool {
        loudest * self.gain > peak
    }

    /// The highest value between the samples of a segment. `samples` begins [`HISTORY`] samples
    /// before it.
    pub fn peak(&self, samples: &[f32; HISTORY + SEGMENT]) -> f32 {
        let mut peak = [0.0_f32; SEGMENT];
        for taps in &self.phases {
            let mut outputs = [0.0_f32; SEGMENT];
            for (offset, &tap) in taps.iter().enumerate() {
                let from = HISTORY + 1 - TAPS + offset;
                for (output, &sample) in outputs.iter_mut().zip(&samples[from..from + SEGMENT]) {
                    *output += tap * sample;
                }
            }
            for (peak, output) in peak.iter_mut().zip(outputs) {
                let height = output.abs();
                *peak = if height > *peak { height } else { *peak };
            }
        }
        peak.into_iter().fold(0.0, f32::max)
    }
}

/// A sinc under a Kaiser window for the point `fraction` of a sample after the middle one.
fn coefficients(fraction: f64) -> [f32; TAPS] {
    const BETA: f64 = 7.0;
    let half = TAPS as f64 / 2.0;
    let taps: [f64; TAPS] = std::array::from_fn(|tap| {
        let distance = tap as f64 + 1.0 - half - fraction;
        let sinc = (PI * distance).sin() / (PI * distance);
        let inside = (1.0 - (distance / half).powi(2)).max(0.0);
        sinc * bessel_i0(BETA * inside.sqrt()) / bessel_i0(BETA)
    });
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
}

/// The modified Bessel function of the first kind and order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut n = 1.0;
    while term > sum * 1e-17 {
        term *= (x / (2.0 * n)).powi(2);
        sum += term;
        n += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_follows_the_rate() {
        for (rate_hz, points) in [(8_000, 31), (44_100, 3), (48_000, 3), (96_000, 1), (192_000, 0)] {
            assert_eq!(Interpolator::new(rate_hz).phases.len(), points, "{rate_hz} Hz");
        }
    }

    #[test]
    fn a_bound_is_never_exceeded() {
        let interpolator = Interpolator::new(48_000);
        // The worst input for a phase: full scale, with the signs of its coefficients.
        for taps in &interpolator.phases {
            let mut samples = [0.0; HISTORY + SEGMENT];
            for (sample, tap) in samples[HISTORY + 1 - TAPS..].iter_mut().zip(taps) {
                *sample = tap.signum();
            }
            let peak = interpolator.peak(&samples);
            assert!(peak > 1.5, "{peak}");
            assert!(interpolator.may_exceed(1.0, peak * 0.9999), "{peak}");
            assert!(peak <= interpolator.gain, "{peak}");
        }
    }
}

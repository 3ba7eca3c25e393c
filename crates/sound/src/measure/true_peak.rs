//! The true peak: the highest point of the waveform between samples (BS.1770-5, annex 2).
//!
//! Interpolating all samples would be the most expensive part of the analysis. No interpolated value exceeds the
//! highest sample under the filter times the sum of the filter's absolute coefficients. A segment that cannot
//! exceed the peak found so far is therefore skipped. The result is bit-identical.

use std::f64::consts::PI;

/// Outputs computed at a time. The meter keeps a minimum and a maximum for as many samples.
pub(crate) const SEGMENT: usize = 32;
/// Coefficients per phase. The passband is flat up to 0.43 of the sampling rate.
const TAPS: usize = 32;
/// Samples before a segment that its outputs depend on; at most one segment.
pub(crate) const HISTORY: usize = SEGMENT;
/// The lowest interpolated rate: four times that of a CD. The standard requires 192 kHz for 48 kHz.
const OVERSAMPLED_HZ: u32 = 176_400;

const _: () = assert!(TAPS - 1 <= HISTORY);

/// Interpolates between samples. The number of points depends on the sampling rate.
#[derive(Debug, Clone)]
pub(crate) struct Interpolator {
    /// The coefficients for each point between two samples.
    phases: Vec<[f32; TAPS]>,
    /// The highest ratio of an output to the highest input under the filter.
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
        // A thousandth is added for rounding errors.
        let gain = gains.fold(1.0, f32::max) * 1.001;
        Self { phases, gain }
    }

    /// Whether samples of at most `amplitude` may have a point above `peak` between them.
    pub fn may_exceed(&self, amplitude: f32, peak: f32) -> bool {
        amplitude * self.gain > peak
    }

    /// The highest amplitude between the samples of a segment. `samples` starts [`HISTORY`] samples before the
    /// segment.
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
                let amplitude = output.abs();
                *peak = if amplitude > *peak { amplitude } else { *peak };
            }
        }
        peak.into_iter().fold(0.0, f32::max)
    }
}

/// A Kaiser-windowed sinc for the point `fraction` of a sample after the middle one.
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

/// The modified Bessel function of the first kind of order zero, by its power series.
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
    fn number_of_points_follows_the_rate() {
        for (rate_hz, points) in [(8_000, 31), (44_100, 3), (48_000, 3), (96_000, 1), (192_000, 0)] {
            assert_eq!(Interpolator::new(rate_hz).phases.len(), points, "{rate_hz} Hz");
        }
    }

    #[test]
    fn worst_case_input_does_not_exceed_the_bound() {
        let interpolator = Interpolator::new(48_000);
        // The worst case of a phase: full scale with the signs of its coefficients.
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

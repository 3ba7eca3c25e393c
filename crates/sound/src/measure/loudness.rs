//! Computes loudness from energies: EBU R 128 with Tech 3341 (integrated, momentary, short-term) and Tech 3342
//! (range).
//!
//! The meter keeps one energy per 100 ms. Three hours take 864 kB, so no histogram is needed.

use serde::Serialize;

/// Steps in a gating block of 400 ms.
const MOMENTARY_STEPS: usize = 4;
/// Steps in a short-term window of 3 s.
const SHORT_TERM_STEPS: usize = 30;
/// Quieter blocks do not count (BS.1770-5, annex 1).
const ABSOLUTE_GATE_LUFS: f64 = -70.0;

/// The loudness of a recording. A value is `None` for silence, and if the recording is shorter than the value's
/// window.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Loudness {
    /// The integrated loudness, in LUFS (BS.1770-5: gated at −70 LUFS and −10 LU).
    pub integrated_lufs: Option<f64>,
    /// The loudness range, in LU (EBU Tech 3342).
    pub range_lu: Option<f64>,
    /// The loudest 400 ms, with starts in steps of 10 ms, in LUFS.
    pub max_momentary_lufs: Option<f64>,
    /// The loudest 3 s, in LUFS.
    pub max_short_term_lufs: Option<f64>,
}

impl Loudness {
    /// `steps` has the weighted mean square of all channels for each 100 ms, `max_momentary` that of the loudest
    /// 400 ms.
    pub(crate) fn new(steps: &[f64], max_momentary: f64) -> Self {
        let momentary = || steps.windows(MOMENTARY_STEPS).map(mean);
        let short_term = || steps.windows(SHORT_TERM_STEPS).map(mean);
        Self {
            integrated_lufs: integrated(momentary),
            range_lu: range(short_term()),
            max_momentary_lufs: lufs(max_momentary),
            max_short_term_lufs: short_term().reduce(f64::max).and_then(lufs),
        }
    }
}

fn integrated<I: Iterator<Item = f64>>(blocks: impl Fn() -> I) -> Option<f64> {
    let gated = |gate: f64| mean_of(blocks().filter(move |&energy| energy >= gate));
    let gate = energy(ABSOLUTE_GATE_LUFS);
    let relative_gate = gated(gate)? * energy_ratio(-10.0);
    gated(relative_gate.max(gate)).and_then(lufs)
}

/// The range from the 10th to the 95th percentile of the windows above both gates.
fn range(windows: impl Iterator<Item = f64>) -> Option<f64> {
    let gate = energy(ABSOLUTE_GATE_LUFS);
    let mut energies: Vec<_> = windows.filter(|&energy| energy >= gate).collect();
    let relative_gate = mean_of(energies.iter().copied())? * energy_ratio(-20.0);
    energies.retain(|&energy| energy >= relative_gate);
    energies.sort_unstable_by(f64::total_cmp);
    let last = energies.len().checked_sub(1)?;
    let percentile = |share: f64| energies.get((share * last as f64).round() as usize).copied();
    Some(lufs(percentile(0.95)?)? - lufs(percentile(0.10)?)?)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn mean_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The loudness of an energy (BS.1770-5, annex 1, equation 2); `None` for 0.
pub(crate) fn lufs(energy: f64) -> Option<f64> {
    (energy > 0.0).then(|| -0.691 + 10.0 * energy.log10())
}

/// The energy of a loudness.
pub(crate) fn energy(lufs: f64) -> f64 {
    energy_ratio(lufs + 0.691)
}

fn energy_ratio(decibels: f64) -> f64 {
    10_f64.powf(decibels / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(parts: &[(f64, usize)]) -> Vec<f64> {
        parts.iter().flat_map(|&(lufs, steps)| std::iter::repeat_n(energy(lufs), steps)).collect()
    }

    fn loudness(steps: &[f64]) -> Loudness {
        Loudness::new(steps, 0.0)
    }

    #[test]
    fn silence_and_too_short_recording_have_no_loudness() {
        assert_eq!(loudness(&[]), Loudness::default());
        assert_eq!(loudness(&[0.0; 100]), Loudness::default());
        let brief = loudness(&steps(&[(-20.0, 3)]));
        assert_eq!(brief, Loudness::default(), "shorter than a gating block");
    }

    #[test]
    fn blocks_below_the_gates_do_not_count() {
        let gated = loudness(&steps(&[(-20.0, 100), (-75.0, 1000), (-60.0, 100)]));
        // Besides the loud blocks, only those across the first change count.
        let integrated = gated.integrated_lufs.expect("a loudness");
        assert!((integrated + 20.0).abs() < 0.1, "{integrated}");
    }

    #[test]
    fn range_is_from_the_10th_to_the_95th_percentile() {
        let measured = loudness(&steps(&[(-20.0, 200), (-30.0, 200)]));
        let range = measured.range_lu.expect("a range");
        assert!((range - 10.0).abs() < 1e-9, "{range}");
        let max = measured.max_short_term_lufs.expect("a maximum");
        assert!((max + 20.0).abs() < 1e-9, "{max}");
    }
}

//! The K-weighting of ITU-R BS.1770-5, annex 1: a high-shelf filter, then a high-pass filter.

use std::f64::consts::PI;

/// Both filters for two channels, which fit into one SSE2 or NEON register.
#[derive(Debug, Clone)]
pub(crate) struct KWeighting {
    shelf: Section,
    high_pass: Section,
}

impl KWeighting {
    pub fn new(rate_hz: u32) -> Self {
        Self { shelf: Section::shelf(rate_hz), high_pass: Section::high_pass(rate_hz) }
    }

    /// Filters two channels and adds the squares of the output to `energy`. The result does not depend on how
    /// the input is divided into calls.
    pub fn add_energy(&mut self, first: &[f32], second: &[f32], energy: &mut [f64; 2]) {
        let (mut shelf, mut high_pass) = (self.shelf, self.high_pass);
        let mut sum = *energy;
        for (&first, &second) in first.iter().zip(second) {
            let weighted = high_pass.next(shelf.next([f64::from(first), f64::from(second)]));
            for (sum, value) in sum.iter_mut().zip(weighted) {
                *sum += value * value;
            }
        }
        (self.shelf, self.high_pass) = (shelf, high_pass);
        *energy = sum;
    }

    /// Sets inaudibly small filter states to 0. Arithmetic with subnormal numbers is slow.
    pub fn flush_denormals(&mut self) {
        self.shelf.flush_denormals();
        self.high_pass.flush_denormals();
    }
}

/// A biquad filter in transposed direct form II.
#[derive(Debug, Clone, Copy)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
    state: [[f64; 2]; 2],
}

impl Section {
    /// The first stage. BS.1770 has coefficients for 48 kHz only. These parameters of the underlying analogue
    /// filter are valid for any rate (Brecht De Man, "Evaluation of implementations of the EBU R128 loudness
    /// measurement", 2018).
    fn shelf(rate_hz: u32) -> Self {
        const CENTRE_HZ: f64 = 1681.974450955533;
        const GAIN_DB: f64 = 3.999843853973347;
        const QUALITY: f64 = 0.7071752369554196;
        let k = (PI * CENTRE_HZ / f64::from(rate_hz)).tan();
        let high = 10_f64.powf(GAIN_DB / 20.0);
        let band = high.powf(0.4996667741545416);
        let a0 = 1.0 + k / QUALITY + k * k;
        Self::new(
            [
                (high + band * k / QUALITY + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - band * k / QUALITY + k * k) / a0,
            ],
            [2.0 * (k * k - 1.0) / a0, (1.0 - k / QUALITY + k * k) / a0],
        )
    }

    /// The second stage, from the same source.
    fn high_pass(rate_hz: u32) -> Self {
        const CORNER_HZ: f64 = 38.13547087602444;
        const QUALITY: f64 = 0.5003270373238773;
        let k = (PI * CORNER_HZ / f64::from(rate_hz)).tan();
        let a0 = 1.0 + k / QUALITY + k * k;
        Self::new([1.0, -2.0, 1.0], [2.0 * (k * k - 1.0) / a0, (1.0 - k / QUALITY + k * k) / a0])
    }

    fn new(b: [f64; 3], a: [f64; 2]) -> Self {
        Self { b, a, state: [[0.0; 2]; 2] }
    }

    #[inline(always)]
    fn next(&mut self, input: [f64; 2]) -> [f64; 2] {
        let mut output = [0.0; 2];
        for lane in 0..2 {
            output[lane] = self.b[0] * input[lane] + self.state[0][lane];
            self.state[0][lane] = (self.b[1] * input[lane] + self.state[1][lane]) - self.a[0] * output[lane];
            self.state[1][lane] = self.b[2] * input[lane] - self.a[1] * output[lane];
        }
        output
    }

    fn flush_denormals(&mut self) {
        for value in self.state.as_flattened_mut() {
            if value.abs() < 1e-30 {
                *value = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_at_48_khz_equal_the_recommendation() {
        let assert_close = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        };
        let shelf = Section::shelf(48_000);
        let expected = [1.53512485958697, -2.69169618940638, 1.19839281085285];
        shelf.b.into_iter().zip(expected).for_each(|(found, expected)| assert_close(found, expected));
        let expected = [-1.69065929318241, 0.73248077421585];
        shelf.a.into_iter().zip(expected).for_each(|(found, expected)| assert_close(found, expected));
        let expected = [-1.99004745483398, 0.99007225036621];
        let high_pass = Section::high_pass(48_000);
        high_pass.a.into_iter().zip(expected).for_each(|(found, expected)| assert_close(found, expected));
    }

    #[test]
    fn filter_state_decays_to_zero() {
        let mut filter = KWeighting::new(48_000);
        filter.add_energy(&[1.0], &[-1.0], &mut [0.0; 2]);
        for _ in 0..1000 {
            filter.add_energy(&[0.0; 480], &[0.0; 480], &mut [0.0; 2]);
            filter.flush_denormals();
        }
        assert_eq!(filter.high_pass.state, [[0.0; 2]; 2]);
        assert_eq!(filter.shelf.state, [[0.0; 2]; 2]);
    }
}

//! Percentiles of times.

use std::time::Duration;

/// The times at which a half and 99 % of the measurements have ended, in milliseconds.
pub fn percentiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
    let milliseconds = |percent| at(percent).map_or(f64::NAN, |time| (time.as_secs_f64() * 100_000.0).round() / 100.0);
    (milliseconds(50), milliseconds(99))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_a_measured_time() {
        let times: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentiles(times), (101.0, 199.0));
        assert_eq!(percentiles(vec![Duration::from_micros(1_234)]), (1.23, 1.23));
    }
}

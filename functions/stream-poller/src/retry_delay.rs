//! Delays between attempts.

use std::time::Duration;

/// Exponential backoff with a longest delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    factor: f64,
    next: Duration,
}

impl Backoff {
    /// Delays from `first` to `longest`, each longer by `factor`.
    pub fn new(first: Duration, longest: Duration, factor: f64) -> Self {
        Self { first, longest, factor, next: first }
    }

    /// The next delay.
    pub fn next_delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.mul_f64(self.factor).min(self.longest);
        delay
    }

    /// Starts again with the first delay.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// The delay after `failures` previous failures.
    pub fn delay_after(&self, failures: u32) -> Duration {
        let growth = self.factor.powi(i32::try_from(failures.min(64)).unwrap_or(64));
        self.first.mul_f64(growth.min(1e6)).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_longest_until_reset() {
        let millis = Duration::from_millis;
        let mut backoff = Backoff::new(millis(50), millis(300), 2.0);
        let delays: Vec<_> = (0..5).map(|_| backoff.next_delay()).collect();
        assert_eq!(delays, [50, 100, 200, 300, 300].map(millis));
        assert_eq!((0..5).map(|failures| backoff.delay_after(failures)).collect::<Vec<_>>(), delays);
        assert_eq!(backoff.delay_after(u32::MAX), millis(300));
        backoff.reset();
        assert_eq!(backoff.next_delay(), millis(50));
    }
}

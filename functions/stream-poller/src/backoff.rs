//! How long to wait before the next try.

use std::time::Duration;

/// Waits that grow by a factor, up to a longest one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    first: Duration,
    longest: Duration,
    factor: f64,
    next: Duration,
}

impl Pace {
    /// Waits from `first` to `longest`.
    pub fn new(first: Duration, longest: Duration, factor: f64) -> Self {
        Self { first, longest, factor, next: first }
    }

    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.mul_f64(self.factor).min(self.longest);
        wait
    }

    /// Begins with the first one again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// The wait after so many failures, of which the first has number 0.
    pub fn after(&self, failures: u32) -> Duration {
        let times = self.factor.powi(i32::try_from(failures.min(64)).unwrap_or(64));
        self.first.mul_f64(times.min(1e6)).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_longest_and_begins_again() {
        let millis = Duration::from_millis;
        let mut backoff = Pace::new(millis(50), millis(300), 2.0);
        let waits: Vec<_> = (0..5).map(|_| backoff.wait()).collect();
        assert_eq!(waits, [50, 100, 200, 300, 300].map(millis));
        assert_eq!((0..5).map(|failures| backoff.after(failures)).collect::<Vec<_>>(), waits);
        assert_eq!(backoff.after(u32::MAX), millis(300));
        backoff.reset();
        assert_eq!(backoff.wait(), millis(50));
    }
}

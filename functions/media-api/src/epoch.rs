use std::time::Duration;

use jiff::Timestamp;

/// How long links work alike, in seconds.
const SECONDS: i64 = 5 * 60;

/// A time in which links work alike, so that what holds them may be kept and asked for again by its
/// `ETag`: whoever is told in an epoch that nothing changed has links from that epoch, which work for
/// ten more minutes at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(i64);

impl Epoch {
    /// The epoch of `now`.
    pub fn of(now: Timestamp) -> Self {
        Self(now.as_second().div_euclid(SECONDS))
    }

    /// Its number.
    pub fn number(self) -> i64 {
        self.0
    }

    /// When it starts, since 1970.
    pub fn start(self) -> Duration {
        Duration::from_secs(u64::try_from(self.0 * SECONDS).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_work_alike_for_five_minutes() {
        let at = |text: &str| Epoch::of(text.parse().expect("a time"));
        assert_eq!(at("2026-11-22T00:00:00Z"), at("2026-11-22T00:04:59.999Z"));
        assert_ne!(at("2026-11-22T00:04:59.999Z"), at("2026-11-22T00:05:00Z"));
        let start = Timestamp::UNIX_EPOCH + at("2026-11-22T00:09:59Z").start();
        assert_eq!(start.to_string(), "2026-11-22T00:05:00Z");
    }
}

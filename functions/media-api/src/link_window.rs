use std::time::Duration;

use jiff::Timestamp;

/// The length of a window, in seconds.
const SECONDS: i64 = 5 * 60;

/// A period of five minutes. All links that are made in it expire at the same time.
///
/// The window is part of the `ETag`, so a client may revalidate a response with links. A client that receives 304 has links
/// of the present window, which work for at least ten more minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkWindow(i64);

impl LinkWindow {
    /// The window that contains `now`.
    pub fn of(now: Timestamp) -> Self {
        Self(now.as_second().div_euclid(SECONDS))
    }

    /// The number of windows since 1970.
    pub fn number(self) -> i64 {
        self.0
    }

    /// The start of the window, since 1970.
    pub fn start(self) -> Duration {
        Duration::from_secs(u64::try_from(self.0 * SECONDS).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_lasts_five_minutes() {
        let at = |text: &str| LinkWindow::of(text.parse().expect("a time"));
        assert_eq!(at("2026-11-22T00:00:00Z"), at("2026-11-22T00:04:59.999Z"));
        assert_ne!(at("2026-11-22T00:04:59.999Z"), at("2026-11-22T00:05:00Z"));
        let start = Timestamp::UNIX_EPOCH + at("2026-11-22T00:09:59Z").start();
        assert_eq!(start.to_string(), "2026-11-22T00:05:00Z");
    }
}

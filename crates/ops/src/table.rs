//! Text output of durations.

use std::time::Duration;

use jiff::Timestamp;

/// The time from `earlier` to `later`; zero if `later` is before `earlier`.
pub fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    later.duration_since(earlier).try_into().unwrap_or_default()
}

/// A duration in its two largest units: `3 d 4 h`, `5 min 2 s`, `0 s`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let first = parts.iter().position(|(number, _)| *number > 0).unwrap_or(parts.len() - 1);
    let shown: Vec<_> = parts[first..].iter().take(2).map(|(number, unit)| format!("{number} {unit}")).collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_has_its_two_largest_units() {
        for (seconds, text) in [(0, "0 s"), (62, "1 min 2 s"), (3_600, "1 h 0 min"), (266_400, "3 d 2 h")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
        assert_eq!(between(Timestamp::constant(9, 0), Timestamp::constant(3, 0)), Duration::ZERO);
    }
}

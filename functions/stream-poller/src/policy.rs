//! What to do where the stream cannot be read on. All of it stops by default: somebody decides.

use std::str::FromStr;

/// A setting has a value that it cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one of {0} is expected")]
pub struct UnknownChoice(&'static str);

/// Whether an invocation stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Until its deadline or its successor: changes are told at once.
    #[default]
    Follow,
    /// Until the stream is idle: cheaper, and a change waits for the next tick.
    Drain,
}

/// What to do where records are gone before they were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnLoss {
    /// Fail, at every tick, until somebody has decided.
    #[default]
    RunError,
    /// Go on with the oldest record that there is.
    Oldest,
}

/// What to do about commits that are missing, and stay so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnGap {
    /// Fail, at every tick, until somebody has decided.
    #[default]
    RunError,
    /// Go on behind the gap.
    Skip,
}

/// Where to begin when nothing was ever published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StartAt {
    /// At the oldest record that there is.
    #[default]
    Oldest,
    /// With the next record.
    Latest,
}

/// What the template says of all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether an invocation stays.
    pub mode: Mode,
    /// Without a checkpoint.
    pub start_at: StartAt,
    /// Records have expired.
    pub on_expiry: OnLoss,
    /// Commits are missing.
    pub on_gap: OnGap,
    /// The stream was deleted and began anew.
    pub on_reset: OnLoss,
}

macro_rules! choices {
    ($type:ty, $expected:literal, $($text:literal => $value:expr),+) => {
        impl FromStr for $type {
            type Err = UnknownChoice;

            fn from_str(text: &str) -> Result<Self, UnknownChoice> {
                match text {
                    $($text => Ok($value),)+
                    _ => Err(UnknownChoice($expected)),
                }
            }
        }
    };
}

choices!(Mode, "follow, drain", "follow" => Self::Follow, "drain" => Self::Drain);
choices!(OnLoss, "stop, oldest", "stop" => Self::RunError, "oldest" => Self::Oldest);
choices!(OnGap, "stop, skip", "stop" => Self::RunError, "skip" => Self::Skip);
choices!(StartAt, "oldest, latest", "oldest" => Self::Oldest, "latest" => Self::Latest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_taken_and_nothing_is_lost_by_default() {
        assert_eq!("oldest".parse(), Ok(OnLoss::Oldest));
        assert!("Oldest".parse::<OnLoss>().is_err() && "".parse::<OnGap>().is_err());
        let Policy { on_expiry, on_gap, on_reset, .. } = Policy::default();
        assert_eq!((on_expiry, on_gap, on_reset), (OnLoss::RunError, OnGap::RunError, OnLoss::RunError));
    }
}

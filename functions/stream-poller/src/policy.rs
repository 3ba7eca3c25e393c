//! The reaction to lost records. By default the run fails, and an operator decides.

use std::str::FromStr;

/// A setting with an unknown value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of: {0}")]
pub struct UnknownChoice(&'static str);

/// The end of an invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// At its deadline or the handover. Changes are published at once.
    #[default]
    Follow,
    /// When the stream is idle. Cheaper, but changes wait for the next tick.
    Drain,
}

/// The reaction to lost records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnLoss {
    /// Fail at each tick until an operator changes the policy.
    #[default]
    Fail,
    /// Continue with the oldest record.
    Oldest,
}

/// The reaction to a permanent gap in commit numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnGap {
    /// Fail at each tick until an operator changes the policy.
    #[default]
    Fail,
    /// Continue after the gap.
    Skip,
}

/// The start of the stream without a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StartAt {
    /// With the oldest record.
    #[default]
    Oldest,
    /// With the next record.
    Latest,
}

/// The policy, set by parameters of the template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// The end of an invocation.
    pub mode: Mode,
    /// The start of the stream without a checkpoint.
    pub start_at: StartAt,
    /// The reaction to expired records.
    pub on_expiry: OnLoss,
    /// The reaction to missing commits.
    pub on_gap: OnGap,
    /// The reaction to a fast reset.
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
choices!(OnLoss, "stop, oldest", "stop" => Self::Fail, "oldest" => Self::Oldest);
choices!(OnGap, "stop, skip", "stop" => Self::Fail, "skip" => Self::Skip);
choices!(StartAt, "oldest, latest", "oldest" => Self::Oldest, "latest" => Self::Latest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_value_is_rejected_and_defaults_lose_nothing() {
        assert_eq!("oldest".parse(), Ok(OnLoss::Oldest));
        assert!("Oldest".parse::<OnLoss>().is_err() && "".parse::<OnGap>().is_err());
        let Policy { on_expiry, on_gap, on_reset, .. } = Policy::default();
        assert_eq!((on_expiry, on_gap, on_reset), (OnLoss::Fail, OnGap::Fail, OnLoss::Fail));
    }
}

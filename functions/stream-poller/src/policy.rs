//! The reaction to lost records. By default the run fails, and an operator decides.

use serde::Deserialize;

/// The end of an invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// At its deadline or the handover. Changes are published at once.
    #[default]
    Follow,
    /// When the stream is idle. Cheaper, but changes wait for the next tick.
    Drain,
}

/// The reaction to lost records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnLoss {
    /// Fail at each tick until an operator changes the policy.
    #[default]
    #[serde(rename = "stop")]
    Fail,
    /// Continue with the oldest record.
    Oldest,
}

/// The reaction to a permanent gap in commit numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnGap {
    /// Fail at each tick until an operator changes the policy.
    #[default]
    #[serde(rename = "stop")]
    Fail,
    /// Continue after the gap.
    Skip,
}

/// The start of the stream without a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartAt {
    /// With the oldest record.
    #[default]
    Oldest,
    /// With the next record.
    Latest,
}

/// The policy, set by parameters of the template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", default)]
pub struct Policy {
    /// The end of an invocation.
    #[serde(rename = "POLL_MODE")]
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_value_is_rejected_and_defaults_lose_nothing() {
        let policy = |value: &str| serde_json::from_value::<Policy>(json!({"ON_EXPIRY": value}));
        assert_eq!(policy("oldest").expect("a policy").on_expiry, OnLoss::Oldest);
        assert!(policy("Oldest").is_err() && policy("").is_err() && policy("skip").is_err());
        let Policy { on_expiry, on_gap, on_reset, .. } = Policy::default();
        assert_eq!((on_expiry, on_gap, on_reset), (OnLoss::Fail, OnGap::Fail, OnLoss::Fail));
    }
}

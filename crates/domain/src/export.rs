//! A person's copy of everything that is stored about them: its message, its states, and its times.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a copy can be downloaded after it is ready.
pub const DOWNLOADABLE: SignedDuration = SignedDuration::from_hours(24);
/// After this time a copy that is not ready has failed. Its parts are deleted soon after.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(36);
/// The bound on the messages of one copy, so that a mistake cannot make a function send to itself without end. A turn
/// copies some gigabytes.
const MAX_TURNS: u32 = 2_000;

/// The message that starts or continues a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "app.iyagi.account.export")]
pub struct ExportJob {
    /// The `sub` of the account.
    pub user: String,
    /// Name in the user pool.
    pub username: String,
    /// Id of the copy: random, unique.
    pub id: String,
    /// How many turns were done before.
    #[serde(default)]
    pub turn: u32,
}

/// The message to `push-fanout`: the copy of a person can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "app.iyagi.push.export_ready")]
pub struct ExportReady {
    /// The `sub` of the account.
    pub user: String,
    /// Id of the copy.
    pub id: String,
    /// When it was ready.
    pub ready_at: Timestamp,
}

/// What is stored about the state of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredState {
    /// The copy is being made.
    Pending,
    /// The copy was complete.
    Ready,
    /// The copy cannot be made.
    Failed,
}

/// The state of a copy at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportState {
    /// The copy is being made.
    Pending,
    /// The copy can be downloaded until this time.
    Ready {
        /// End of the download.
        until: Timestamp,
    },
    /// The copy could not be made.
    Failed,
    /// The copy can no longer be downloaded.
    Expired,
}

impl ExportJob {
    /// The message after a turn; `None` if there were too many.
    pub fn next_turn(&self) -> Option<Self> {
        let turn = self.turn.checked_add(1).filter(|turn| *turn <= MAX_TURNS)?;
        Some(Self { turn, ..self.clone() })
    }
}

impl ExportState {
    /// The state at `now` of a copy that was requested at `created_at` and was ready at `ready_at`.
    pub fn at(now: Timestamp, stored: StoredState, created_at: Timestamp, ready_at: Option<Timestamp>) -> Self {
        let after = |time: Timestamp, span| time.checked_add(span).unwrap_or(Timestamp::MAX);
        match (stored, ready_at) {
            (StoredState::Pending, _) if now < after(created_at, GIVEN_UP_AFTER) => Self::Pending,
            (StoredState::Ready, Some(ready_at)) => {
                let until = after(ready_at, DOWNLOADABLE);
                if now < until { Self::Ready { until } } else { Self::Expired }
            }
            (StoredState::Pending | StoredState::Failed | StoredState::Ready, _) => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_795_305_600 + hours * 3_600).expect("a time")
    }

    fn job() -> ExportJob {
        ExportJob { user: "mina".into(), username: "m".into(), id: "e1".into(), turn: 0 }
    }

    #[test]
    fn copy_can_be_downloaded_for_a_day() {
        let state = |hours| ExportState::at(at(hours), StoredState::Ready, at(0), Some(at(2)));
        assert_eq!(state(2), ExportState::Ready { until: at(26) });
        assert_eq!(state(25), ExportState::Ready { until: at(26) });
        assert_eq!(state(26), ExportState::Expired);
    }

    #[test]
    fn copy_that_never_gets_ready_has_failed() {
        let state = |hours, stored| ExportState::at(at(hours), stored, at(0), None);
        assert_eq!(state(35, StoredState::Pending), ExportState::Pending);
        assert_eq!(state(36, StoredState::Pending), ExportState::Failed);
        assert_eq!(state(0, StoredState::Failed), ExportState::Failed);
        assert_eq!(state(0, StoredState::Ready), ExportState::Failed, "a row without its time");
    }

    #[test]
    fn turns_have_a_bound() {
        let mut job = job();
        for turn in 1..=MAX_TURNS {
            job = job.next_turn().expect("a turn");
            assert_eq!(job.turn, turn);
        }
        assert_eq!(job.next_turn(), None);
    }

    proptest! {
        #[test]
        fn malformed_message_is_parsed_or_rejected(
            text in malformed_inputs::documents(&[r#"{"type":"app.iyagi.account.export","user":"mina","username":"m","id":"e1","turn":3}"#]),
        ) {
            if let Ok(job) = serde_json::from_str::<ExportJob>(&text) {
                let json = serde_json::to_string(&job).expect("JSON");
                prop_assert_eq!(serde_json::from_str::<ExportJob>(&json).expect("a job"), job);
            }
        }
    }
}

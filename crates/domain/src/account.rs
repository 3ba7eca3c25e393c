//! Erasure of an account: its steps, and the messages that carry it from function to function.
//!
//! ```text
//! account-api ── steps of its own ─▶ device-api ─▶ account-api ─▶ push-fanout ─▶ account-api ─▶ …
//! ```
//! Each message carries the erasure; the function that has done a step sends the next one. Every step may run twice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A step of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasureStep {
    /// The user can no longer sign in.
    Lock,
    /// The owner of the graph gets an event.
    Announce,
    /// Originals with all versions, and unfinished uploads. Their deletion removes derivatives and items.
    Originals,
    /// Devices, endpoints, preferences: by `device-api`.
    Devices,
    /// Ledger and inbox: by `push-fanout`.
    Notifications,
    /// How far the user has read the inbox.
    ReadMark,
    /// What counts to the user's budgets; reports by the user, and about their items.
    Quotas,
    /// Access tokens and signed uploads expire.
    Wait,
    /// The user in the user pool.
    Account,
}

/// All steps in order. What users stored with tokens that were still valid is removed after these have expired.
const STEPS: [ErasureStep; 14] = [
    ErasureStep::Lock,
    ErasureStep::Announce,
    ErasureStep::Originals,
    ErasureStep::Devices,
    ErasureStep::Notifications,
    ErasureStep::ReadMark,
    ErasureStep::Quotas,
    ErasureStep::Wait,
    ErasureStep::Originals,
    ErasureStep::Devices,
    ErasureStep::Notifications,
    ErasureStep::ReadMark,
    ErasureStep::Quotas,
    ErasureStep::Account,
];

/// The bound on the turns of a step, so that a mistake cannot make a function send to itself without end.
const MAX_REPEATS: u32 = 10_000;

/// Number of steps.
pub const ERASURE_STEPS: usize = STEPS.len();

/// An erasure before one of its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "app.iyagi.account.erasure")]
pub struct Erasure {
    /// The `sub` of the account.
    pub user: String,
    /// Name in the user pool.
    pub username: String,
    /// When the user asked for it.
    pub started_at: Timestamp,
    /// Number of steps that are done.
    pub done: usize,
    /// How often the next step was begun before, because it had not finished.
    #[serde(default)]
    pub repeats: u32,
}

/// The message to `device-api`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "app.iyagi.devices.erasure")]
pub struct DeviceErasure {
    /// The erasure before the step [`ErasureStep::Devices`].
    pub erasure: Erasure,
}

/// A table that `push-fanout` erases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasedTable {
    /// The delivery ledger.
    Ledger,
    /// The inbox.
    Inbox,
}

/// The message to `push-fanout`: a page of its tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "app.iyagi.push.erasure")]
pub struct NotificationErasure {
    /// The erasure before the step [`ErasureStep::Notifications`].
    pub erasure: Erasure,
    /// The table.
    pub table: ErasedTable,
    /// Key of the last row of the page before.
    pub after: Option<Vec<String>>,
    /// Number of the page in its table, from 0.
    #[serde(default)]
    pub number: u32,
}

impl Erasure {
    /// An erasure before its first step.
    pub fn start(user: &str, username: &str, now: Timestamp) -> Self {
        Self { user: user.to_owned(), username: username.to_owned(), started_at: now, done: 0, repeats: 0 }
    }

    /// The step to do next; `None` if all are done.
    pub fn step(&self) -> Option<ErasureStep> {
        STEPS.get(self.done).copied()
    }

    /// The erasure after its next step.
    #[must_use]
    pub fn after_step(&self) -> Self {
        Self { done: self.done.saturating_add(1), repeats: 0, ..self.clone() }
    }

    /// The erasure before the same step again; `None` if it was repeated too often. A million files need 10,000 repeats.
    pub fn again(&self) -> Option<Self> {
        let repeats = self.repeats.checked_add(1).filter(|repeats| *repeats <= MAX_REPEATS)?;
        Some(Self { repeats, ..self.clone() })
    }
}

impl DeviceErasure {
    /// Parses a message of the queue of `device-api`, where events of SNS arrive, too. `None` for those.
    pub fn parse(body: &str) -> Option<Self> {
        // serde does not compare the type of a struct.
        let message: serde_json::Value = serde_json::from_str(body).ok()?;
        (message.get("type")? == "app.iyagi.devices.erasure").then(|| serde_json::from_value(message).ok())?
    }
}

impl NotificationErasure {
    /// The first page.
    pub fn start(erasure: Erasure) -> Self {
        Self { erasure, table: ErasedTable::Ledger, after: None, number: 0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn erasure() -> Erasure {
        Erasure::start("mina", "mina@iyagi.example", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn step_is_repeated_within_a_bound_and_the_next_one_counts_from_zero() {
        let mut repeated = erasure();
        for _ in 0..MAX_REPEATS {
            repeated = repeated.again().expect("a repeat");
        }
        assert_eq!((repeated.again(), repeated.done), (None, 0));
        assert_eq!(repeated.after_step(), erasure().after_step());
    }

    #[test]
    fn user_is_locked_first_and_the_account_goes_last_after_everything_was_erased_twice() {
        let mut steps = Vec::new();
        let mut erasure = erasure();
        while let Some(step) = erasure.step() {
            steps.push(step);
            erasure = erasure.after_step();
        }
        assert_eq!((steps.first(), steps.last()), (Some(&ErasureStep::Lock), Some(&ErasureStep::Account)));
        let wait = steps.iter().position(|step| *step == ErasureStep::Wait).expect("a wait");
        for step in [
            ErasureStep::Originals,
            ErasureStep::Devices,
            ErasureStep::Notifications,
            ErasureStep::ReadMark,
            ErasureStep::Quotas,
        ] {
            let at: Vec<_> = (0..steps.len()).filter(|index| steps[*index] == step).collect();
            assert!(matches!(at[..], [before, after] if before < wait && wait < after), "{step:?}: {at:?}");
        }
        // The devices' tombstone stops push-fanout from adding to what it has erased.
        let first = |step| steps.iter().position(|other| *other == step);
        assert!(first(ErasureStep::Devices) < first(ErasureStep::Notifications));
        assert_eq!(steps.len(), ERASURE_STEPS);
    }

    #[test]
    fn messages_are_told_apart_by_their_type() {
        let page = NotificationErasure { after: Some(vec!["a".into()]), ..NotificationErasure::start(erasure()) };
        let json = serde_json::to_string(&page).expect("JSON");
        assert!(json.contains(r#""type":"app.iyagi.push.erasure""#), "{json}");
        assert_eq!(serde_json::from_str::<NotificationErasure>(&json).expect("a page"), page);
        assert!(serde_json::from_str::<Erasure>(&json).is_err());
        assert_eq!(DeviceErasure::parse(&json), None);
        let devices = DeviceErasure { erasure: erasure() };
        assert_eq!(DeviceErasure::parse(&serde_json::to_string(&devices).expect("JSON")), Some(devices));
        assert_eq!(DeviceErasure::parse(r#"{"EventType":"DeliveryFailure"}"#), None);
    }

    proptest! {
        #[test]
        fn malformed_message_is_parsed_or_rejected(
            text in malformed_inputs::documents(&[r#"{"type":"app.iyagi.account.erasure","user":"mina","username":"m","started_at":"2026-11-22T00:00:00Z","done":3}"#]),
        ) {
            if let Ok(erasure) = serde_json::from_str::<Erasure>(&text) {
                let _ = erasure.step();
                let json = serde_json::to_string(&erasure.after_step()).expect("JSON");
                prop_assert!(serde_json::from_str::<Erasure>(&json).is_ok());
            }
        }
    }
}

use std::collections::BTreeMap;

use domain::push::Platform;
use serde::{Deserialize, Serialize};

use super::notice::Notice;

/// A phone, as its owner has set it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Whose it is.
    pub name: String,
    /// Its language, as in `ko-KR`.
    pub language: String,
    /// Its operating system.
    pub platform: Platform,
}

/// What FCM says of a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reachability {
    /// The phone is there.
    #[default]
    Online,
    /// The phone is off: messages wait for it until their time to live is over.
    Offline,
    /// `UNREGISTERED`: the app has gone or has another token.
    Stale,
    /// `INVALID_ARGUMENT`: FCM never gave out such a token.
    Invalid,
}

/// A notification that has come to a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// All that happens is numbered from 1, in this order.
    pub sequence: u64,
    /// When SNS took it, in milliseconds since 1970.
    pub accepted_at: i64,
    /// When the phone got it, in milliseconds since 1970.
    pub received_at: i64,
    /// Whose phone it is.
    pub phone: String,
    /// Its token.
    pub token: String,
    /// Its language.
    pub language: String,
    /// Its operating system.
    pub platform: Platform,
    /// What it shows.
    #[serde(flatten)]
    pub notice: Notice,
    /// Whether it took the place of an older one.
    pub replaced: bool,
    /// For the app.
    pub data: BTreeMap<String, String>,
    /// The endpoint that was published to.
    pub endpoint_arn: String,
    /// SNS's id.
    pub message_id: String,
}

/// A message that SNS took and no phone shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UndisplayedMessage {
    /// All that happens is numbered from 1, in this order.
    pub sequence: u64,
    /// When that was clear, in milliseconds since 1970.
    pub at: i64,
    /// The phone's token.
    pub token: String,
    /// The endpoint that was published to.
    pub endpoint_arn: String,
    /// SNS's id.
    pub message_id: String,
    /// UndisplayedReason.
    pub reason: UndisplayedReason,
}

/// UndisplayedReason a message is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UndisplayedReason {
    /// It is for the app only.
    DataOnly,
    /// Its phone was off for longer than it lives.
    Expired,
    /// A newer one with its collapse key came while the phone was off.
    Collapsed,
    /// Too many waited.
    Dropped,
    /// `UNREGISTERED`.
    Stale,
    /// `INVALID_ARGUMENT`, and FCM's reason.
    Invalid(String),
    /// It was to be checked only.
    ValidateOnly,
}

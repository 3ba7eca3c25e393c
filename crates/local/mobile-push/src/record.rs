use std::collections::BTreeMap;

use domain::push::Platform;
use serde::{Deserialize, Serialize};

use super::notice::Notice;

/// The settings of a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Name of the owner.
    pub name: String,
    /// Language tag, such as `ko-KR`.
    pub language: String,
    /// Operating system.
    pub platform: Platform,
}

/// Whether FCM can reach a phone by its token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reachability {
    /// The phone is online.
    #[default]
    Online,
    /// The phone is offline: messages stay pending until their time to live ends.
    Offline,
    /// `UNREGISTERED`: the app was removed or has another token.
    Stale,
    /// `INVALID_ARGUMENT`: FCM never issued this token.
    Invalid,
}

/// A notification that a phone received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Sequence number among all events, from 1.
    pub sequence: u64,
    /// When SNS accepted the message, in milliseconds since 1970.
    pub accepted_at: i64,
    /// When the phone received it, in milliseconds since 1970.
    pub received_at: i64,
    /// Name of the phone's owner.
    pub phone: String,
    /// FCM token.
    pub token: String,
    /// Language tag of the phone.
    pub language: String,
    /// Operating system.
    pub platform: Platform,
    /// The displayed part.
    #[serde(flatten)]
    pub notice: Notice,
    /// Whether it replaced a displayed notification.
    pub replaced: bool,
    /// Data for the app.
    pub data: BTreeMap<String, String>,
    /// ARN of the endpoint.
    pub endpoint_arn: String,
    /// SNS message id.
    pub message_id: String,
}

/// A message that SNS accepted and no phone displays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UndisplayedMessage {
    /// Sequence number among all events, from 1.
    pub sequence: u64,
    /// Time of the event in milliseconds since 1970.
    pub at: i64,
    /// FCM token.
    pub token: String,
    /// ARN of the endpoint.
    pub endpoint_arn: String,
    /// SNS message id.
    pub message_id: String,
    /// The reason.
    #[serde(rename = "why")]
    pub reason: UndisplayedReason,
}

/// Why a message is not displayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UndisplayedReason {
    /// The message is for the app only.
    DataOnly,
    /// The phone was offline for longer than the time to live.
    Expired,
    /// A newer message with the same collapse key replaced it while the phone was offline.
    Collapsed,
    /// Too many messages were pending.
    Dropped,
    /// `UNREGISTERED`.
    Stale,
    /// `INVALID_ARGUMENT`, with FCM's message.
    Invalid(String),
    /// `validate_only` was set.
    ValidateOnly,
}

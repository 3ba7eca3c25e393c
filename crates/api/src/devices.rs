use std::collections::BTreeSet;

use domain::push::{self, Category, InvalidQuietHours, Platform, Token};
use serde::{Deserialize, Serialize};

use crate::object::{optional_object, or_default};

/// Longest language tag in characters (RFC 5646, 4.4.1).
pub const MAX_LANGUAGE_CHARACTERS: usize = 35;

/// Registration of an app on a phone.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct DeviceRegistration {
    /// Registration token of FCM.
    pub token: Token,
    /// Operating system of the phone.
    pub platform: Platform,
    /// Language of the app, as a BCP 47 tag.
    #[serde(default)]
    #[cfg_attr(
        feature = "document",
        schema(examples("ko"), max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")
    )]
    pub language: Option<String>,
}

/// A device of the caller, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Device {
    /// Id of the device, chosen by the app.
    #[cfg_attr(feature = "document", schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"))]
    pub id: String,
    /// Operating system of the phone.
    pub platform: Platform,
    /// Language of the app, as a BCP 47 tag. Absent if the app sent none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Time of the last registration: RFC 3339 in UTC, with milliseconds.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub last_seen: String,
}

/// All devices of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct DeviceList {
    /// At most 20 devices. Registering one more removes the one with the oldest `lastSeen`.
    pub items: Vec<Device>,
}

/// Notification preferences of a user. By default all notifications are delivered, with sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct NotificationPreferences {
    /// Muted categories: the user gets no notifications of them.
    #[serde(default, deserialize_with = "or_default")]
    #[cfg_attr(feature = "document", schema(value_type = Vec<Category>, default = json!([])))]
    pub muted: BTreeSet<Category>,
    /// Hours in which notifications make no sound. Absent: never.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Whether notifications name no person and no title. They keep the ids that the app needs to open them.
    #[serde(default, deserialize_with = "or_default")]
    #[cfg_attr(feature = "document", schema(default = false))]
    pub hide_content: bool,
}

/// Part of every day, in local time, in which notifications make no sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct QuietHours {
    /// First quiet minute, `HH:MM`.
    #[cfg_attr(feature = "document", schema(examples("22:00"), pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: String,
    /// First minute after the quiet hours, `HH:MM`. It is before `from` if midnight lies between, and must
    /// differ from `from`.
    #[cfg_attr(feature = "document", schema(examples("07:00"), pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub to: String,
    /// IANA name of the user's time zone.
    #[cfg_attr(feature = "document", schema(examples("Asia/Seoul"), format = "iana-time-zone"))]
    pub time_zone: String,
}

impl TryFrom<NotificationPreferences> for push::Preferences {
    type Error = InvalidQuietHours;

    fn try_from(preferences: NotificationPreferences) -> Result<Self, InvalidQuietHours> {
        let NotificationPreferences { muted, quiet_hours, hide_content } = preferences;
        let parse = |QuietHours { from, to, time_zone }| push::QuietHours::new(&from, &to, &time_zone);
        Ok(Self { muted, quiet_hours: quiet_hours.map(parse).transpose()?, hide_content })
    }
}

impl From<push::Preferences> for NotificationPreferences {
    fn from(preferences: push::Preferences) -> Self {
        let push::Preferences { muted, quiet_hours, hide_content } = preferences;
        let to_response = |hours: push::QuietHours| QuietHours {
            from: hours.start(),
            to: hours.end(),
            time_zone: hours.time_zone().to_owned(),
        };
        Self { muted, quiet_hours: quiet_hours.map(to_response), hide_content }
    }
}

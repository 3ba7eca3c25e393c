use std::collections::BTreeSet;

use domain::push::{self, Category, InvalidQuietHours, Platform, Token};
use serde::{Deserialize, Serialize};

use crate::object::{present, present_object};

/// The longest language tag that is taken (RFC 5646, 4.4.1).
pub const MAX_LANGUAGE_CHARACTERS: usize = 35;

/// What an app says of itself and its phone.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct DeviceRegistration {
    /// The token that FCM gave the app.
    pub token: Token,
    /// What the phone runs.
    pub platform: Platform,
    /// The app's language, as a BCP 47 tag.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(
        feature = "document",
        schema(nullable = false, examples("ko"), max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")
    )]
    pub language: Option<String>,
}

/// A device as its user sees it, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Device {
    /// As the app chose it.
    #[cfg_attr(feature = "document", schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"))]
    pub id: String,
    /// What it runs.
    pub platform: Platform,
    /// A BCP 47 tag, if the app named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub language: Option<String>,
    /// When it was registered last: RFC 3339 in UTC, to the millisecond.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub last_seen: String,
}

/// All devices of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct DeviceList {
    /// At most 20: whoever signs in on one more loses the one that was seen last the longest time ago.
    pub items: Vec<Device>,
}

/// What a user wants to be told of. Whoever chose nothing is told of everything, at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct NotificationPreferences {
    /// What they do not want to be told of.
    #[serde(default)]
    #[cfg_attr(feature = "document", schema(value_type = Vec<Category>, default = json!([])))]
    pub muted: BTreeSet<Category>,
    /// When notifications make no sound; never, if absent.
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub quiet_hours: Option<QuietHours>,
}

/// A part of every day in which notifications make no sound, by the clock on the user's wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct QuietHours {
    /// The first quiet minute, `HH:MM`.
    #[cfg_attr(feature = "document", schema(examples("22:00"), pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: String,
    /// The first minute that is quiet no longer, `HH:MM`: before `from` if midnight lies between, and
    /// never the same.
    #[cfg_attr(feature = "document", schema(examples("07:00"), pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub to: String,
    /// The IANA name of the user's time zone.
    #[cfg_attr(feature = "document", schema(examples("Asia/Seoul"), format = "iana-time-zone"))]
    pub time_zone: String,
}

impl TryFrom<NotificationPreferences> for push::Preferences {
    type Error = InvalidQuietHours;

    fn try_from(preferences: NotificationPreferences) -> Result<Self, InvalidQuietHours> {
        let NotificationPreferences { muted, quiet_hours } = preferences;
        let read = |QuietHours { from, to, time_zone }| push::QuietHours::new(&from, &to, &time_zone);
        Ok(Self { muted, quiet_hours: quiet_hours.map(read).transpose()? })
    }
}

impl From<push::Preferences> for NotificationPreferences {
    fn from(preferences: push::Preferences) -> Self {
        let push::Preferences { muted, quiet_hours } = preferences;
        let write = |hours: push::QuietHours| QuietHours {
            from: hours.start(),
            to: hours.end(),
            time_zone: hours.time_zone().to_owned(),
        };
        Self { muted, quiet_hours: quiet_hours.map(write) }
    }
}

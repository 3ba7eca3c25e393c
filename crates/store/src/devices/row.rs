use domain::push::{Platform, Preferences, Token};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Names the failed step in errors of unreadable rows.
pub const READ: &str = "read a row of the devices";

/// Prefix of the sort keys of devices.
pub const DEVICE_PREFIX: &str = "device#";
/// Sort key of the preferences.
pub const PREFERENCES: &str = "preferences";
/// Sort key of the tombstone of an erased account.
pub const ERASED: &str = "erased";

/// An app on a phone where a user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The user's `sub`.
    pub user: String,
    /// Chosen by the app, unique among the user's devices.
    pub id: String,
    /// The device's SNS endpoint.
    pub endpoint_arn: String,
    /// The device's FCM token. It is never printed.
    pub token: Token,
    /// The phone's operating system.
    pub platform: Platform,
    /// A BCP 47 tag, if the app sent one.
    pub language: Option<String>,
    /// When the app last registered.
    pub last_seen: Timestamp,
    /// Id of the registration that wrote the row. `None` if the version before wrote it.
    pub registration: Option<String>,
}

/// A device that may have a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The user's `sub`.
    pub user: String,
    /// The device's id.
    pub id: String,
    /// The device's SNS endpoint.
    pub endpoint_arn: String,
}

/// A device as DynamoDB stores it.
#[serde_with::skip_serializing_none]
#[derive(Serialize, Deserialize)]
pub struct DeviceRow {
    user: String,
    item: String,
    endpoint_arn: String,
    token: Token,
    token_hash: String,
    platform: Platform,
    language: Option<String>,
    last_seen: Timestamp,
    registration: Option<String>,
}

/// The attributes of the index by token.
#[derive(Deserialize)]
pub struct HolderRow {
    user: String,
    item: String,
    endpoint_arn: String,
}

/// Preferences as DynamoDB stores them.
#[derive(Serialize, Deserialize)]
pub struct PreferencesRow {
    user: String,
    item: String,
    pub preferences: Preferences,
}

/// The row of a token, as DynamoDB stores it.
#[serde_with::skip_serializing_none]
#[derive(Serialize, Deserialize)]
pub struct TokenRow {
    pub user: String,
    pub item: String,
    pub registration: String,
    pub endpoint_arn: String,
    pub holder: Option<String>,
    pub device: Option<String>,
    /// In seconds since 1970.
    pub expires_at: Option<i64>,
}

/// How long the row of a token says that its endpoint is being deleted: longer than any request that has found the
/// endpoint before.
const NOTICE: SignedDuration = SignedDuration::from_hours(24);

impl TokenRow {
    /// Says that the endpoint of `token` is being deleted.
    pub fn deletion_note(token: &Token, endpoint_arn: &str, registration: &str, now: Timestamp) -> Self {
        Self {
            user: token_partition(&token.hash()),
            item: TOKEN_ITEM.to_owned(),
            registration: registration.to_owned(),
            endpoint_arn: endpoint_arn.to_owned(),
            holder: None,
            device: None,
            expires_at: now.checked_add(NOTICE).ok().map(Timestamp::as_second),
        }
    }
}

/// The sort key of the row of a token.
pub const TOKEN_ITEM: &str = "token";

/// The partition key of the row of the token with this hash.
pub fn token_partition(hash: &str) -> String {
    format!("token#{hash}")
}

/// The sort key of the device `id`.
pub fn device_item(id: &str) -> String {
    format!("{DEVICE_PREFIX}{id}")
}

fn device_id(item: &str) -> Result<String, Failure> {
    let id = item.strip_prefix(DEVICE_PREFIX).map(str::to_owned);
    id.ok_or_else(|| Failure::bug(READ, "the sort key is not a device's"))
}

impl From<&Device> for DeviceRow {
    fn from(device: &Device) -> Self {
        Self {
            user: device.user.clone(),
            item: device_item(&device.id),
            endpoint_arn: device.endpoint_arn.clone(),
            token: device.token.clone(),
            token_hash: device.token.hash(),
            platform: device.platform,
            language: device.language.clone(),
            last_seen: device.last_seen,
            registration: device.registration.clone(),
        }
    }
}

impl TryFrom<DeviceRow> for Device {
    type Error = Failure;

    fn try_from(row: DeviceRow) -> Result<Self, Failure> {
        let DeviceRow { user, item, endpoint_arn, token, platform, language, last_seen, registration, token_hash: _ } =
            row;
        Ok(Self { user, id: device_id(&item)?, endpoint_arn, token, platform, language, last_seen, registration })
    }
}

impl TryFrom<HolderRow> for Holder {
    type Error = Failure;

    fn try_from(HolderRow { user, item, endpoint_arn }: HolderRow) -> Result<Self, Failure> {
        Ok(Self { user, id: device_id(&item)?, endpoint_arn })
    }
}

impl PreferencesRow {
    pub fn of(user: &str, preferences: &Preferences) -> Self {
        Self { user: user.to_owned(), item: PREFERENCES.to_owned(), preferences: preferences.clone() }
    }
}

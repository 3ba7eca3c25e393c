use domain::push::Platform;
use serde::Serialize;
use store::devices::Device;

/// All devices of a user.
#[derive(Debug, Serialize)]
pub struct List {
    pub items: Vec<Item>,
}

/// A device as its user sees it: without token and endpoint, which only phones and SNS need.
#[derive(Debug, Serialize)]
pub struct Item {
    id: String,
    platform: Platform,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// RFC 3339 in UTC, to the millisecond.
    last_seen: String,
}

impl From<Device> for Item {
    fn from(device: Device) -> Self {
        let Device { id, platform, language, last_seen, .. } = device;
        Self { id, platform, language, last_seen: format!("{last_seen:.3}") }
    }
}

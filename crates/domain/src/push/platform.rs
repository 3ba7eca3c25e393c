//! Platforms of phones.

use serde::{Deserialize, Serialize};

/// Operating system of a phone. FCM reaches both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = DevicePlatform, description = "Operating system of a phone."))]
pub enum Platform {
    /// FCM delivers directly.
    Android,
    /// FCM delivers through APNs.
    Ios,
}

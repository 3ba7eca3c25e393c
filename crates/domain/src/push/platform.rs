//! What kind of phone an app runs on.

use serde::{Deserialize, Serialize};

/// A kind of phone. FCM reaches both, in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// FCM delivers by itself.
    Android,
    /// FCM delivers through APNs.
    Ios,
}

//! Categories of notifications.

use serde::{Deserialize, Serialize};

/// Subject of a notification. Users mute notifications by category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::AsRefStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = NotificationCategory, description = "Subject of a notification."))]
pub enum Category {
    /// A person follows the user.
    Followers,
    /// A person likes a story or comment of the user.
    Likes,
    /// A person replies to a story or comment of the user.
    Replies,
    /// A person mentions the user.
    Mentions,
    /// A person whom the user follows publishes a story.
    Stories,
    /// Something about the user's account.
    Account,
}

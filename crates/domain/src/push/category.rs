//! What users choose among.

use serde::{Deserialize, Serialize};

/// What a notification is about, as far as users choose among notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Somebody follows the user.
    Followers,
    /// Somebody likes what the user told or wrote.
    Likes,
    /// Somebody replies to what the user told or wrote.
    Replies,
    /// Somebody mentions the user.
    Mentions,
    /// Somebody whom the user follows told a story.
    Stories,
}

impl Category {
    /// As in preferences; also the name of the Android channel.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Followers => "followers",
            Self::Likes => "likes",
            Self::Replies => "replies",
            Self::Mentions => "mentions",
            Self::Stories => "stories",
        }
    }
}

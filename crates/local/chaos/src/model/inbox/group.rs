//! The groups of an inbox.

use crate::model::graph::{Link, Node};

/// What makes events one notification: the rule, and what it is replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    /// Id of the notification rule.
    pub rule: &'static str,
    /// Notifications of one rule about this vertex replace each other.
    pub subject: Node,
}

/// A stored group of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its key.
    pub key: GroupKey,
    /// When an entry was last added, in milliseconds since 1970.
    pub updated_at: i64,
    /// The entries, in the stored order.
    pub entries: Vec<Entry>,
}

/// A stored entry of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Number of fast resets before the commit.
    pub generation: u64,
    /// The commit that caused it.
    pub commit: u64,
    /// The edge.
    pub link: Link,
    /// Number of the person who acted.
    pub actor: usize,
    /// Commit time in milliseconds since 1970.
    pub committed_at: i64,
    /// When it was added, in milliseconds since 1970.
    pub added_at: i64,
}

/// The vertex by which notifications of a rule about an edge replace each other. `None` for rules that histories do not
/// cause.
pub fn subject(rule: &str, link: &Link) -> Option<Node> {
    match rule {
        "follow" | "reply-story" => Some(link.from),
        "like-story" | "story" => Some(link.to),
        _ => None,
    }
}

//! Schema of `rules.json` and `texts/*.json`.
//!
//! The file is compiled into the library and, for `check.rs`, into `build.rs`. It depends on serde and the standard
//! library only.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Category;

/// One notification rule: a pattern of graph changes, the audience, and the message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique, stable id. It is stored in the delivery ledger and sent in the notification's data.
    pub id: String,
    /// Pattern of the change.
    pub when: Pattern,
    /// Person who caused the change. Actors are not notified of their own changes.
    pub actor: Actor,
    /// Persons to notify.
    pub audience: Audience,
    /// Category, which users may mute.
    pub category: Category,
    /// Templates of the message. The first one whose arguments are all known is used; the last one has no
    /// arguments.
    pub templates: Vec<MessageTemplate>,
    /// A newer notification of this rule about the same vertex replaces the older one on the phone.
    pub replaces_by: End,
    /// Notifications of one category about the same vertex are displayed as a group.
    pub groups_by: End,
    /// Collapse key. FCM keeps one message per key for a phone that is offline.
    pub collapse_key: String,
    /// Time to live in seconds, from the commit. Older notifications are neither sent nor delivered.
    pub ttl_seconds: u32,
}

/// A pattern of changes: an operation on edges of one label, between vertices of certain kinds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Label of the edge.
    pub edge: String,
    /// Operation on the edge.
    pub is: EdgeOp,
    /// Required kind of the source, if any. The kind is known from the vertex's owner.
    pub source: Option<Kind>,
    /// Required kind of the target, if any.
    pub target: Option<Kind>,
}

/// Operation on an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeOp {
    /// The edge was added.
    Added,
}

/// Kind of a vertex that has an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Target of an edge `told`.
    Story,
    /// Target of an edge `wrote`.
    Comment,
}

/// Person who caused a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The edge's source, which is a person.
    Source,
    /// Owner of the edge's source.
    OwnerOfSource,
    /// The service itself. The graph has no such edge: a function announces the event.
    Service,
}

/// Persons to notify of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The edge's target, which is a person.
    Target,
    /// Owners of the edge's target ("it is about me").
    OwnerOfTarget,
    /// Followers of the edge's source, which is a person ("I subscribed").
    FollowersOfSource,
}

/// One of an edge's two vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The vertex from which the edge leads.
    Source,
    /// The vertex to which the edge leads.
    Target,
}

impl Rule {
    /// The end that is a story, if the rule notifies others than the story's owners. They may be notified
    /// only while they may see the story.
    pub fn discloses(&self) -> Option<End> {
        // Edges `told` lead to stories only.
        let is_target = self.when.edge == "told" || self.when.target == Some(Kind::Story);
        if self.when.source == Some(Kind::Story) {
            Some(End::Source)
        } else if is_target && self.audience != Audience::OwnerOfTarget {
            Some(End::Target)
        } else {
            None
        }
    }
}

/// Title and body of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageTemplate {
    /// Title.
    pub title: Text,
    /// Body.
    pub body: Text,
}

/// A text with placeholders, which the phone looks up in its language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Localization key.
    pub key: String,
    /// Arguments for the placeholders `{1}`, `{2}`, …
    #[serde(default)]
    pub args: Vec<Arg>,
}

/// Argument of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// Name of the actor.
    ActorName,
    /// Title of the edge's source.
    SourceTitle,
    /// Title of the edge's target.
    TargetTitle,
}

/// Texts of one language by localization key.
pub type Texts = BTreeMap<String, String>;

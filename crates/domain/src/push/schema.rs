//! What stands in `rules.json` and `texts/*.json`.
//!
//! Compiled twice: into the library, and into `build.rs`, for `check.rs`. So it uses nothing but serde and
//! the standard library.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Category;

/// One notification rule: which change of the graph is told to whom, in which words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique and stable: it stands in the ledger and in the notification's data.
    pub id: String,
    /// The change that it is about.
    pub when: Pattern,
    /// Whose doing the change is. Nobody is told of their own doing.
    pub actor: Actor,
    /// Who is told.
    pub audience: Audience,
    /// What users switch off, if they do.
    pub category: Category,
    /// The first wording whose arguments are all known is used. The last one has none.
    pub wordings: Vec<MessageTemplate>,
    /// A newer notification of this rule about the same vertex replaces the one on the phone.
    pub replaces_by: End,
    /// Notifications of one category about the same vertex are shown together.
    pub groups_by: End,
    /// FCM keeps one message per key for a phone that is off-line.
    pub collapse_key: String,
    /// From the commit on: what is older is not sent, and not delivered.
    pub ttl_seconds: u32,
}

/// A sort of change: an edge of a label is added (or nothing else, so far), between vertices of
/// certain kinds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// The edge's label.
    pub edge: String,
    /// What happened to the edge.
    pub is: EdgeOp,
    /// What its source must be, if that matters. Known by who told or wrote it.
    pub source: Option<Kind>,
    /// What its target must be, likewise.
    pub target: Option<Kind>,
}

/// What happens to edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeOp {
    /// It came to be.
    Added,
}

/// What somebody can have told or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// At the end of an edge `told`.
    Story,
    /// At the end of an edge `wrote`.
    Comment,
}

/// Whose doing a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The edge's source is a person.
    Source,
    /// The person who told or wrote the edge's source.
    OwnerOfSource,
}

/// Who is told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The edge's target is a person.
    Target,
    /// "It is about me": whoever told or wrote the edge's target.
    OwnerOfTarget,
    /// "I subscribed to it": all who follow the edge's source, a person.
    FollowersOfSource,
}

/// One of an edge's two vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Where it begins.
    Source,
    /// Where it ends.
    Target,
}

impl Rule {
    /// The end that is a story of which others are told than its owners: they are told only while it is
    /// theirs to see.
    pub fn discloses(&self) -> Option<End> {
        // Only stories are told.
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
    /// The first line.
    pub title: Text,
    /// The rest.
    pub body: Text,
}

/// A text that the phone looks up and fills in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Its localisation key.
    pub key: String,
    /// What takes the places of `{1}`, `{2}`, …
    #[serde(default)]
    pub args: Vec<Arg>,
}

/// Something to be named in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// The name of the actor.
    ActorName,
    /// The title of the edge's source.
    SourceTitle,
    /// The title of the edge's target.
    TargetTitle,
}

/// Texts of one language by localisation key.
pub type Texts = BTreeMap<String, String>;

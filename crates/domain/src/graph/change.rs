use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Position, Value};

/// What one transaction, or one part of one, did to one vertex or edge.
///
/// It is the difference between before and after, read from the commit alone. So it knows of
/// labels and ends only what the commit touched: where a property changes, Neptune tells neither
/// the label of its vertex nor the ends of its edge. Who needs those keeps them when they come.
///
/// Applied in order it is enough for a copy of the graph: take away `labels.removed` and every
/// `before`, then add `labels.added` and every `after`. Both may be done twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Of the entity's first record in the transaction or part. No two changes share one.
    pub position: Position,
    /// When the commit was requested, in milliseconds since 1970.
    #[serde(with = "text")]
    pub commit_timestamp_ms: i64,
    /// Whether it is a vertex or an edge.
    pub kind: EntityKind,
    /// The id of the vertex or of the edge. Vertices and edges have their own ids each.
    pub entity_id: String,
    /// What happened to it as a whole.
    pub what: ChangeKind,
    /// What the commit says of its labels.
    pub labels: Labels,
    /// The vertices that the edge connects (or connected, if it was removed), if the commit says
    /// so: always for an edge that was added or removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<EdgeEndpoints>,
    /// The vertices that the edge connected before, if it was removed and added again elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_before: Option<EdgeEndpoints>,
    /// By name. Only those that differ.
    pub properties: BTreeMap<String, PropertyChange>,
    /// How many further properties differ, for which the message had no room.
    pub properties_omitted: usize,
}

/// The two sorts of things that a graph is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A person, a story, a comment.
    Vertex,
    /// A follow, a like, a reply.
    Edge,
}

impl EntityKind {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vertex => "vertex",
            Self::Edge => "edge",
        }
    }
}

/// What happened to an entity as a whole.
///
/// For edges this is exact. A vertex is known by its labels, and a commit does not tell those that
/// it does not touch: a vertex that gets a further label, and nothing else, looks as if it was
/// added; one that loses one of several looks as if it was removed. (Gremlin cannot do either,
/// openCypher's `SET n:Label` and `REMOVE n:Label` can.) Where any record of the commit shows that
/// it existed before, or exists after, it is `Changed`. Who allows such commits compares
/// [`Labels`] with those it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It did not exist before.
    Added,
    /// It existed before, and still does. Also what was removed and added again in one commit:
    /// nobody outside ever saw it missing, so a follower must not be told of a new follow.
    Changed,
    /// It does not exist any more.
    Removed,
}

impl ChangeKind {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// The labels that a commit touched; an edge has exactly one, a vertex has others besides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// It has them now.
    pub added: Vec<String>,
    /// It had them.
    pub removed: Vec<String>,
    /// Removed and added again: it had them, and has them now.
    pub kept: Vec<String>,
}

/// The ids of the two vertices that an edge connects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EdgeEndpoints {
    /// Where it begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
}

/// What happened to one property.
///
/// A property with single cardinality has at most one value on each side, and they are the whole
/// truth. One with set cardinality may have more, and values that stayed are on neither side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyChange {
    /// Values that it had and has no more, in the order of their first records.
    pub before: Vec<Value>,
    /// Values that it has and had not, in the order of their first records.
    pub after: Vec<Value>,
}

impl Change {
    /// `<cluster>/<commitNum>/<opNum>`: the same whenever the same records are read again.
    pub fn id(&self, cluster: &str) -> String {
        format!("{cluster}/{}", self.position)
    }

    /// Whether something was left out to make it fit in a message.
    pub fn is_truncated(&self) -> bool {
        let mut values = self.properties.values().flat_map(|property| property.before.iter().chain(&property.after));
        self.properties_omitted > 0 || values.any(|value| matches!(value, Value::Omitted(_)))
    }
}

/// A 64-bit number as a JSON string.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Position, Value};

/// The effect of one transaction, or of one part of one, on one vertex or edge.
///
/// It is the difference between before and after, computed from the commit alone. A commit that sets
/// a property has neither the label of the vertex nor the ends of the edge, so the change has neither.
/// A consumer that needs labels or ends keeps them from earlier changes.
///
/// To apply a change to a copy of the graph, remove `labels.removed` and every `before`, then add
/// `labels.added` and every `after`. Applying it twice gives the same result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Position of the entity's first record in the transaction or part. Unique among changes.
    pub position: Position,
    /// Time of the commit, in milliseconds since 1970.
    #[serde(with = "text")]
    pub commit_timestamp_ms: i64,
    /// Vertex or edge.
    pub kind: EntityKind,
    /// Id of the vertex or edge. A vertex and an edge may have the same id.
    pub entity_id: String,
    /// Whether the entity was added, changed or removed.
    #[serde(rename = "what")]
    pub change_kind: ChangeKind,
    /// Labels that the commit touched.
    pub labels: Labels,
    /// Ends of the edge after the commit, or before it if the edge was removed. Always present if the
    /// edge was added or removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<EdgeEndpoints>,
    /// Ends of the edge before the commit, if the edge was removed and added again between others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_before: Option<EdgeEndpoints>,
    /// Changed properties by name.
    pub properties: BTreeMap<String, PropertyChange>,
    /// Number of further changed properties that did not fit in the message.
    pub properties_omitted: usize,
    /// Whether a later part of the transaction decides who may see the vertex. Until it arrives, the vertex is private.
    #[serde(default, rename = "partial", skip_serializing_if = "is_false")]
    pub is_partial: bool,
}

/// Vertex or edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A person, a story, a comment.
    Vertex,
    /// A follow, a like, a reply.
    Edge,
}

impl EntityKind {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vertex => "vertex",
            Self::Edge => "edge",
        }
    }
}

/// Whether an entity was added, changed or removed.
///
/// For edges this is exact. For vertices it is computed from labels, and a commit has only the labels
/// that it touches. A vertex that gets one more label, and nothing else, is therefore reported as
/// `Added`; one that loses one of several labels is reported as `Removed`. Gremlin cannot do either;
/// openCypher's `SET n:Label` and `REMOVE n:Label` can. If any record of the commit shows that the
/// vertex existed before or exists after, the change is `Changed`. A consumer of graphs with such
/// commits compares [`Labels`] with those that it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It did not exist before.
    Added,
    /// It existed before and exists after. Includes removal and addition in one commit: no reader saw
    /// it missing, so it must not cause a notification of a new follow.
    Changed,
    /// It does not exist after.
    Removed,
}

impl ChangeKind {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// Labels that a commit touched. An edge has exactly one label; a vertex may have others as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// Present after, not before.
    pub added: Vec<String>,
    /// Present before, not after.
    pub removed: Vec<String>,
    /// Removed and added again: present before and after.
    pub kept: Vec<String>,
}

/// Ids of the two vertices that an edge connects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EdgeEndpoints {
    /// Source vertex.
    pub from: String,
    /// Target vertex.
    pub to: String,
}

/// Removed and added values of one property.
///
/// A property of single cardinality has at most one value on each side. A property of set cardinality
/// may have more; values that stayed are on neither side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyChange {
    /// Values present before and not after, in the order of their first records.
    pub before: Vec<Value>,
    /// Values present after and not before, in the order of their first records.
    pub after: Vec<Value>,
}

impl Change {
    /// `<cluster>/<commitNum>/<opNum>`: the same whenever the same records are read again.
    pub fn id(&self, cluster: &str) -> String {
        format!("{cluster}/{}", self.position)
    }

    /// Whether values or properties were left out so that the change fits in a message.
    pub fn is_truncated(&self) -> bool {
        let mut values = self.properties.values().flat_map(|property| property.before.iter().chain(&property.after));
        self.properties_omitted > 0 || values.any(|value| matches!(value, Value::Omitted(_)))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(is_true: &bool) -> bool {
    !is_true
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

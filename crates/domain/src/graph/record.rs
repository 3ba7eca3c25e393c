use serde::Deserialize;

use super::{Position, Value};

/// One record of Neptune Streams: a label or property of a vertex or edge was added or removed.
///
/// It owns its strings, so that [`fold`](super::fold) moves them into changes without copying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Position in the graph's history.
    pub position: Position,
    /// Time of the commit, in milliseconds since 1970.
    pub commit_timestamp_ms: i64,
    /// Added or removed.
    pub op: Op,
    /// Label, property or edge.
    pub kind: RecordKind,
    /// Id of the vertex or edge.
    pub id: String,
    /// Name of the property. Ignored for labels and edges, where Neptune writes `label`.
    pub key: String,
    /// Value of the property, or the label.
    pub value: Value,
    /// Id of the edge's source vertex; [`RecordKind::Edge`] only.
    pub from: Option<String>,
    /// Id of the edge's target vertex; [`RecordKind::Edge`] only.
    pub to: Option<String>,
}

/// Addition or removal. An update is a removal and an addition in one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Op {
    /// Present after the record.
    Add,
    /// Absent after the record.
    Remove,
}

/// The element of the graph that a record adds or removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// A label of a vertex (`vl`). A vertex exists from its first label to its last.
    VertexLabel,
    /// A property of a vertex (`vp`). The record does not contain the vertex's label.
    VertexProperty,
    /// An edge with its label and ends (`e`).
    Edge,
    /// A property of an edge (`ep`). The record contains neither the edge's label nor its ends.
    EdgeProperty,
}

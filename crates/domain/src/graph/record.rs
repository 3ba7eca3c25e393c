use super::{Position, Value};

/// One label or one property of a vertex or an edge that came or went: what Neptune Streams tells.
///
/// It is owned, so that [`fold`](super::fold) moves its texts into the changes and copies none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where the record stands in the history.
    pub position: Position,
    /// When the commit was requested, in milliseconds since 1970.
    pub commit_timestamp_ms: i64,
    /// Whether it came or went.
    pub op: Op,
    /// What it is.
    pub kind: RecordKind,
    /// The id of the vertex or of the edge.
    pub id: String,
    /// The property's name. For labels and edges Neptune writes `label`; it is not looked at.
    pub key: String,
    /// The property's value, or the label.
    pub value: Value,
    /// The id of the vertex where the edge begins; with [`RecordKind::Edge`] only.
    pub from: Option<String>,
    /// The id of the vertex where the edge ends; with [`RecordKind::Edge`] only.
    pub to: Option<String>,
}

/// What happened. There is no update: that is a removal and an addition in one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// It is there now.
    Add,
    /// It is no longer there.
    Remove,
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// A label of a vertex (`vl`). The vertex comes with its first label and goes with its last.
    VertexLabel,
    /// A property of a vertex (`vp`). The record does not say the vertex's label.
    VertexProperty,
    /// An edge with its label and its ends (`e`).
    Edge,
    /// A property of an edge (`ep`). The record says neither the edge's label nor its ends.
    EdgeProperty,
}

use serde::{Deserialize, Deserializer, de};

use crate::{
    position::Position,
    value::{Value, WireValue},
    wire::Integer,
};

/// One change, as the stream has it: one label or one property of a vertex or an edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where the record stands in the stream.
    pub position: Position,
    /// When the commit was requested, in milliseconds since 1970.
    pub commit_timestamp: i64,
    /// Whether `data` was added or removed.
    pub op: Op,
    /// What was added or removed.
    pub data: Data,
    /// Whether this is its transaction's last record. Engines before 1.1.1.0 never say so; see
    /// [`TransactionAssembler`](crate::TransactionAssembler).
    pub is_last_op: bool,
}

/// What happened. There is no update: it is a removal of the old value and an addition of the new
/// one, in one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Op {
    /// It is there now.
    Add,
    /// It is no longer there.
    Remove,
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Kind {
    /// A label of a vertex; with it the vertex comes into being, with its last one it goes.
    #[serde(rename = "vl")]
    VertexLabel,
    /// A property of a vertex. The record does not say the vertex's label.
    #[serde(rename = "vp")]
    VertexProperty,
    /// An edge with its label and both its ends.
    #[serde(rename = "e")]
    Edge,
    /// A property of an edge. The record says neither the edge's label nor its ends.
    #[serde(rename = "ep")]
    EdgeProperty,
}

/// The part of a vertex or edge that was added or removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// The vertex's or the edge's id.
    pub id: String,
    /// Which part of it this is.
    pub kind: Kind,
    /// The property's name; `label` for [`Kind::VertexLabel`] and [`Kind::Edge`].
    pub key: String,
    /// The property's value or the label.
    pub value: Value,
    /// The id of the vertex where the edge begins; with [`Kind::Edge`] only, on removals too.
    pub from: Option<String>,
    /// The id of the vertex where the edge ends; with [`Kind::Edge`] only, on removals too.
    pub to: Option<String>,
}

impl Record {
    /// The memory that the record takes, in bytes, its strings included.
    pub fn memory_bytes(&self) -> usize {
        let Data { id, key, value, from, to, .. } = &self.data;
        let ends = [from, to].into_iter().flatten().map(String::capacity).sum::<usize>();
        size_of::<Self>() + id.capacity() + key.capacity() + value.heap_bytes() + ends
    }
}

/// Reads a record as `PG_JSON` has it. The value borrows from the JSON, so it must be read from a
/// string, not from a reader.
impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = WireRecord::deserialize(deserializer)?;
        let WireData { id, kind, key, value, from, to } = wire.data;
        if kind == Kind::Edge && (from.is_none() || to.is_none()) {
            return Err(de::Error::custom("an edge without its ends"));
        }
        Ok(Self {
            position: wire.event_id.into(),
            commit_timestamp: wire.commit_timestamp.0,
            op: wire.op,
            data: Data { id, kind, key, value: value.into(), from, to },
            is_last_op: wire.is_last_op,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRecord<'a> {
    commit_timestamp: Integer<i64>,
    event_id: WirePosition,
    #[serde(borrow)]
    data: WireData<'a>,
    op: Op,
    #[serde(default)]
    is_last_op: bool,
}

#[derive(Deserialize)]
struct WireData<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: Kind,
    key: String,
    #[serde(borrow)]
    value: WireValue<'a>,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WirePosition {
    commit_num: Integer<u64>,
    op_num: Integer<u64>,
}

impl From<WirePosition> for Position {
    fn from(wire: WirePosition) -> Self {
        Self::new(wire.commit_num.0, wire.op_num.0)
    }
}

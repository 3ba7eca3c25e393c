use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::{
    integer::Integer,
    position::Position,
    value::{Value, WireValue},
};

/// One change of the stream: one label or one property of a vertex or an edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The record's place in the stream.
    pub position: Position,
    /// The time at which the commit was requested, in milliseconds since 1970.
    pub commit_timestamp: i64,
    /// Whether `data` was added or removed.
    pub op: Op,
    /// The label or property that was added or removed.
    pub data: Data,
    /// Whether this is the transaction's last record. Engines before 1.1.1.0 never set it; see
    /// [`TransactionAssembler`](crate::TransactionAssembler).
    pub is_last_op: bool,
}

/// The operation. An update is a removal of the old value and an addition of the new one, in one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Op {
    /// The data was added.
    Add,
    /// The data was removed.
    Remove,
}

/// The kind of data in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Kind {
    /// A label of a vertex. The first label creates the vertex; removing the last one deletes it.
    #[serde(rename = "vl")]
    VertexLabel,
    /// A property of a vertex, without the vertex's labels.
    #[serde(rename = "vp")]
    VertexProperty,
    /// An edge with its label and both endpoints.
    #[serde(rename = "e")]
    Edge,
    /// A property of an edge, without the edge's label and endpoints.
    #[serde(rename = "ep")]
    EdgeProperty,
    /// The record cannot be read beyond its position. The [`Value::Unrecognized`] has its JSON, and the key names the
    /// place of the error in it. The other fields are empty.
    #[serde(skip)]
    Unreadable,
}

/// The part of a vertex or edge that was added or removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// The id of the vertex or edge.
    pub id: String,
    /// The kind of this part.
    pub kind: Kind,
    /// The property's name; `label` for [`Kind::VertexLabel`] and [`Kind::Edge`].
    pub key: String,
    /// The property's value or the label.
    pub value: Value,
    /// The id of the edge's source vertex; only with [`Kind::Edge`], also on removals.
    pub from: Option<String>,
    /// The id of the edge's target vertex; only with [`Kind::Edge`], also on removals.
    pub to: Option<String>,
}

impl Record {
    /// The size of the record: [`RECORD_BYTES`](Self::RECORD_BYTES) and the lengths of its texts, in bytes.
    ///
    /// It depends on nothing but the record's content, so a transaction is cut at the same places by every build.
    pub fn text_bytes(&self) -> usize {
        let Data { id, key, value, from, to, .. } = &self.data;
        let endpoints = [from, to].into_iter().flatten().map(String::len).sum::<usize>();
        Self::RECORD_BYTES + id.len() + key.len() + value.text_bytes() + endpoints
    }

    /// What a record counts in addition to its texts, in bytes. About its memory without them, but never to be adapted to
    /// it.
    pub const RECORD_BYTES: usize = 192;
}

impl Record {
    /// Parses a record of `PG_JSON`. A record that can be read only up to its position becomes [`Kind::Unreadable`], so
    /// that it does not make the page and all later pages unreadable.
    ///
    /// # Errors
    /// If it has no position.
    pub(crate) fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).or_else(|error| {
            let head: WireHead<'_> = serde_json::from_str(json)?;
            Ok(Self {
                position: head.event_id.into(),
                commit_timestamp: parse_or_default::<Integer<i64>>(head.commit_timestamp).map_or(0, |Integer(ms)| ms),
                op: Op::Add,
                data: Data {
                    id: String::new(),
                    kind: Kind::Unreadable,
                    key: format!("column {}", error.column()),
                    value: Value::Unrecognized { data_type: String::new(), json: json.to_owned() },
                    from: None,
                    to: None,
                },
                is_last_op: parse_or_default::<Flag>(head.is_last_op).is_some_and(|Flag(is_last)| is_last),
            })
        })
    }
}

fn parse_or_default<'a, T: Deserialize<'a>>(json: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(json?.get()).ok()
}

/// The value borrows from the JSON, so the input must be a string, not a reader.
impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = WireRecord::deserialize(deserializer)?;
        let WireData { id, kind, key, value, from, to } = wire.data;
        if kind == Kind::Edge && (from.is_none() || to.is_none()) {
            return Err(de::Error::custom("an edge without endpoints"));
        }
        Ok(Self {
            position: wire.event_id.into(),
            commit_timestamp: wire.commit_timestamp.0,
            op: wire.op,
            data: Data {
                id: id.0,
                kind,
                key,
                value: value.into(),
                from: from.map(|Id(id)| id),
                to: to.map(|Id(id)| id),
            },
            is_last_op: wire.is_last_op.0,
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
    is_last_op: Flag,
}

/// The fields of a record without which the stream cannot continue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireHead<'a> {
    event_id: WirePosition,
    #[serde(borrow)]
    commit_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    is_last_op: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireData<'a> {
    id: Id,
    #[serde(rename = "type")]
    kind: Kind,
    key: String,
    #[serde(borrow)]
    value: WireValue<'a>,
    from: Option<Id>,
    to: Option<Id>,
}

/// An id. Neptune documents strings; a number is taken as its digits.
struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id, as a string or a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Id, E> {
                Ok(Id(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Id, E> {
                Ok(Id(text))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Id, E> {
                Ok(Id(number.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A truth value. Neptune documents `true`; the text `"true"` is accepted, and null is false.
#[derive(Default)]
struct Flag(bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E>(self, is_true: bool) -> Result<Flag, E> {
                Ok(Flag(is_true))
            }

            fn visit_unit<E>(self) -> Result<Flag, E> {
                Ok(Flag(false))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Flag, E> {
                match text {
                    _ if text.eq_ignore_ascii_case("true") => Ok(Flag(true)),
                    _ if text.eq_ignore_ascii_case("false") => Ok(Flag(false)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
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

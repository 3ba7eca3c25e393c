use serde::Serialize;

use super::value::Value;

/// Position of a record in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventId {
    /// Commit number. A JSON number in responses although it has 64 bits.
    pub commit_num: u64,
    /// Operation number within the commit, from 1.
    pub op_num: u64,
}

/// A change record of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Addition or removal.
    pub op: Op,
    /// Id of the vertex or edge.
    pub id: String,
    /// The added or removed data.
    pub data: Data,
}

/// The operation. An update is a removal and an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Op {
    /// Addition.
    Add,
    /// Removal.
    Remove,
}

/// The data of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// `vl`: a label of a vertex.
    VertexLabel(String),
    /// `vp`: a property of a vertex.
    VertexProperty(String, Value),
    /// `e`: an edge.
    Edge {
        /// The label.
        label: String,
        /// Id of the source vertex.
        from: String,
        /// Id of the target vertex.
        to: String,
    },
    /// `ep`: a property of an edge.
    EdgeProperty(String, Value),
}

impl Record {
    /// The record that reverts this one.
    pub fn inverse(&self) -> Self {
        let op = if self.op == Op::Add { Op::Remove } else { Op::Add };
        Self { op, ..self.clone() }
    }

    /// Writes the record in the format of pages.
    pub fn write_json(&self, context: &RecordContext, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let mut from_to = (None, None);
        let (kind, key, value) = match &self.data {
            Data::VertexLabel(label) => ("vl", "label", ValueJson::label(label)),
            Data::VertexProperty(key, value) => ("vp", key.as_str(), ValueJson::new(value, context.values_as_text)),
            Data::EdgeProperty(key, value) => ("ep", key.as_str(), ValueJson::new(value, context.values_as_text)),
            Data::Edge { label, from, to } => {
                from_to = (Some(from.as_str()), Some(to.as_str()));
                ("e", "label", ValueJson::label(label))
            }
        };
        let data = DataJson { id: &self.id, kind, key, value, from: from_to.0, to: from_to.1 };
        let record = RecordJson {
            commit_timestamp: context.commit_timestamp,
            event_id: context.event_id,
            data,
            op: self.op,
            is_last_op: context.is_last_op,
        };
        serde_json::to_writer(out, &record)
    }
}

/// Fields of the JSON that depend on the commit and the record format.
#[derive(Debug, Clone, Copy)]
pub struct RecordContext {
    /// Position.
    pub event_id: EventId,
    /// Commit time in milliseconds since 1970.
    pub commit_timestamp: i64,
    /// Whether to write `isLastOp`.
    pub is_last_op: bool,
    /// Whether numbers and booleans are written as strings.
    pub values_as_text: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordJson<'a> {
    commit_timestamp: i64,
    event_id: EventId,
    data: DataJson<'a>,
    op: Op,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_last_op: bool,
}

#[derive(Serialize)]
struct DataJson<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    key: &'a str,
    value: ValueJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ValueJson<'a> {
    Typed(&'a Value),
    #[serde(rename_all = "camelCase")]
    Text {
        value: String,
        data_type: &'static str,
    },
    #[serde(rename_all = "camelCase")]
    Label {
        value: &'a str,
        data_type: &'static str,
    },
}

impl<'a> ValueJson<'a> {
    fn label(value: &'a str) -> Self {
        Self::Label { value, data_type: "String" }
    }

    fn new(value: &'a Value, as_text: bool) -> Self {
        match value {
            Value::String(_) => Self::Typed(value),
            _ if as_text => Self::Text { value: value.to_json().to_string(), data_type: value.data_type() },
            _ => Self::Typed(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(record: &Record, is_last_op: bool, values_as_text: bool) -> String {
        let event_id = EventId { commit_num: 12, op_num: 1 };
        let context = RecordContext { event_id, commit_timestamp: 1_560_011_610_678, is_last_op, values_as_text };
        let mut out = Vec::new();
        record.write_json(&context, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn record(op: Op, data: Data) -> Record {
        Record { op, id: "d2b5".into(), data }
    }

    #[test]
    fn record_has_the_documented_format() {
        assert_eq!(
            json(&record(Op::Add, Data::VertexLabel("vertex".into())), true, false),
            r#"{"commitTimestamp":1560011610678,"eventId":{"commitNum":12,"opNum":1},"data":{"id":"d2b5","type":"vl","key":"label","value":{"value":"vertex","dataType":"String"}},"op":"ADD","isLastOp":true}"#
        );
    }

    #[test]
    fn edge_record_has_from_and_to_but_property_record_has_not() {
        let edge = Data::Edge { label: "likes".into(), from: "p1".into(), to: "s1".into() };
        let text = json(&record(Op::Remove, edge), false, false);
        assert!(text.contains(r#""type":"e","key":"label","value":{"value":"likes","dataType":"String"},"from":"p1","to":"s1"},"op":"REMOVE"}"#), "{text}");
        let text = json(&record(Op::Add, Data::EdgeProperty("since".into(), Value::Date(7))), false, false);
        assert!(
            text.ends_with(
                r#""data":{"id":"d2b5","type":"ep","key":"since","value":{"value":7,"dataType":"Date"}},"op":"ADD"}"#
            ),
            "{text}"
        );
    }

    #[test]
    fn values_are_strings_if_configured() {
        let text = json(&record(Op::Add, Data::VertexProperty("age".into(), Value::Int(7))), false, true);
        assert!(text.contains(r#""value":{"value":"7","dataType":"Int"}"#), "{text}");
        let text = json(&record(Op::Add, Data::VertexProperty("name".into(), "7".into())), false, true);
        assert!(text.contains(r#""value":{"value":"7","dataType":"String"}"#), "{text}");
    }
}

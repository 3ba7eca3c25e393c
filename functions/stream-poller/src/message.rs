//! Folds records into messages for the bus.

use domain::{
    graph::{self, Change, MessageTooLarge, SNS_MESSAGE_BYTES},
    message::escape_noncharacters,
};
use neptune_streams as streams;

/// A message of the bus with one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The FIFO group: the entity. The bus keeps the order within a group.
    pub group: String,
    /// The deduplication id.
    pub deduplication_id: String,
    /// The CloudEvent.
    pub body: String,
    /// The reason for a rejection. The message is sent to the dead-letter queue instead.
    pub rejection: Option<String>,
}

/// The prefix of the event ids of a run, and of its deduplication ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventIdPrefix {
    cluster: String,
    replay: Option<String>,
}

impl EventIdPrefix {
    /// The prefix for a stream of `cluster`.
    ///
    /// A fast reset restarts the commit numbers. From `generation` 1 on, the prefix is `<cluster>.<generation>`, so
    /// that event ids remain unique.
    pub fn new(cluster: &str, generation: u64) -> Self {
        let cluster = if generation == 0 { cluster.to_owned() } else { format!("{cluster}.{generation}") };
        Self { cluster, replay: None }
    }

    /// The same event ids with new deduplication ids, which contain `replay`.
    #[must_use]
    pub fn for_replay(self, replay: &str) -> Self {
        Self { replay: Some(replay.to_owned()), ..self }
    }

    /// The cluster's name with the generation.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The id of the replay or export.
    pub fn replay(&self) -> Option<&str> {
        self.replay.as_deref()
    }
}

/// The messages of these changes.
pub fn messages(changes: &[Change], id_prefix: &EventIdPrefix) -> Vec<Message> {
    changes.iter().map(|change| message(change, id_prefix)).collect()
}

/// Folds the records of a transaction, or of a part of one, into a change for each entity.
pub fn changes(records: Vec<streams::Record>) -> Vec<Change> {
    graph::fold(records.into_iter().map(record))
}

fn message(change: &Change, id_prefix: &EventIdPrefix) -> Message {
    let cluster = &id_prefix.cluster;
    let (body, rejection) = match change.to_cloud_event_within(cluster, SNS_MESSAGE_BYTES) {
        Ok(body) => (body, None),
        Err(too_large) => (too_large_body(change, cluster, too_large), Some(too_large.to_string())),
    };
    let deduplication_id = match &id_prefix.replay {
        None => change.deduplication_id(cluster),
        Some(replay) => change.replayed_deduplication_id(cluster, replay),
    };
    Message { group: change.group_id(), deduplication_id, body, rejection }
}

/// The dead letter of a change that is too large even without its properties. Its id leads to the change.
fn too_large_body(change: &Change, cluster: &str, too_large: MessageTooLarge) -> String {
    let id = change.id(cluster);
    escape_noncharacters(
        serde_json::json!({"id": id, "type": change.event_type(), "bytes": too_large.bytes}).to_string(),
    )
}

/// The record as `domain`'s type.
pub fn record(record: streams::Record) -> graph::Record {
    let streams::Data { id, kind, key, value, from, to } = record.data;
    graph::Record {
        position: position(record.position),
        commit_timestamp_ms: record.commit_timestamp,
        op: match record.op {
            streams::Op::Add => graph::Op::Add,
            streams::Op::Remove => graph::Op::Remove,
        },
        kind: record_kind(kind),
        id,
        key,
        value: match value {
            streams::Value::String(text) => graph::Value::String(text),
            streams::Value::Date(number) => graph::Value::Date(number),
            streams::Value::Bool(is_true) => graph::Value::Bool(is_true),
            streams::Value::Byte(number) => graph::Value::Byte(number),
            streams::Value::Short(number) => graph::Value::Short(number),
            streams::Value::Int(number) => graph::Value::Int(number),
            streams::Value::Long(number) => graph::Value::Long(number),
            streams::Value::Float(number) => graph::Value::Float(number),
            streams::Value::Double(number) => graph::Value::Double(number),
            streams::Value::Unrecognized { data_type, json } => graph::Value::Unrecognized { data_type, json },
        },
        from,
        to,
    }
}

/// The kind as `domain`'s type.
pub fn record_kind(kind: streams::Kind) -> graph::RecordKind {
    match kind {
        streams::Kind::VertexLabel => graph::RecordKind::VertexLabel,
        streams::Kind::VertexProperty => graph::RecordKind::VertexProperty,
        streams::Kind::Edge => graph::RecordKind::Edge,
        streams::Kind::EdgeProperty => graph::RecordKind::EdgeProperty,
    }
}

/// The position as `domain`'s type.
pub fn position(position: streams::Position) -> graph::Position {
    graph::Position::new(position.commit_num, position.op_num)
}

/// The position as the stream client's type.
pub fn stream_position(position: graph::Position) -> streams::Position {
    streams::Position::new(position.commit_num, position.op_num)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(id: &str) -> Vec<streams::Record> {
        let data = streams::Data {
            id: id.to_owned(),
            kind: streams::Kind::VertexLabel,
            key: "label".to_owned(),
            value: streams::Value::String("person".to_owned()),
            from: None,
            to: None,
        };
        let position = streams::Position::new(12, 1);
        vec![streams::Record { position, commit_timestamp: 0, op: streams::Op::Add, data, is_last_op: true }]
    }

    #[test]
    fn replayed_message_has_new_deduplication_id_only() {
        let id_prefix = EventIdPrefix::new("main", 0);
        let (first, second) = (messages(&changes(added("v")), &id_prefix), messages(&changes(added("v")), &id_prefix));
        assert_eq!(first, second);
        let replayed = messages(&changes(added("v")), &id_prefix.for_replay("r1"));
        assert_eq!((&replayed[0].group, &replayed[0].body), (&first[0].group, &first[0].body));
        assert_ne!(replayed[0].deduplication_id, first[0].deduplication_id);
    }

    #[test]
    fn next_generation_has_other_ids() {
        let [before, after] =
            [0, 1].map(|generation| messages(&changes(added("v")), &EventIdPrefix::new("main", generation)));
        assert!(before[0].body.contains(r#""id":"main/12/1""#), "{}", before[0].body);
        assert!(after[0].body.contains(r#""id":"main.1/12/1""#), "{}", after[0].body);
        assert_ne!(before[0].deduplication_id, after[0].deduplication_id);
    }

    #[test]
    fn too_large_change_is_rejected_with_its_id() {
        let message = &messages(&changes(added(&"x".repeat(SNS_MESSAGE_BYTES))), &EventIdPrefix::new("main", 0))[0];
        assert!(message.rejection.is_some());
        assert!(message.body.len() < 200 && message.body.contains("main/12/1"), "{}", message.body);
    }
}

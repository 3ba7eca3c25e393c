//! Records into messages for the bus.

use domain::{
    graph::{self, Change, MessageTooLarge, SNS_MESSAGE_BYTES},
    message::escape_noncharacters,
};
use neptune_streams as streams;

/// A change of the graph, as the bus takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Messages of one group stay in order: the entity.
    pub group: String,
    /// What the bus knows a second delivery by.
    pub deduplication_id: String,
    /// The cloud event.
    pub body: String,
    /// Why the bus must not be given it: it goes to the dead letters instead.
    pub refused: Option<String>,
}

/// What the messages of one run are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventIdPrefix {
    cluster: String,
    replay: Option<String>,
}

impl EventIdPrefix {
    /// Names for the stream of `cluster`, in its how-manieth `generation`.
    ///
    /// A fast reset starts the commit numbers again, and with them the ids of changes: what comes
    /// after it is called `<cluster>.<generation>`, or it would pass for what came before.
    pub fn of(cluster: &str, generation: u64) -> Self {
        let cluster = if generation == 0 { cluster.to_owned() } else { format!("{cluster}.{generation}") };
        Self { cluster, replay: None }
    }

    /// The same, but new to the bus.
    #[must_use]
    pub fn replayed(self, replay: &str) -> Self {
        Self { replay: Some(replay.to_owned()), ..self }
    }

    /// The cluster's name, with the generation.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// What makes the names new.
    pub fn replay(&self) -> Option<&str> {
        self.replay.as_deref()
    }
}

/// What the records of a transaction, or of a part of one, tell the bus: a message for each entity.
pub fn messages(records: Vec<streams::Record>, naming: &EventIdPrefix) -> Vec<Message> {
    changes(records).iter().map(|change| message(change, naming)).collect()
}

/// What the records of a transaction, or of a part of one, did to each vertex and edge.
pub fn changes(records: Vec<streams::Record>) -> Vec<Change> {
    graph::fold(records.into_iter().map(record))
}

fn message(change: &Change, naming: &EventIdPrefix) -> Message {
    let cluster = &naming.cluster;
    let (body, refused) = match change.to_cloud_event_within(cluster, SNS_MESSAGE_BYTES) {
        Ok(body) => (body, None),
        Err(unfit) => (unfit_body(change, cluster, unfit), Some(unfit.to_string())),
    };
    let deduplication_id = match &naming.replay {
        None => change.deduplication_id(cluster),
        Some(replay) => change.replayed_deduplication_id(cluster, replay),
    };
    Message { group: change.group_id(), deduplication_id, body, refused }
}

/// Where to find a change that is too large even without its properties.
fn unfit_body(change: &Change, cluster: &str, unfit: MessageTooLarge) -> String {
    let id = change.id(cluster);
    escape_noncharacters(serde_json::json!({"id": id, "type": change.event_type(), "bytes": unfit.bytes}).to_string())
}

fn record(record: streams::Record) -> graph::Record {
    let streams::Data { id, kind, key, value, from, to } = record.data;
    graph::Record {
        position: position(record.position),
        commit_timestamp_ms: record.commit_timestamp,
        op: match record.op {
            streams::Op::Add => graph::Op::Add,
            streams::Op::Remove => graph::Op::Remove,
        },
        kind: match kind {
            streams::Kind::VertexLabel => graph::RecordKind::VertexLabel,
            streams::Kind::VertexProperty => graph::RecordKind::VertexProperty,
            streams::Kind::Edge => graph::RecordKind::Edge,
            streams::Kind::EdgeProperty => graph::RecordKind::EdgeProperty,
        },
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

/// The same position, in the words of `domain`.
pub fn position(position: streams::Position) -> graph::Position {
    graph::Position::new(position.commit_num, position.op_num)
}

/// The same position, in the words of the client.
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
    fn a_replay_is_new_to_the_bus_and_the_same_to_its_readers() {
        let naming = EventIdPrefix::of("main", 0);
        let (first, again) = (messages(added("v"), &naming), messages(added("v"), &naming));
        assert_eq!(first, again);
        let replayed = messages(added("v"), &naming.replayed("r1"));
        assert_eq!((&replayed[0].group, &replayed[0].body), (&first[0].group, &first[0].body));
        assert_ne!(replayed[0].deduplication_id, first[0].deduplication_id);
    }

    #[test]
    fn a_stream_that_began_anew_has_other_ids() {
        let [before, after] = [0, 1].map(|generation| messages(added("v"), &EventIdPrefix::of("main", generation)));
        assert!(before[0].body.contains(r#""id":"main/12/1""#), "{}", before[0].body);
        assert!(after[0].body.contains(r#""id":"main.1/12/1""#), "{}", after[0].body);
        assert_ne!(before[0].deduplication_id, after[0].deduplication_id);
    }

    #[test]
    fn what_fits_nowhere_is_refused_and_can_still_be_found() {
        let message = &messages(added(&"x".repeat(SNS_MESSAGE_BYTES)), &EventIdPrefix::of("main", 0))[0];
        assert!(message.refused.is_some());
        assert!(message.body.len() < 200 && message.body.contains("main/12/1"), "{}", message.body);
    }
}

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
    /// The prefix for a stream of `cluster` in `generation`.
    pub fn new(cluster: &str, generation: u64) -> Self {
        Self { cluster: graph::cluster_in_generation(cluster, generation), replay: None }
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

/// Folds the records of a transaction, or of a part of one, into a message for each entity. A record that cannot be read
/// becomes a message that the bus does not get. `mark` may change the changes before.
pub fn messages(
    records: Vec<streams::Record>,
    id_prefix: &EventIdPrefix,
    mark: impl FnOnce(&mut [Change]),
) -> Vec<Message> {
    let unreadable = records.iter().filter(|record| is_unreadable(record)).map(|record| dead_letter(record, id_prefix));
    let mut messages: Vec<_> = unreadable.collect();
    let mut changes = changes(records);
    mark(&mut changes);
    messages.extend(changes.iter().map(|change| message(change, id_prefix)));
    messages
}

/// Whether the record can be read only up to its position.
pub fn is_unreadable(record: &streams::Record) -> bool {
    record.data.kind == streams::Kind::Unreadable
}

/// The dead letter of a record that cannot be read, with its position in the stream.
fn dead_letter(record: &streams::Record, id_prefix: &EventIdPrefix) -> Message {
    let streams::Position { commit_num, op_num } = record.position;
    let id = format!("{}/{commit_num}/{op_num}", id_prefix.cluster);
    let json = match &record.data.value {
        streams::Value::Unrecognized { json, .. } => json.as_str(),
        _ => "",
    };
    let body = serde_json::json!({
        "id": id, "type": "app.iyagi.graph.unreadable", "position": record.position, "bytes": json.len(),
        // SQS accepts 256 KiB, and the text is escaped. The id leads to the rest.
        "record": (json.len() <= SNS_MESSAGE_BYTES / 4).then_some(json),
    });
    let replay = id_prefix.replay.as_deref().unwrap_or_default();
    Message {
        group: format!("unreadable/{commit_num}"),
        deduplication_id: graph::fifo_id(format!("{id}/unreadable/{replay}")),
        body: escape_noncharacters(body.to_string()),
        rejection: Some(format!("the record of the stream cannot be read: {}", record.data.key)),
    }
}

/// Folds the records of a transaction, or of a part of one, into a change for each entity.
pub fn changes(records: Vec<streams::Record>) -> Vec<Change> {
    graph::fold(records.into_iter().filter_map(record))
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

/// The record as `domain`'s type; `None` if it cannot be read.
pub fn record(record: streams::Record) -> Option<graph::Record> {
    let streams::Record { position, commit_timestamp: commit_timestamp_ms, op, data, .. } = record;
    let streams::Data { id, kind, key, value, from, to } = data;
    Some(graph::Record { position, commit_timestamp_ms, op, kind: record_kind(kind)?, id, key, value, from, to })
}

/// The kind as `domain`'s type; `None` if the record cannot be read.
pub fn record_kind(kind: streams::Kind) -> Option<graph::RecordKind> {
    Some(match kind {
        streams::Kind::VertexLabel => graph::RecordKind::VertexLabel,
        streams::Kind::VertexProperty => graph::RecordKind::VertexProperty,
        streams::Kind::Edge => graph::RecordKind::Edge,
        streams::Kind::EdgeProperty => graph::RecordKind::EdgeProperty,
        streams::Kind::Unreadable => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(records: Vec<streams::Record>, id_prefix: &EventIdPrefix) -> Vec<Message> {
        super::messages(records, id_prefix, |_| {})
    }

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
        let (first, second) = (messages(added("v"), &id_prefix), messages(added("v"), &id_prefix));
        assert_eq!(first, second);
        let replayed = messages(added("v"), &id_prefix.for_replay("r1"));
        assert_eq!((&replayed[0].group, &replayed[0].body), (&first[0].group, &first[0].body));
        assert_ne!(replayed[0].deduplication_id, first[0].deduplication_id);
    }

    #[test]
    fn next_generation_has_other_ids() {
        let [before, after] = [0, 1].map(|generation| messages(added("v"), &EventIdPrefix::new("main", generation)));
        assert!(before[0].body.contains(r#""id":"main/12/1""#), "{}", before[0].body);
        assert!(after[0].body.contains(r#""id":"main.1/12/1""#), "{}", after[0].body);
        assert_ne!(before[0].deduplication_id, after[0].deduplication_id);
    }

    #[test]
    fn unreadable_record_is_dead_lettered_with_its_position_and_the_rest_is_published() {
        let page = |json: &str| {
            let page = format!(
                r#"{{"format":"PG_JSON","records":[{{"commitTimestamp":5,"eventId":{{"commitNum":12,"opNum":2}},"data":{json},"op":"ADD"}}]}}"#
            );
            streams::Page::parse(page.as_bytes()).expect("a page").records
        };
        let records = [added("v"), page(r#"{"id":{"a":"b"}}"#)].concat();
        let messages = messages(records, &EventIdPrefix::new("main", 0));
        let [dead_letter, change] = &messages[..] else { panic!("{messages:?}") };
        let body: serde_json::Value = serde_json::from_str(&dead_letter.body).expect("JSON");
        assert_eq!((&body["id"], &body["position"]), (&"main/12/2".into(), &"12/2".into()), "{body}");
        assert!(body["record"].as_str().is_some_and(|record| record.contains(r#""opNum":2"#)), "{body}");
        // The reason names a place, and repeats nothing of the record.
        let reason = dead_letter.rejection.as_deref().expect("a reason");
        assert!(reason.contains("column") && !reason.contains("id"), "{reason}");
        assert!(change.rejection.is_none() && change.body.contains("main/12/1"));

        let long = page(&format!(r#"["{}"]"#, "x".repeat(SNS_MESSAGE_BYTES)));
        let dead_letter = &self::messages(long, &EventIdPrefix::new("main", 0))[0];
        assert!(dead_letter.body.len() < 300, "{}", dead_letter.body.len());
    }

    #[test]
    fn too_large_change_is_rejected_with_its_id() {
        let message = &messages(added(&"x".repeat(SNS_MESSAGE_BYTES)), &EventIdPrefix::new("main", 0))[0];
        assert!(message.rejection.is_some());
        assert!(message.body.len() < 200 && message.body.contains("main/12/1"), "{}", message.body);
    }
}

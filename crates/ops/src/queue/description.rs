//! Describes a message by its body, without text of users.

use domain::{
    graph::Change,
    media::{MediaId, Message, ObjectChange, ObjectEvent, Outcome},
    story_files::{StoryFiles, StoryPage},
};
use serde::Deserialize;

/// A short description of the message: its type, and ids.
pub fn kind(body: &str) -> String {
    media(body)
        .or_else(|| change(body))
        .or_else(|| story_files(body))
        .or_else(|| push_or_stub(body))
        .or_else(|| endpoint_event(body))
        .unwrap_or_else(|| unreadable(body))
}

/// Whether the body is a graph change in the form that the event bus accepts.
pub fn is_change(body: &str) -> bool {
    Change::from_cloud_event(body).is_ok()
}

fn media(body: &str) -> Option<String> {
    Some(match Message::parse(body).ok()? {
        Message::Report(report) => {
            let outcome = match report.outcome {
                Outcome::Ready(_) => "ready".to_owned(),
                Outcome::Failed { reason } => format!("failed, {reason:?}"),
            };
            format!("report: media {} {outcome}", report.original.id)
        }
        Message::Decision(decision) => format!("decision about media {}", decision.id()),
        Message::Notification(notification) if notification.events.is_empty() => "S3's test event".to_owned(),
        Message::Notification(notification) => {
            let events: Vec<_> = notification.events.iter().map(event).collect();
            format!("S3 event: {}", events.join(", "))
        }
    })
}

fn event(event: &ObjectEvent) -> String {
    let id = MediaId::of_key(&event.key);
    match event.change {
        ObjectChange::Created { .. } => format!("media {id} created"),
        ObjectChange::Removed => format!("media {id} removed"),
    }
}

fn change(body: &str) -> Option<String> {
    let received = Change::from_cloud_event(body).ok()?;
    let change = received.change;
    Some(format!("{} {}, change {}", change.kind, change.change_kind, received.id))
}

fn story_files(body: &str) -> Option<String> {
    Some(match serde_json::from_str(body).ok()? {
        StoryFiles::Story(StoryPage { story, number, .. }) => {
            format!("files of story {}, page {number}", story.as_str())
        }
        StoryFiles::File { item } => format!("file of a story: media {item}"),
    })
}

/// A continuation or pending events of push-fanout, or the stub of a change that is too large.
fn push_or_stub(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: String,
    }
    let Typed { kind } = serde_json::from_str(body).ok()?;
    let known = match kind.strip_prefix("app.iyagi.")? {
        "push.page" => "continuation: next page of recipients",
        "push.waiting" => "events that waited for the owner of a vertex",
        rest if rest.starts_with("graph.") => "change too large for a message",
        _ => return None,
    };
    Some(known.to_owned())
}

/// An event of a platform application. Ids of endpoints are not tokens.
fn endpoint_event(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct EndpointEvent {
        event_type: String,
        endpoint_arn: String,
    }
    let EndpointEvent { event_type, endpoint_arn } = serde_json::from_str(body).ok()?;
    let is_id = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let id = endpoint_arn.rsplit('/').next().filter(|id| is_id(id) && is_id(&event_type))?;
    Some(format!("{event_type} of endpoint {id}"))
}

fn unreadable(body: &str) -> String {
    format!("unreadable, {} bytes", body.len())
}

#[cfg(test)]
mod tests {
    use domain::graph::{Op, Position, Record, RecordKind, Value, fold};
    use serde_json::json;

    use super::*;

    #[test]
    fn kind_is_described_without_text_of_users() {
        let event = |name: &str| {
            json!({"Records": [{"eventName": name, "eventTime": "2026-11-22T03:04:05Z", "s3": {"object": {
                "key": "photo/mina/%EB%AF%B8%EB%82%98.jpg", "size": 1, "eTag": "e", "sequencer": "0A"}}}]})
        };
        let id = MediaId::of_key("photo/mina/미나.jpg");
        for (body, expected) in [
            (event("ObjectCreated:Put"), format!("S3 event: media {id} created")),
            (event("ObjectRemoved:Delete"), format!("S3 event: media {id} removed")),
            (json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}), "S3's test event".to_owned()),
            (
                json!({"type": "app.iyagi.push.page", "after": "미나"}),
                "continuation: next page of recipients".to_owned(),
            ),
            (
                json!({"id": "main/7/1", "type": "app.iyagi.graph.vertex.added", "bytes": 300_000}),
                "change too large for a message".to_owned(),
            ),
            (
                json!({"EventType": "DeliveryFailure", "EndpointArn": "arn:aws:sns:r:1:endpoint/GCM/iyagi-push/7f-0a"}),
                "DeliveryFailure of endpoint 7f-0a".to_owned(),
            ),
            (json!({"type": "미나"}), "unreadable, 17 bytes".to_owned()),
            (json!("미나"), "unreadable, 8 bytes".to_owned()),
        ] {
            assert_eq!(kind(&body.to_string()), expected);
        }
    }

    #[test]
    fn change_is_described_by_its_id() {
        let record = Record {
            position: Position::new(7, 1),
            commit_timestamp_ms: 0,
            op: Op::Add,
            kind: RecordKind::VertexLabel,
            id: "미나".to_owned(),
            key: "label".to_owned(),
            value: Value::String("person".to_owned()),
            from: None,
            to: None,
        };
        let body = fold([record])[0].to_cloud_event("main");
        assert!(is_change(&body));
        assert_eq!(kind(&body), "vertex added, change main/7/1");
    }
}

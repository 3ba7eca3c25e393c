//! What a message is, by its body, in words that show nothing of what users wrote.

use domain::{
    graph::Change,
    media::{MediaId, Message, ObjectChange, ObjectEvent, Outcome},
};
use serde::Deserialize;

/// What the message is.
pub fn kind(body: &str) -> String {
    media(body).or_else(|| change(body)).or_else(|| further(body)).unwrap_or_else(|| unreadable(body))
}

/// Whether it is a change of the graph, as the bus takes it.
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
        ObjectChange::Created { .. } => format!("media {id} landed"),
        ObjectChange::Removed => format!("media {id} removed"),
    }
}

fn change(body: &str) -> Option<String> {
    let received = Change::from_cloud_event(body).ok()?;
    let change = received.change;
    Some(format!("{} {}, change {}", change.kind.as_str(), change.change_kind.as_str(), received.id))
}

/// Push's own work that goes on, or the stub of a change that was too large.
fn further(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: String,
    }
    let Typed { kind } = serde_json::from_str(body).ok()?;
    let known = match kind.strip_prefix("app.iyagi.")? {
        "push.page" => "a page of followers to tell",
        "push.waiting" => "events that waited for an owner",
        rest if rest.starts_with("graph.") => "a change that fits no message",
        _ => return None,
    };
    Some(known.to_owned())
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
    fn messages_are_told_apart_and_show_nothing_of_users() {
        let event = |name: &str| {
            json!({"Records": [{"eventName": name, "eventTime": "2026-11-22T03:04:05Z", "s3": {"object": {
                "key": "photo/mina/%EB%AF%B8%EB%82%98.jpg", "size": 1, "eTag": "e", "sequencer": "0A"}}}]})
        };
        let id = MediaId::of_key("photo/mina/미나.jpg");
        for (body, expected) in [
            (event("ObjectCreated:Put"), format!("S3 event: media {id} landed")),
            (event("ObjectRemoved:Delete"), format!("S3 event: media {id} removed")),
            (json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}), "S3's test event".to_owned()),
            (json!({"type": "app.iyagi.push.page", "after": "미나"}), "a page of followers to tell".to_owned()),
            (
                json!({"id": "main/7/1", "type": "app.iyagi.graph.vertex.added", "bytes": 300_000}),
                "a change that fits no message".to_owned(),
            ),
            (json!({"type": "미나"}), "unreadable, 17 bytes".to_owned()),
            (json!("미나"), "unreadable, 8 bytes".to_owned()),
        ] {
            assert_eq!(kind(&body.to_string()), expected);
        }
    }

    #[test]
    fn a_change_is_named_by_its_id() {
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

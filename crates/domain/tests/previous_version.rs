//! Messages, metadata and keys that the version before wrote (`fixtures/previous_version`) are read, and written again
//! unchanged. A deploy replaces functions while messages wait in queues, so their formats must not change.

use std::collections::BTreeMap;

use domain::{
    graph::Change,
    media::{Intent, Message, Notification, generation_prefix, is_invalidation_marker, is_public_key},
};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/previous_version/", $name)).trim_end()
    };
}

#[test]
fn cloud_event_of_previous_version_is_read_and_written_unchanged() {
    for json in
        [fixture!("cloud_event_edge.json"), fixture!("cloud_event_truncated.json"), fixture!("cloud_event_vertex.json")]
    {
        let received = Change::from_cloud_event(json).expect("a change");
        assert_eq!(received.change.to_cloud_event(&received.cluster), json);
    }
}

#[test]
fn report_of_previous_version_is_read_and_written_unchanged() {
    for json in [
        fixture!("report_failure.json"),
        fixture!("report_picture.json"),
        fixture!("report_silent_sound.json"),
        fixture!("report_sound.json"),
    ] {
        let Message::Report(report) = Message::parse(json).expect("a message") else { panic!("no report: {json}") };
        assert_eq!(serde_json::to_string(&report).expect("JSON"), json);
    }
}

#[test]
fn notification_of_previous_version_is_read_and_written_unchanged() {
    for json in [fixture!("notification_created.json"), fixture!("notification_removed.json")] {
        let [event] = &Notification::parse(json).expect("a notification").events[..] else { panic!("not one: {json}") };
        // The order of fields depends on serde_json's feature `preserve_order`, and has no meaning.
        let parse = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
        assert_eq!(parse(&event.to_notification()), parse(json));
    }
}

#[test]
fn object_metadata_of_previous_version_is_read_and_written_unchanged() {
    let stored = fixture!("object_metadata.json");
    let stored: BTreeMap<String, String> = serde_json::from_str(stored).expect("JSON");
    let intent = Intent::from_metadata(|name| stored.get(name).map(String::as_str));
    let written = intent.to_metadata().into_iter().map(|(name, value)| (name.to_owned(), value));
    assert_eq!(written.collect::<BTreeMap<_, _>>(), stored);
}

#[test]
fn derived_key_of_previous_version_has_its_visibility_and_its_marker() {
    let keys: BTreeMap<String, String> = serde_json::from_str(fixture!("derived_keys.json")).expect("JSON");
    let [public, private, marker] = ["public", "private", "invalidation_marker"].map(|name| keys[name].as_str());
    assert!(is_public_key(public) && !is_public_key(private) && !is_public_key(marker));
    assert!(is_invalidation_marker(marker) && !is_invalidation_marker(public) && !is_invalidation_marker(private));
    assert_eq!(generation_prefix(public), generation_prefix(marker));
}

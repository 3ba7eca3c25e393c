//! Everything here that reads what came from outside, given what nobody should send: it refuses, or
//! what it reads is what it would write again. That nothing panics, each test shows by ending.

use std::collections::HashMap;

use domain::{
    graph::{self, Change},
    media::{FileName, Intent, MediaId, Message, Notification, OriginalKey, Post, Report, Sequencer, Visibility},
    push::{self, Preferences, QuietHours, Token},
    search::{self, MAX_QUERY_CHARACTERS, Query},
    upload::{Checksum, UploadId},
};
use proptest::prelude::*;

const NOTIFICATION: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"ap-northeast-2","eventTime":"2026-11-22T03:04:05.678Z","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"originals"},"object":{"key":"photo/mina/%EA%B0%80+1.jpg","size":12,"eTag":"d41d8cd9","sequencer":"0055AED6DCD90281E5"}}}]}"#;
const TEST_EVENT: &str =
    r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-22T00:00:00.000Z","Bucket":"originals"}"#;
const REPORT: &str = r##"{"original":{"id":"1BXGRWP28YE5BMJM4Y6AMW46T0","key":"photo/mina/a","kind":"photo","owner":"mina","size":3,"uploaded_at":"2026-11-22T00:00:00Z","sequencer":"0A","declared":{"content_type":"image/jpeg","intent":{"post":"p1","visibility":"followers","file_name":"가.jpg"}}},"outcome":{"state":"ready","width":4,"height":3,"thumb_hash":"AA==","dominant_colour":"#102030","variants":[{"key":"k","content_type":"image/webp","width":4,"height":3,"size":9}]}}"##;
const HEARD: &str = r#"{"original":{"id":"1BXGRWP28YE5BMJM4Y6AMW46T0","key":"audio/mina/a","kind":"audio","owner":"mina","size":3,"uploaded_at":"2026-11-22T00:00:00Z","sequencer":"0A","declared":{"content_type":null,"intent":{"post":null,"visibility":"public","file_name":null}}},"outcome":{"state":"ready","duration_ms":1500,"codec":"mp3","rate_hz":44100,"channels":2,"loudness":{"integrated_lufs":-23.0,"range_lu":null,"true_peak_dbtp":-1.25,"gain_db":4.0,"limited":false},"silence":{"leading_ms":0,"trailing_ms":0,"pauses":[{"start_ms":0,"end_ms":600}]},"waveform":{"preview":"AA","json":{"key":"k","size":1},"binary":{"key":"k","size":1}},"renditions":[{"key":"k","size":1,"content_type":"audio/mp4","channels":1,"rate_hz":44100}]}}"#;
const CLOUD_EVENT: &str = r#"{"specversion":"1.0","id":"main/12/3","source":"/neptune/main","type":"app.iyagi.graph.edge.added","subject":"edge/e1","time":"2019-06-08T16:33:30.678Z","datacontenttype":"application/json","partitionkey":"edge/e1","data":{"position":"12/3","commitTimestampMs":"1560011610678","kind":"edge","entityId":"e1","what":"added","labels":{"added":["likes"],"removed":[],"kept":[]},"ends":{"from":"미나","to":"v2"},"properties":{"at":{"before":[{"dataType":"Double","value":"NaN"}],"after":[{"dataType":"Long","value":"9223372036854775807"},{"dataType":"String","value":"x"},{"dataType":"Point","json":"[1, 2]"}]}},"propertiesOmitted":0,"truncated":false}}"#;
const PREFERENCES: &str =
    r#"{"muted":["followers","stories"],"quiet_hours":{"from":"22:00","to":"07:00","time_zone":"Asia/Seoul"}}"#;
const NOTE: &str = r#"{"id":"main/12/3","position":"12/3","committed_at":"2026-11-22T00:00:00Z","edge":"e1","label":"likes","from":"mina","to":"s1"}"#;
const REGISTER: &str = "00000000000000000012.00000000000000000003+mina";
const ENTRY: &str = "0000000001.00000000000000000012.00000000000000000003+mina";

/// What is damaged here is taken as it is: or the damage would prove nothing.
#[test]
fn what_is_not_damaged_is_read() {
    for notification in [NOTIFICATION, TEST_EVENT] {
        Notification::parse(notification).expect("a notification");
    }
    for message in [NOTIFICATION, TEST_EVENT, REPORT, HEARD] {
        Message::parse(message).expect("a message");
    }
    Change::from_cloud_event(CLOUD_EVENT).expect("a change");
    serde_json::from_str::<Preferences>(PREFERENCES).expect("preferences");
    serde_json::from_str::<push::Event>(NOTE).expect("an event");
    REGISTER.parse::<push::Register>().expect("a register");
    ENTRY.parse::<search::Register>().expect("a register");
}

proptest! {
    #[test]
    fn a_notification_is_read_or_refused(text in malformed_inputs::documents(&[NOTIFICATION, TEST_EVENT])) {
        if let Ok(notification) = Notification::parse(&text) {
            for event in notification.events {
                let again = Notification::parse(&event.to_notification()).expect("a notification");
                prop_assert_eq!(again.events, [event]);
            }
        }
    }

    #[test]
    fn a_message_of_a_worker_is_read_or_refused(text in malformed_inputs::documents(&[NOTIFICATION, REPORT, HEARD])) {
        if let Ok(Message::Report(report)) = Message::parse(&text) {
            let written = serde_json::to_string(&report).expect("JSON");
            let again: Report = serde_json::from_str(&written).expect("a report");
            prop_assert_eq!(&again, report.as_ref());
        }
    }

    #[test]
    fn a_change_is_read_or_refused(text in malformed_inputs::documents(&[CLOUD_EVENT])) {
        if let Ok(received) = Change::from_cloud_event(&text) {
            let written = received.change.to_cloud_event(&received.cluster);
            prop_assert_eq!(Change::from_cloud_event(&written).expect("a change"), received.clone());
            // What follows from it is found out without a panic, too.
            let _ = (push::facts(&received.change), search::facts(&received.cluster, &received.change));
            let _ = push::Event::of(&received);
        }
    }

    #[test]
    fn what_is_stored_of_push_is_read_or_refused(
        preferences in malformed_inputs::documents(&[PREFERENCES]),
        note in malformed_inputs::documents(&[NOTE]),
    ) {
        if let Ok(preferences) = serde_json::from_str::<Preferences>(&preferences) {
            let again = serde_json::to_string(&preferences).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Preferences>(&again).expect("preferences"), preferences);
        }
        if let Ok(event) = serde_json::from_str::<push::Event>(&note) {
            let _ = (event.expires_at(), event.rules().count());
            let again = serde_json::to_string(&event).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<push::Event>(&again).expect("an event"), event);
        }
    }

    /// As texts, registers are compared by DynamoDB: one that is read must be the one that is written.
    #[test]
    fn a_register_is_read_or_refused(text in malformed_inputs::documents(&[REGISTER, ENTRY])) {
        if let Ok(register) = text.parse::<push::Register>() {
            prop_assert_eq!(register.to_string().parse::<push::Register>().ok(), Some(register));
        }
        if let Ok(register) = text.parse::<search::Register>() {
            prop_assert_eq!(register.to_string().parse::<search::Register>().ok(), Some(register));
        }
    }

    #[test]
    fn a_position_is_read_or_refused(text in malformed_inputs::documents(&["12/3", "0A/2", "18446744073709551615/1"])) {
        if let Ok(position) = text.parse::<graph::Position>() {
            prop_assert_eq!(position.to_string().parse::<graph::Position>().ok(), Some(position));
        }
        if let Ok(position) = text.parse::<domain::media::Position>() {
            prop_assert_eq!(position.to_string().parse::<domain::media::Position>().ok(), Some(position));
        }
        if let Ok(sequencer) = Sequencer::parse(&text) {
            prop_assert_eq!(Sequencer::parse(sequencer.as_str()).ok(), Some(sequencer));
        }
    }

    /// One text for each name, so that nothing is there twice under two.
    #[test]
    fn a_name_has_one_spelling(
        text in malformed_inputs::documents(&["1BXGRWP28YE5BMJM4Y6AMW46T0", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]),
    ) {
        if let Ok(id) = text.parse::<MediaId>() {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        if let Ok(id) = text.parse::<UploadId>() {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        if let Ok(checksum) = Checksum::try_from(text.clone()) {
            prop_assert_eq!(String::from(checksum), text);
        }
    }

    #[test]
    fn an_idempotency_key_of_any_kind_makes_an_id(uploader in malformed_inputs::text(), key in malformed_inputs::text()) {
        let id = UploadId::of_idempotency_key(&uploader, &key);
        prop_assert_eq!(id.to_string().parse::<UploadId>(), Ok(id));
    }

    #[test]
    fn a_key_belongs_to_whom_it_names(text in malformed_inputs::documents(&["photo/mina/a.jpg", "audio/mina/b/c", "avatar/jun/d"])) {
        if let Ok(key) = OriginalKey::parse(&text) {
            let begin = format!("{}/{}/", key.kind, key.owner);
            prop_assert!(text.starts_with(&begin) && !key.owner.contains('/'), "{}", text);
        }
    }

    /// What an object's own metadata say, which only the uploader signed for can have written.
    #[test]
    fn metadata_never_show_more_than_they_say(
        visibility in prop::option::of(malformed_inputs::documents(&["public", "followers", "private"])),
        post in prop::option::of(malformed_inputs::documents(&["story-1"])),
        name in prop::option::of(malformed_inputs::documents(&["%EA%B0%80.jpg"])),
    ) {
        let metadata: HashMap<_, _> = [("visibility", &visibility), ("post", &post), ("file-name", &name)].into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
        let intent = Intent::from_metadata(|name| metadata.get(name).copied());
        let is_open = matches!(visibility.as_deref(), None | Some("public"));
        prop_assert_eq!(intent.visibility == Visibility::Public, is_open);
        let written: HashMap<_, _> = intent.to_metadata().into_iter().collect();
        prop_assert!(written.values().all(|value| value.is_ascii() && !value.contains(char::is_control)));
        prop_assert_eq!(Intent::from_metadata(|name| written.get(name).map(String::as_str)), intent);
    }

    #[test]
    fn texts_of_clients_are_bounded(text in malformed_inputs::text()) {
        if let Ok(name) = FileName::try_from(text.clone()) {
            prop_assert!(!name.as_str().contains(['/', '\\', '\0']) && (1..=255).contains(&name.as_str().len()));
            prop_assert_eq!(FileName::try_from(name.as_str().to_owned()).ok(), Some(name));
        }
        if let Ok(post) = Post::try_from(text.clone()) {
            prop_assert!(post.as_str().is_ascii());
        }
        if let Ok(query) = Query::parse(&text) {
            prop_assert!(!query.as_str().is_empty() && query.as_str().chars().count() <= 3 * MAX_QUERY_CHARACTERS);
            prop_assert_eq!(Query::parse(query.as_str()).ok(), Some(query));
        }
        if let Ok(token) = Token::try_from(text.clone()) {
            prop_assert!(token.as_str().len() <= push::MAX_TOKEN_BYTES);
        }
        if let Ok(hours) = QuietHours::new(&text, "07:00", "Asia/Seoul") {
            prop_assert_eq!(hours.start(), text.clone());
        }
        let _ = QuietHours::new("22:00", "07:00", &text);
    }
}

//! All parsers of outside data, with malformed inputs. A parser rejects an input, or parses it to a value that
//! round-trips. No parser panics.

use std::collections::HashMap;

use domain::{
    graph::{self, Change},
    media::{
        Derivatives, FileName, Intent, MediaId, Message, Notification, OriginalKey, Outcome, Post, Report, Sequencer,
        Visibility,
    },
    push::{self, Preferences, QuietHours, Token},
    search::{self, MAX_QUERY_CHARACTERS, Query},
    upload::{Checksum, UploadId},
};
use proptest::prelude::*;

const NOTIFICATION: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"ap-northeast-2","eventTime":"2026-11-22T03:04:05.678Z","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"originals"},"object":{"key":"photo/mina/%EA%B0%80+1.jpg","size":12,"eTag":"d41d8cd9","sequencer":"0055AED6DCD90281E5"}}}]}"#;
const TEST_EVENT: &str =
    r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-22T00:00:00.000Z","Bucket":"originals"}"#;
const REPORT: &str = r##"{"original":{"id":"1BXGRWP28YE5BMJM4Y6AMW46T0","key":"photo/mina/a","kind":"photo","owner":"mina","size":3,"uploaded_at":"2026-11-22T00:00:00Z","sequencer":"0A","declared":{"content_type":"image/jpeg","intent":{"post":"p1","visibility":"followers","file_name":"가.jpg"}}},"outcome":{"state":"ready","width":4,"height":3,"thumb_hash":"AA==","dominant_colour":"#102030","variants":[{"key":"k","content_type":"image/webp","width":4,"height":3,"size":9}]}}"##;
const SOUND_REPORT: &str = r#"{"original":{"id":"1BXGRWP28YE5BMJM4Y6AMW46T0","key":"audio/mina/a","kind":"audio","owner":"mina","size":3,"uploaded_at":"2026-11-22T00:00:00Z","sequencer":"0A","declared":{"content_type":null,"intent":{"post":null,"visibility":"public","file_name":null}}},"outcome":{"state":"ready","duration_ms":1500,"codec":"mp3","rate_hz":44100,"channels":2,"loudness":{"integrated_lufs":-23.0,"range_lu":null,"true_peak_dbtp":-1.25,"gain_db":4.0,"limited":false},"silence":{"leading_ms":0,"trailing_ms":0,"pauses":[{"start_ms":0,"end_ms":600}]},"waveform":{"preview":"AA","json":{"key":"k","size":1},"binary":{"key":"k","size":1}},"renditions":[{"key":"k","size":1,"content_type":"audio/mp4","channels":1,"rate_hz":44100}]}}"#;
const CLOUD_EVENT: &str = r#"{"specversion":"1.0","id":"main/12/3","source":"/neptune/main","type":"app.iyagi.graph.edge.added","subject":"edge/e1","time":"2019-06-08T16:33:30.678Z","datacontenttype":"application/json","partitionkey":"edge/e1","data":{"position":"12/3","commitTimestampMs":"1560011610678","kind":"edge","entityId":"e1","what":"added","labels":{"added":["likes"],"removed":[],"kept":[]},"ends":{"from":"미나","to":"v2"},"properties":{"at":{"before":[{"dataType":"Double","value":"NaN"}],"after":[{"dataType":"Long","value":"9223372036854775807"},{"dataType":"String","value":"x"},{"dataType":"Point","json":"[1, 2]"}]}},"propertiesOmitted":0,"truncated":false}}"#;
const PREFERENCES: &str = r#"{"muted":["followers","stories"],"quiet_hours":{"from":"22:00","to":"07:00","time_zone":"Asia/Seoul"},"hide_content":true}"#;
const PENDING_EVENT: &str = r#"{"id":"main/12/3","position":"12/3","committed_at":"2026-11-22T00:00:00Z","edge":"e1","label":"likes","from":"mina","to":"s1"}"#;
const REGISTER: &str = "00000000000000000012.00000000000000000003+mina";
const ENTRY: &str = "0000000001.00000000000000000012.00000000000000000003+mina";

/// The report with the loudness of `other`, where the two differ by rounding only: `serde_json` may parse a
/// floating-point number off by one bit.
fn without_rounding(mut report: Report, other: &Report) -> Report {
    let Outcome::Ready(Derivatives::Sound(sound)) = &mut report.outcome else { return report };
    let Outcome::Ready(Derivatives::Sound(other)) = &other.outcome else { return report };
    let (found, expected) = (&mut sound.loudness, &other.loudness);
    let round = |found: &mut f64, expected: f64| {
        if (*found - expected).abs() <= f64::EPSILON * expected.abs() {
            *found = expected;
        }
    };
    for (found, expected) in [
        (&mut found.integrated_lufs, expected.integrated_lufs),
        (&mut found.range_lu, expected.range_lu),
        (&mut found.true_peak_dbtp, expected.true_peak_dbtp),
    ] {
        if let (Some(found), Some(expected)) = (found, expected) {
            round(found, expected);
        }
    }
    round(&mut found.gain_db, expected.gain_db);
    report
}

/// The undamaged inputs are valid, so that rejections are due to the damage.
#[test]
fn undamaged_inputs_are_parsed() {
    for notification in [NOTIFICATION, TEST_EVENT] {
        Notification::parse(notification).expect("a notification");
    }
    for message in [NOTIFICATION, TEST_EVENT, REPORT, SOUND_REPORT] {
        Message::parse(message).expect("a message");
    }
    Change::from_cloud_event(CLOUD_EVENT).expect("a change");
    serde_json::from_str::<Preferences>(PREFERENCES).expect("preferences");
    serde_json::from_str::<push::Event>(PENDING_EVENT).expect("an event");
    REGISTER.parse::<push::Register>().expect("a register");
    ENTRY.parse::<search::Register>().expect("a register");
}

#[test]
fn report_with_a_number_of_many_digits_round_trips_up_to_rounding() {
    let digits = "123456789012345678901234567890123456789012345678901234567890";
    let text = SOUND_REPORT.replace(r#""integrated_lufs":-23.0"#, &format!(r#""integrated_lufs":{digits}"#));
    let Message::Report(report) = Message::parse(&text).expect("a report") else { panic!("not a report") };
    let written = serde_json::to_string(&report).expect("JSON");
    let again: Report = serde_json::from_str(&written).expect("a report");
    assert_eq!(without_rounding(again, &report), *report);
}

const DECISION: &str =
    r#"{"type":"app.iyagi.media.take-down","id":"1BXGRWP28YE5BMJM4Y6AMW46T0","sequencer":"0A","reason":"hate"}"#;

proptest! {
    #[test]
    fn damaged_notification_is_parsed_or_rejected(text in malformed_inputs::documents(&[NOTIFICATION, TEST_EVENT])) {
        if let Ok(notification) = Notification::parse(&text) {
            for event in notification.events {
                let again = Notification::parse(&event.to_notification()).expect("a notification");
                prop_assert_eq!(again.events, [event]);
            }
        }
    }

    #[test]
    fn damaged_decision_is_parsed_or_rejected(text in malformed_inputs::documents(&[DECISION, REPORT])) {
        if let Ok(Message::Decision(decision)) = Message::parse(&text) {
            let written = serde_json::to_string(&decision).expect("JSON");
            prop_assert_eq!(Message::parse(&written).expect("a decision"), Message::Decision(decision));
        }
    }

    #[test]
    fn damaged_worker_report_is_parsed_or_rejected(text in malformed_inputs::documents(&[NOTIFICATION, REPORT, SOUND_REPORT])) {
        if let Ok(Message::Report(report)) = Message::parse(&text) {
            let written = serde_json::to_string(&report).expect("JSON");
            let again: Report = serde_json::from_str(&written).expect("a report");
            prop_assert_eq!(without_rounding(again, &report), *report);
        }
    }

    #[test]
    fn damaged_change_is_parsed_or_rejected(text in malformed_inputs::documents(&[CLOUD_EVENT])) {
        if let Ok(received) = Change::from_cloud_event(&text) {
            let written = received.change.to_cloud_event(&received.cluster);
            prop_assert_eq!(Change::from_cloud_event(&written).expect("a change"), received.clone());
            // Its facts are computed without a panic.
            let _ = (push::facts(&received), search::facts(&received.cluster, &received.change));
            let _ = push::Event::of(&received);
        }
    }

    #[test]
    fn damaged_push_rows_are_parsed_or_rejected(
        preferences in malformed_inputs::documents(&[PREFERENCES]),
        event in malformed_inputs::documents(&[PENDING_EVENT]),
    ) {
        if let Ok(preferences) = serde_json::from_str::<Preferences>(&preferences) {
            let again = serde_json::to_string(&preferences).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Preferences>(&again).expect("preferences"), preferences);
        }
        if let Ok(event) = serde_json::from_str::<push::Event>(&event) {
            let _ = (event.expires_at(), event.rules().count());
            let again = serde_json::to_string(&event).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<push::Event>(&again).expect("an event"), event);
        }
    }

    /// DynamoDB compares registers as texts, so a parsed register must be written as it was.
    #[test]
    fn damaged_register_is_parsed_or_rejected(text in malformed_inputs::documents(&[REGISTER, ENTRY])) {
        if let Ok(register) = text.parse::<push::Register>() {
            prop_assert_eq!(register.to_string().parse::<push::Register>().ok(), Some(register));
        }
        if let Ok(register) = text.parse::<search::Register>() {
            prop_assert_eq!(register.to_string().parse::<search::Register>().ok(), Some(register));
        }
    }

    #[test]
    fn damaged_position_is_parsed_or_rejected(text in malformed_inputs::documents(&["12/3", "0A/2", "18446744073709551615/1"])) {
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

    /// Ids and checksums have one text each, so no item exists under two names.
    #[test]
    fn id_or_checksum_has_one_spelling(
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
    fn any_idempotency_key_gives_an_id(uploader in malformed_inputs::text(), key in malformed_inputs::text()) {
        let id = UploadId::of_idempotency_key(&uploader, &key);
        prop_assert_eq!(id.to_string().parse::<UploadId>(), Ok(id));
    }

    #[test]
    fn damaged_key_belongs_to_the_owner_in_it(text in malformed_inputs::documents(&["photo/mina/a.jpg", "audio/mina/b/c", "avatar/jun/d"])) {
        if let Ok(key) = OriginalKey::parse(&text) {
            let begin = format!("{}/{}/", key.kind, key.owner);
            prop_assert!(text.starts_with(&begin) && !key.owner.contains('/'), "{}", text);
        }
    }

    /// Metadata of an object, which its uploader wrote. Its upload was signed with them.
    #[test]
    fn damaged_metadata_never_widen_visibility(
        visibility in prop::option::of(malformed_inputs::documents(&["public", "followers", "private"])),
        post in prop::option::of(malformed_inputs::documents(&["story-1"])),
        name in prop::option::of(malformed_inputs::documents(&["%EA%B0%80.jpg"])),
    ) {
        let metadata: HashMap<_, _> = [("visibility", &visibility), ("post", &post), ("file-name", &name)].into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
        let intent = Intent::from_metadata(|name| metadata.get(name).copied());
        let is_public = matches!(visibility.as_deref(), None | Some("public"));
        prop_assert_eq!(intent.visibility == Visibility::Public, is_public);
        let written: HashMap<_, _> = intent.to_metadata().into_iter().collect();
        prop_assert!(written.values().all(|value| value.is_ascii() && !value.contains(char::is_control)));
        prop_assert_eq!(Intent::from_metadata(|name| written.get(name).map(String::as_str)), intent);
    }

    #[test]
    fn any_text_of_a_client_is_bounded_or_rejected(text in malformed_inputs::text()) {
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

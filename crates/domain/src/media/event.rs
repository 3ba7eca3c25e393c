use std::borrow::Cow;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;

use super::{InvalidSequencer, Sequencer};

/// An S3 event notification: changes of objects, in no particular order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The changes. Empty for `s3:TestEvent`, which S3 sends when notifications are configured.
    pub events: Vec<ObjectEvent>,
}

/// One object was created, overwritten or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEvent {
    /// Decoded key, byte by byte as S3 stores it.
    pub key: String,
    /// Time of the change.
    pub at: Timestamp,
    /// Order of the events of this key.
    pub sequencer: Sequencer,
    /// Creation or removal.
    pub change: ObjectChange,
}

/// Creation or removal of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectChange {
    /// Created, or overwritten with this content.
    Created {
        /// Size in bytes.
        size: u64,
        /// Entity tag without quotes, as in S3's events.
        etag: String,
    },
    /// Deleted, or hidden behind a delete marker.
    Removed,
}

/// Why a text is not an S3 notification. S3's documented messages cause none of these.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// Not JSON, or a required field is missing or of another type.
    #[error("not an S3 notification")]
    Shape(#[from] serde_json::Error),
    /// The key is not UTF-8 after decoding.
    #[error("the object's key is not UTF-8")]
    Key,
    /// The sequencer cannot be compared.
    #[error(transparent)]
    Sequencer(#[from] InvalidSequencer),
    /// `ObjectCreated` without size or ETag.
    #[error("an object was created without size or ETag")]
    Incomplete,
}

impl ObjectEvent {
    /// A notification of this event alone, in S3's format, to be sent again.
    pub fn to_notification(&self) -> String {
        let mut object = json!({"key": utf8_percent_encode(&self.key, NON_ALPHANUMERIC).to_string()});
        object["sequencer"] = self.sequencer.as_str().into();
        let name = match &self.change {
            ObjectChange::Created { size, etag } => {
                object["size"] = (*size).into();
                object["eTag"] = etag.as_str().into();
                "ObjectCreated:Put"
            }
            ObjectChange::Removed => "ObjectRemoved:Delete",
        };
        let record = json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name, "eventTime": self.at,
            "s3": {"object": object}
        });
        json!({"Records": [record]}).to_string()
    }
}

impl Notification {
    /// Parses a notification of S3 (Amazon S3 User Guide, "Event message structure").
    ///
    /// Other events than `ObjectCreated` and `ObjectRemoved` are ignored: they change no media item.
    pub fn parse(json: &str) -> Result<Self, NotificationError> {
        Self::try_from(serde_json::from_str::<Wire>(json)?)
    }
}

impl TryFrom<Wire> for Notification {
    type Error = NotificationError;

    fn try_from(wire: Wire) -> Result<Self, NotificationError> {
        let records = match wire {
            Wire::Test { .. } => Vec::new(),
            Wire::Records { records } => records,
        };
        let events = records.into_iter().filter_map(|record| record.event().transpose()).collect::<Result<_, _>>()?;
        Ok(Self { events })
    }
}

/// A notification in JSON, with only the fields that are used.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Wire {
    Records {
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    Test {
        #[serde(rename = "Event")]
        _event: TestEvent,
    },
}

#[derive(Deserialize)]
pub(super) enum TestEvent {
    #[serde(rename = "s3:TestEvent")]
    TestEvent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    event_name: String,
    event_time: Timestamp,
    s3: S3,
}

#[derive(Deserialize)]
struct S3 {
    object: Object,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    size: Option<u64>,
    e_tag: Option<String>,
    sequencer: String,
}

impl Record {
    fn event(self) -> Result<Option<ObjectEvent>, NotificationError> {
        let object = self.s3.object;
        let change = match self.event_name.split_once(':').map(|(family, _)| family) {
            Some("ObjectCreated") => match (object.size, object.e_tag) {
                (Some(size), Some(etag)) => ObjectChange::Created { size, etag },
                _ => return Err(NotificationError::Incomplete),
            },
            Some("ObjectRemoved") => ObjectChange::Removed,
            _ => return Ok(None),
        };
        Ok(Some(ObjectEvent {
            key: decode_key(&object.key)?,
            at: self.event_time,
            sequencer: Sequencer::parse(&object.sequencer)?,
            change,
        }))
    }
}

/// Keys are form-encoded: `+` is a space, `%2B` is a plus sign. So `+` is replaced first.
fn decode_key(encoded: &str) -> Result<String, NotificationError> {
    let spaced: Cow<'_, str> = if encoded.contains('+') { encoded.replace('+', " ").into() } else { encoded.into() };
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(key) => Ok(key.into_owned()),
        Err(_) => Err(NotificationError::Key),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(name: &str, key: &str) -> serde_json::Value {
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "ap-northeast-2",
            "eventTime": "2026-11-22T03:04:05.678Z", "eventName": name,
            "s3": {
                "bucket": {"name": "originals"},
                "object": {"key": key, "size": 12, "eTag": "d41d8cd9", "sequencer": "0055AED6DCD90281E5"}
            }
        })
    }

    fn parse(records: serde_json::Value) -> Result<Notification, NotificationError> {
        Notification::parse(&json!({ "Records": records }).to_string())
    }

    #[test]
    fn created_and_removed_objects_are_parsed() {
        let notification =
            parse(json!([record("ObjectCreated:Put", "photo/u/a"), record("ObjectRemoved:Delete", "photo/u/b")]));
        let events = notification.expect("a notification").events;
        assert_eq!(events[0].change, ObjectChange::Created { size: 12, etag: "d41d8cd9".into() });
        assert_eq!(events[0].at.to_string(), "2026-11-22T03:04:05.678Z");
        assert_eq!(events[1].change, ObjectChange::Removed);
    }

    #[test]
    fn removal_needs_neither_size_nor_etag() {
        let mut removed = record("ObjectRemoved:DeleteMarkerCreated", "photo/u/b");
        removed["s3"]["object"] = json!({"key": "photo/u/b", "sequencer": "01"});
        assert_eq!(parse(json!([removed])).expect("a notification").events.len(), 1);
    }

    #[test]
    fn test_event_and_other_kinds_give_no_events() {
        let test =
            r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-22T00:00:00.000Z","Bucket":"originals"}"#;
        assert_eq!(Notification::parse(test).expect("a notification").events, []);
        assert_eq!(parse(json!([record("ObjectTagging:Put", "photo/u/a")])).expect("a notification").events, []);
    }

    #[test]
    fn text_that_s3_never_sends_is_rejected() {
        for text in ["", "null", "[]", "{}", "hello", r#"{"Event":"other"}"#, r#"{"Records":[{}]}"#] {
            assert!(Notification::parse(text).is_err(), "{text}");
        }
        assert!(matches!(parse(json!([record("ObjectCreated:Put", "photo/u/%FF")])), Err(NotificationError::Key)));
    }

    #[test]
    fn plus_is_a_space_and_encoded_plus_is_a_plus() {
        assert_eq!(decode_key("photo/u/a+b%2Bc%20d").expect("a key"), "photo/u/a b+c d");
        assert_eq!(decode_key("photo/u/%EA%B0%80").expect("a key"), "photo/u/\u{ac00}");
        assert_eq!(decode_key("photo/u/%E1%84%80%E1%85%A1").expect("a key"), "photo/u/\u{1100}\u{1161}");
    }

    proptest! {
        #[test]
        fn encoded_key_round_trips(key: String) {
            let encoded = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string().replace("%20", "+");
            prop_assert_eq!(decode_key(&encoded).expect("a key"), key);
        }

        #[test]
        fn notification_round_trips(
            key: String,
            at in 0..4_000_000_000_000_i64,
            sequencer in "[0-9A-F]{1,32}",
            content in prop::option::of(any::<(u64, String)>()),
        ) {
            let change = content.map_or(ObjectChange::Removed, |(size, etag)| ObjectChange::Created { size, etag });
            let sequencer = Sequencer::parse(&sequencer).expect("a sequencer");
            let at = Timestamp::from_millisecond(at).expect("a time");
            let event = ObjectEvent { key, at, sequencer, change };
            let read = Notification::parse(&event.to_notification()).expect("a notification");
            prop_assert_eq!(read.events, [event]);
        }

        #[test]
        fn any_text_parses_without_panic(text: String) {
            let _ = Notification::parse(&text);
        }
    }
}

use std::borrow::Cow;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{InvalidSequencer, Sequencer};

/// An S3 event notification: changes of objects, in no particular order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The changes. Empty for `s3:TestEvent`, which S3 sends when notifications are configured.
    pub events: Vec<ObjectEvent>,
    /// Names of events of families that this version does not know. They are left out of `events`.
    pub unknown: Vec<String>,
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
        /// The version of the object with this content.
        version: ObjectVersion,
    },
    /// Deleted, or hidden behind a delete marker.
    Removed,
}

/// One version of an object.
///
/// The entity tag depends on the content: an object that was deleted and created again with the same bytes has the same
/// tag. Only the id tells the two apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Entity tag without quotes, as in S3's events.
    pub etag: String,
    /// Version id. `None` if the bucket has no versions, or the event's sender did not know it.
    pub id: Option<String>,
}

impl ObjectVersion {
    /// A version that is known by its tag only.
    pub fn of_etag(etag: impl Into<String>) -> Self {
        Self { etag: etag.into(), id: None }
    }

    /// Whether an object with the same tag and the version id `found` is this version. Without an id on either side, the
    /// tags decide.
    pub fn has_id(&self, found: Option<&str>) -> bool {
        match (self.id.as_deref(), found) {
            (Some(expected), Some(found)) => expected == found,
            (None, _) | (_, None) => true,
        }
    }
}

/// Why a text is not an S3 notification. S3's documented messages cause none of these.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// Not JSON, or of another form.
    #[error("not an S3 notification")]
    Shape(#[from] serde_json::Error),
    /// Neither records nor a test event.
    #[error("not an S3 notification: no records")]
    NoRecords,
    /// A required field of a record is missing or of another type. The number counts from 1; the error's place is that in
    /// the record.
    #[error("record {0} of the S3 notification")]
    Record(usize, #[source] serde_json::Error),
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
            ObjectChange::Created { size, version } => {
                object["size"] = (*size).into();
                object["eTag"] = version.etag.as_str().into();
                if let Some(id) = &version.id {
                    object["versionId"] = id.as_str().into();
                }
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
    /// Events other than `ObjectCreated` and `ObjectRemoved` change no media item. They are left out before their fields
    /// are read, because those differ: `ObjectTagging` has no sequencer. Names may have the prefix `s3:`.
    pub fn parse(json: &str) -> Result<Self, NotificationError> {
        let Envelope { records, event } = serde_json::from_str(json)?;
        let records = match records {
            Some(records) => records,
            None if event.as_deref() == Some("s3:TestEvent") => Vec::new(),
            None => return Err(NotificationError::NoRecords),
        };
        let mut notification = Self { events: Vec::with_capacity(records.len()), unknown: Vec::new() };
        for (record, number) in records.into_iter().zip(1..) {
            let of_record = |error| NotificationError::Record(number, error);
            let Named { event_name } = serde_json::from_str(record.get()).map_err(of_record)?;
            match Family::of(&event_name) {
                Family::Created | Family::Removed => {
                    let record: Record = serde_json::from_str(record.get()).map_err(of_record)?;
                    notification.events.push(record.event(&event_name)?);
                }
                Family::Other => {}
                Family::Unknown => notification.unknown.push(event_name.into_owned()),
            }
        }
        Ok(notification)
    }
}

/// The part of an event's name before the colon.
enum Family {
    Created,
    Removed,
    /// It changes neither content nor existence, or removes objects only as a lifecycle rule says.
    Other,
    Unknown,
}

impl Family {
    /// The families that S3 documents (Amazon S3 User Guide, "Supported event types").
    fn of(event_name: &str) -> Self {
        let name = event_name.strip_prefix("s3:").unwrap_or(event_name);
        match name.split(':').next().unwrap_or_default() {
            "ObjectCreated" => Self::Created,
            "ObjectRemoved" => Self::Removed,
            "IntelligentTiering"
            | "LifecycleExpiration"
            | "LifecycleTransition"
            | "ObjectAcl"
            | "ObjectRestore"
            | "ObjectTagging"
            | "ReducedRedundancyLostObject"
            | "Replication"
            | "TestEvent" => Self::Other,
            _ => Self::Unknown,
        }
    }
}

/// A notification in JSON, with only the fields that are used. A record is read when its event's name is known.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "Event")]
    event: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    #[serde(borrow)]
    event_name: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
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
    version_id: Option<String>,
    sequencer: String,
}

impl Record {
    fn event(self, name: &str) -> Result<ObjectEvent, NotificationError> {
        let object = self.s3.object;
        let change = match (Family::of(name), object.size, object.e_tag) {
            (Family::Created, Some(size), Some(etag)) => {
                ObjectChange::Created { size, version: ObjectVersion { etag, id: object.version_id } }
            }
            (Family::Created, ..) => return Err(NotificationError::Incomplete),
            _ => ObjectChange::Removed,
        };
        Ok(ObjectEvent {
            key: decode_key(&object.key)?,
            at: self.event_time,
            sequencer: Sequencer::parse(&object.sequencer)?,
            change,
        })
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
        assert_eq!(events[0].change, ObjectChange::Created { size: 12, version: ObjectVersion::of_etag("d41d8cd9") });
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
    fn created_object_has_its_version() {
        let mut created = record("ObjectCreated:Put", "photo/u/a");
        created["s3"]["object"]["versionId"] = "v1".into();
        let events = parse(json!([created])).expect("a notification").events;
        let ObjectChange::Created { version, .. } = &events[0].change else { panic!("not created") };
        assert_eq!(version.id.as_deref(), Some("v1"));
        assert!(version.has_id(Some("v1")) && version.has_id(None) && !version.has_id(Some("v2")));
        assert!(ObjectVersion::of_etag("e").has_id(Some("v1")), "a notification of the version before has no id");
    }

    #[test]
    fn event_of_another_kind_is_left_out_before_its_fields_are_read() {
        for name in ["ObjectTagging:Put", "s3:ObjectAcl:Put", "LifecycleExpiration:Delete", "ObjectRestore:Completed"] {
            let mut other = record(name, "photo/u/a");
            other["s3"]["object"]["sequencer"] = serde_json::Value::Null;
            other["eventTime"] = "never".into();
            let notification = parse(json!([other, record("ObjectCreated:Put", "photo/u/b")])).expect("a notification");
            assert_eq!((notification.events.len(), &notification.unknown[..]), (1, &[][..]), "{name}");
        }
    }

    #[test]
    fn event_of_an_unknown_family_is_named() {
        let notification = parse(json!([{"eventName": "ObjectTeleported:Put"}])).expect("a notification");
        assert_eq!(
            (notification.events.len(), &notification.unknown[..]),
            (0, &["ObjectTeleported:Put".to_owned()][..])
        );
    }

    #[test]
    fn name_may_have_a_prefix() {
        let records =
            json!([record("s3:ObjectCreated:Put", "photo/u/a"), record("s3:ObjectRemoved:Delete", "photo/u/b")]);
        let events = parse(records).expect("a notification").events;
        assert!(matches!(events[0].change, ObjectChange::Created { .. }));
        assert_eq!(events[1].change, ObjectChange::Removed);
    }

    #[test]
    fn malformed_record_is_named_with_its_place() {
        let mut malformed = record("ObjectCreated:Put", "photo/u/b");
        malformed["s3"]["object"]["size"] = "미나".into();
        let error = parse(json!([record("ObjectCreated:Put", "photo/u/a"), malformed])).expect_err("no size");
        let NotificationError::Record(2, source) = &error else { panic!("{error:?}") };
        assert!(source.column() > 20, "{source}");
        assert_eq!(error.to_string(), "record 2 of the S3 notification");
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
            content in prop::option::of(any::<(u64, String, Option<String>)>()),
        ) {
            let change = content.map_or(ObjectChange::Removed, |(size, etag, id)| {
                ObjectChange::Created { size, version: ObjectVersion { etag, id } }
            });
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

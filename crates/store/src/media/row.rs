use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::media::{
    Declared, Derived, FileName, Intent, Kind, MediaId, MediaItem, Post, Reason, State, Upload, Visibility,
};
use function_kit::failure::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Projection, SortKey, list::index_keys};

/// An item as DynamoDB holds it, without its keys in the indexes, which follow from the rest.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    id: MediaId,
    /// [`domain::media::Position`] as text: what the condition compares.
    position: String,
    kind: Kind,
    owner: String,
    key: String,
    state: StateName,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility: Option<Visibility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<Post>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<FileName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    derived: Option<Derived>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Seconds since 1970: the table's time to live.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

/// The fields of [`Row`] but `derived`.
const BRIEF: [&str; 14] = [
    "id",
    "position",
    "kind",
    "owner",
    "key",
    "state",
    "size",
    "uploaded_at",
    "content_type",
    "visibility",
    "post",
    "file_name",
    "reason",
    "expires_at",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateName {
    Processing,
    Ready,
    Failed,
    Deleted,
}

/// The projection expression for this much of a row, and the names in it: some of them are
/// DynamoDB's reserved words.
pub(super) fn projection(detail: Projection) -> Option<(String, HashMap<String, String>)> {
    match detail {
        Projection::Full => None,
        Projection::Brief => {
            let names: HashMap<_, _> = BRIEF.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect();
            Some((names.keys().map(String::as_str).collect::<Vec<_>>().join(", "), names))
        }
    }
}

/// The whole row of an item. Tombstones are in no index.
pub(super) fn to_attributes(item: MediaItem) -> Result<HashMap<String, AttributeValue>, Failure> {
    let mut indexed = HashMap::new();
    if let Some(upload) = item.state.upload() {
        let Intent { post, visibility, .. } = &upload.declared.intent;
        let keys = index_keys(&item.owner, item.kind, post.as_ref(), *visibility);
        indexed.extend(keys.into_iter().map(|(name, key)| (name.to_owned(), AttributeValue::S(key))));
        let place = SortKey::of(item.id, upload.uploaded_at);
        indexed.insert("listed_at".to_owned(), AttributeValue::S(place.0));
    }
    let row: HashMap<_, _> =
        serde_dynamo::to_item(Row::from(item)).map_err(|error| Failure::bug("write a media row", error))?;
    indexed.extend(row);
    Ok(indexed)
}

/// The item that a row, or a brief one, holds.
pub(super) fn from_attributes(row: HashMap<String, AttributeValue>) -> Result<MediaItem, Failure> {
    crate::row::read::<Row>("read a media row", row)?.try_into()
}

impl From<MediaItem> for Row {
    fn from(item: MediaItem) -> Self {
        let MediaItem { id, position, kind, owner, key, state } = item;
        let (state, upload, derived, reason, expires_at) = match state {
            State::Processing(upload) => (StateName::Processing, Some(upload), None, None, None),
            State::Ready(upload, derived) => (StateName::Ready, Some(upload), derived, None, None),
            State::Failed(upload, reason) => (StateName::Failed, Some(upload), None, Some(reason), None),
            State::Deleted { expires_at } => (StateName::Deleted, None, None, None, Some(expires_at.as_second())),
        };
        let mut row = Self {
            id,
            position: position.to_string(),
            kind,
            owner,
            key,
            state,
            size: None,
            uploaded_at: None,
            content_type: None,
            visibility: None,
            post: None,
            file_name: None,
            derived,
            reason,
            expires_at,
        };
        if let Some(Upload { size, uploaded_at, declared: Declared { content_type, intent } }) = upload {
            (row.size, row.uploaded_at, row.content_type) = (Some(size), Some(uploaded_at), content_type);
            (row.visibility, row.post, row.file_name) = (Some(intent.visibility), intent.post, intent.file_name);
        }
        row
    }
}

impl TryFrom<Row> for MediaItem {
    type Error = Failure;

    fn try_from(row: Row) -> Result<Self, Failure> {
        let broken = || Failure::bug("read a media row", format!("the row {} contradicts itself", row.id));
        let upload = match (row.size, row.uploaded_at, row.visibility) {
            (Some(size), Some(uploaded_at), Some(visibility)) => {
                let intent = Intent { post: row.post, visibility, file_name: row.file_name };
                let declared = Declared { content_type: row.content_type, intent };
                Some(Upload { size, uploaded_at, declared })
            }
            _ => None,
        };
        let position = row.position.parse().map_err(|_| broken())?;
        let state = match (row.state, upload) {
            (StateName::Processing, Some(upload)) => State::Processing(upload),
            (StateName::Ready, Some(upload)) => State::Ready(upload, row.derived),
            (StateName::Failed, Some(upload)) => State::Failed(upload, row.reason.ok_or_else(broken)?),
            (StateName::Deleted, None) => {
                let expires_at = row.expires_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
                State::Deleted { expires_at: expires_at.ok_or_else(broken)? }
            }
            _ => return Err(broken()),
        };
        Ok(Self { id: row.id, position, kind: row.kind, owner: row.owner, key: row.key, state })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use domain::media::{
        File, Loudness, ObjectChange, ObjectEvent, Original, Outcome, Pause, Picture, Rendition, Report, Sequencer,
        Silence, Sound, Waveform,
    };
    use proptest::prelude::*;

    use super::*;

    fn event(key: &str, change: ObjectChange) -> ObjectEvent {
        ObjectEvent {
            key: key.into(),
            at: "2026-11-22T01:02:03Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change,
        }
    }

    fn original(key: &str) -> Original {
        let intent = Intent {
            post: "p1".to_owned().try_into().ok(),
            visibility: Visibility::Followers,
            file_name: "가.jpg".to_owned().try_into().ok(),
        };
        let declared = Declared { content_type: Some("image/jpeg".into()), intent };
        Original::of(&event(key, ObjectChange::Created { size: 7, etag: String::new() }), 7, declared).expect("owned")
    }

    /// An item that has just landed at `key`.
    pub fn landed(key: &str) -> MediaItem {
        MediaItem::landed(original(key))
    }

    fn ready() -> MediaItem {
        let derived = Derived::Picture(Picture {
            width: 4,
            height: 3,
            thumb_hash: "AA==".into(),
            dominant_colour: "#102030".into(),
            variants: vec![],
        });
        MediaItem::reported(Report { original: original("photo/mina/a"), outcome: Outcome::Ready(derived) })
    }

    fn heard() -> MediaItem {
        let file = File { key: "k".into(), size: 1 };
        let derived = Derived::Sound(Box::new(Sound {
            duration_ms: 1_500,
            codec: "mp3".into(),
            rate_hz: 44_100,
            channels: 2,
            loudness: Loudness {
                integrated_lufs: Some(-23.0),
                range_lu: Some(5.25),
                true_peak_dbtp: None,
                gain_db: 7.0,
                limited: true,
            },
            silence: Silence { leading_ms: 0, trailing_ms: 600, pauses: vec![Pause { start_ms: 900, end_ms: 1_500 }] },
            waveform: Waveform { preview: "AP8".into(), json: file.clone(), binary: file.clone() },
            renditions: vec![Rendition { file, content_type: "audio/mp4".into(), channels: 2, rate_hz: 44_100 }],
        }));
        MediaItem::reported(Report { original: original("audio/mina/a"), outcome: Outcome::Ready(derived) })
    }

    fn deleted() -> MediaItem {
        MediaItem::deleted(&event("photo/mina/a", ObjectChange::Removed)).expect("owned")
    }

    #[test]
    fn every_state_survives_its_row() {
        let failed = Outcome::Failed { reason: Reason::Truncated };
        let failed = MediaItem::reported(Report { original: original("photo/mina/a"), outcome: failed });
        for item in [landed("photo/mina/a"), landed("audio/mina/a"), ready(), heard(), failed, deleted()] {
            let row = to_attributes(item.clone()).expect("a row");
            assert_eq!(from_attributes(row).expect("an item"), item);
        }
    }

    #[test]
    fn a_brief_row_is_the_same_item_without_what_was_made_from_it() {
        let mut row = to_attributes(ready()).expect("a row");
        let (_, names) = projection(Projection::Brief).expect("a projection");
        assert!(row.contains_key("derived"));
        row.retain(|name, _| names.values().any(|wanted| wanted == name));
        let mut brief = ready();
        let State::Ready(_, derived) = &mut brief.state else { panic!("not ready") };
        *derived = None;
        assert_eq!(from_attributes(row).expect("an item"), brief);
    }

    #[test]
    fn lists_are_ordered_by_time_and_leave_out_the_deleted() {
        let text = |row: &HashMap<String, AttributeValue>, name| row.get(name)?.as_s().ok().cloned();
        let row = to_attributes(landed("photo/mina/a")).expect("a row");
        let id = MediaId::of_key("photo/mina/a");
        assert_eq!(text(&row, "listed_at"), Some(format!("2026-11-22T01:02:03.000Z#{id}")));
        assert_eq!(text(&row, "all_for_owner").as_deref(), Some("mina"));
        assert_eq!(text(&row, "post_for_followers").as_deref(), Some("p1#mina"));
        assert_eq!(text(&row, "post_for_anyone"), None);
        let tombstone = to_attributes(deleted()).expect("a row");
        assert!(tombstone.keys().all(|name| name != "listed_at" && !name.contains("_for_")), "{tombstone:?}");
        assert_eq!(tombstone.get("expires_at"), Some(&AttributeValue::N("1797901323".into())));
    }

    #[test]
    fn a_row_that_contradicts_itself_is_a_bug() {
        let mut row = to_attributes(landed("photo/mina/a")).expect("a row");
        row.insert("state".into(), AttributeValue::S("failed".into()));
        assert!(from_attributes(row).is_err());
        // An item whose visibility is not known is shown to nobody.
        let mut row = to_attributes(landed("photo/mina/a")).expect("a row");
        row.remove("visibility");
        assert!(from_attributes(row).is_err());
    }

    proptest! {
        /// A row that cannot be read is nobody's to see; one that can be is the item that it says.
        #[test]
        fn a_damaged_row_is_read_or_a_bug(row in prop_oneof![
            crate::testing::damaged(to_attributes(ready()).expect("a row")),
            crate::testing::damaged(to_attributes(heard()).expect("a row")),
            crate::testing::damaged(to_attributes(deleted()).expect("a row")),
        ]) {
            match from_attributes(row) {
                Ok(item) => {
                    let again = to_attributes(item.clone()).expect("a row");
                    prop_assert_eq!(from_attributes(again).expect("an item"), item);
                }
                Err(failure) => prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug),
            }
        }
    }
}

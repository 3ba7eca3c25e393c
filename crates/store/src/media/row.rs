//! An item as DynamoDB stores it.

use domain::{
    media::{
        Declared, Derivatives, FileName, Intent, Kind, MediaId, MediaItem, Post, Reason, State, Upload, Visibility,
    },
    user_report::ReportReason,
};
use function_kit::failure::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::list::{SortKey, index_keys};
use crate::{
    attribute::{Attributes, text},
    batch_get::ProjectionExpression,
    row,
};

/// The part of a row to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// All of it.
    Full,
    /// Without the description of derivatives, which is most of a row: a ready item has no `Derivatives`.
    Brief,
}

/// The attributes of an item, without the keys of the indexes, which are computed from the others.
#[serde_with::skip_serializing_none]
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    id: MediaId,
    /// [`domain::media::Position`] as text, for the condition of writes.
    position: String,
    kind: Kind,
    owner: String,
    key: String,
    state: StateName,
    size: Option<u64>,
    uploaded_at: Option<Timestamp>,
    content_type: Option<String>,
    detected_type: Option<String>,
    visibility: Option<Visibility>,
    post: Option<Post>,
    file_name: Option<FileName>,
    derived: Option<Derivatives>,
    reason: Option<Reason>,
    /// Why an operator took the item down. Rows of that kind are `processing`, also tombstones have it.
    taken_down: Option<ReportReason>,
    /// The table's time to live, in seconds since 1970.
    expires_at: Option<i64>,
}

/// The indexes for owners.
pub(super) const OWNERS: [&str; 3] = ["all_for_owner", "kind_for_owner", "post_for_owner"];

/// The attributes of [`Row`] except `derived`.
const BRIEF: [&str; 16] = [
    "id",
    "position",
    "kind",
    "owner",
    "key",
    "state",
    "size",
    "uploaded_at",
    "content_type",
    "detected_type",
    "visibility",
    "post",
    "file_name",
    "reason",
    "taken_down",
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

impl Projection {
    /// The projection expression, if there is one. Attributes have aliases, since some are reserved words of DynamoDB.
    pub fn expression(self) -> Option<ProjectionExpression> {
        match self {
            Self::Full => None,
            Self::Brief => {
                let expression = BRIEF.map(|name| format!("#{name}")).join(", ");
                Some((expression, BRIEF.map(|name| (format!("#{name}"), name.to_owned())).into()))
            }
        }
    }
}

/// The row of an item with its keys in the indexes. Tombstones are in no index, items that were taken down in those of their
/// owner.
pub(super) fn to_attributes(item: MediaItem) -> Result<Attributes, Failure> {
    let mut indexed = Attributes::new();
    if let Some(upload) = item.state.upload() {
        let Intent { post, visibility, .. } = &upload.declared.intent;
        let keys = index_keys(&item.owner, item.kind, post.as_ref(), *visibility);
        let is_hidden = matches!(item.state, State::TakenDown(..));
        let keys = keys.into_iter().filter(|(name, _)| !is_hidden || OWNERS.contains(name));
        indexed.extend(keys.map(|(name, key)| (name.to_owned(), text(key))));
        indexed.insert("listed_at".to_owned(), text(SortKey::of(item.id, upload.uploaded_at).0));
    }
    let row: Attributes =
        serde_dynamo::to_item(Row::from(item)).map_err(|error| Failure::bug("serialise a media row", error))?;
    indexed.extend(row);
    Ok(indexed)
}

/// The item in a row of either projection.
pub(super) fn from_attributes(row: Attributes) -> Result<MediaItem, Failure> {
    row::read::<Row>("read a media row", row)?.try_into()
}

impl From<MediaItem> for Row {
    fn from(item: MediaItem) -> Self {
        let MediaItem { id, position, kind, owner, key, state } = item;
        let mut taken_down = None;
        let (state, upload, derived, reason, expires_at) = match state {
            State::Processing(upload) => (StateName::Processing, Some(upload), None, None, None),
            // The version before reads it as an item that is processed.
            State::TakenDown(upload, why) => {
                taken_down = Some(why);
                (StateName::Processing, Some(upload), None, None, None)
            }
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
            detected_type: None,
            visibility: None,
            post: None,
            file_name: None,
            derived,
            reason,
            taken_down,
            expires_at,
        };
        if let Some(Upload { size, uploaded_at, declared: Declared { content_type, intent }, detected_type }) = upload {
            (row.size, row.uploaded_at) = (Some(size), Some(uploaded_at));
            (row.content_type, row.detected_type) = (content_type, detected_type);
            (row.visibility, row.post, row.file_name) = (Some(intent.visibility), intent.post, intent.file_name);
        }
        row
    }
}

impl TryFrom<Row> for MediaItem {
    type Error = Failure;

    fn try_from(row: Row) -> Result<Self, Failure> {
        let contradiction = || Failure::bug("read a media row", format!("the row {} contradicts itself", row.id));
        let upload = match (row.size, row.uploaded_at, row.visibility) {
            (Some(size), Some(uploaded_at), Some(visibility)) => {
                let intent = Intent { post: row.post, visibility, file_name: row.file_name };
                let declared = Declared { content_type: row.content_type, intent };
                Some(Upload { size, uploaded_at, declared, detected_type: row.detected_type })
            }
            _ => None,
        };
        let position = row.position.parse().map_err(|_| contradiction())?;
        let state = match (row.state, upload, row.taken_down) {
            (StateName::Processing | StateName::Ready | StateName::Failed, Some(upload), Some(reason)) => {
                State::TakenDown(upload, reason)
            }
            (StateName::Processing, Some(upload), None) => State::Processing(upload),
            (StateName::Ready, Some(upload), None) => State::Ready(upload, row.derived),
            (StateName::Failed, Some(upload), None) => State::Failed(upload, row.reason.ok_or_else(contradiction)?),
            (StateName::Deleted, None, _) => {
                let expires_at = row.expires_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
                State::Deleted { expires_at: expires_at.ok_or_else(contradiction)? }
            }
            _ => return Err(contradiction()),
        };
        Ok(Self { id: row.id, position, kind: row.kind, owner: row.owner, key: row.key, state })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use domain::media::{
        File, Loudness, ObjectChange, ObjectEvent, ObjectVersion, Original, Outcome, Pause, Picture, Rendition, Report,
        Sequencer, Silence, Sound, Waveform,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{
        attribute::{get_text, number},
        testing::malformed,
    };

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
        Original::of(&event(key, ObjectChange::Created { size: 7, version: ObjectVersion::of_etag("") }), 7, declared)
            .expect("owned")
    }

    /// A new item in state `processing`.
    pub fn processing(key: &str) -> MediaItem {
        MediaItem::processing(original(key))
    }

    fn ready() -> MediaItem {
        let derived = Derivatives::Picture(Picture {
            width: 4,
            height: 3,
            thumb_hash: "AA==".into(),
            dominant_colour: "#102030".into(),
            variants: vec![],
        });
        let outcome = Outcome::Ready(derived);
        let detected_type = Some("image/png".to_owned());
        MediaItem::from_report(Report { original: original("photo/mina/a"), outcome, detected_type })
    }

    fn ready_sound() -> MediaItem {
        let file = File { key: "k".into(), size: 1 };
        let derived = Derivatives::Sound(Box::new(Sound {
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
        let outcome = Outcome::Ready(derived);
        MediaItem::from_report(Report { original: original("audio/mina/a"), outcome, detected_type: None })
    }

    fn deleted() -> MediaItem {
        MediaItem::deleted(&event("photo/mina/a", ObjectChange::Removed)).expect("owned")
    }

    #[test]
    fn row_of_the_version_before_has_no_detected_type() {
        let mut row = to_attributes(ready()).expect("a row");
        assert_eq!(get_text(&row, "detected_type"), Some("image/png"));
        row.remove("detected_type");
        let item = from_attributes(row).expect("an item");
        assert_eq!(item.state.upload().map(|upload| &upload.detected_type), Some(&None));
    }

    #[test]
    fn item_in_every_state_is_read_as_written() {
        let failed = Outcome::Failed { reason: Reason::Truncated };
        let failed =
            MediaItem::from_report(Report { original: original("photo/mina/a"), outcome: failed, detected_type: None });
        let taken_down = ready().taken_down(ReportReason::Copyright);
        for item in [
            taken_down,
            processing("photo/mina/a"),
            processing("audio/mina/a"),
            ready(),
            ready_sound(),
            failed,
            deleted(),
        ] {
            let row = to_attributes(item.clone()).expect("a row");
            assert_eq!(from_attributes(row).expect("an item"), item);
        }
    }

    #[test]
    fn brief_row_is_the_item_without_derivatives() {
        let mut row = to_attributes(ready()).expect("a row");
        let (_, names) = Projection::Brief.expression().expect("a projection");
        assert!(row.contains_key("derived"));
        row.retain(|name, _| names.values().any(|projected| projected == name));
        let mut brief = ready();
        let State::Ready(_, derived) = &mut brief.state else { panic!("not ready") };
        *derived = None;
        assert_eq!(from_attributes(row).expect("an item"), brief);
    }

    #[test]
    fn row_has_the_keys_of_its_indexes_unless_it_is_a_tombstone() {
        let row = to_attributes(processing("photo/mina/a")).expect("a row");
        let id = MediaId::of_key("photo/mina/a");
        assert_eq!(get_text(&row, "listed_at"), Some(&*format!("2026-11-22T01:02:03.000Z#{id}")));
        assert_eq!(get_text(&row, "all_for_owner"), Some("mina"));
        assert_eq!(get_text(&row, "post_for_followers"), Some("p1#mina"));
        assert_eq!(get_text(&row, "post_for_anyone"), None);
        let tombstone = to_attributes(deleted()).expect("a row");
        assert!(tombstone.keys().all(|name| name != "listed_at" && !name.contains("_for_")), "{tombstone:?}");
        assert_eq!(tombstone.get("expires_at"), Some(&number(1_797_901_323)));
    }

    #[test]
    fn row_that_was_taken_down_is_in_the_indexes_of_its_owner() {
        let row = to_attributes(ready().taken_down(ReportReason::Hate)).expect("a row");
        let indexes: BTreeSet<_> = row.keys().filter(|name| name.contains("_for_")).map(String::as_str).collect();
        assert_eq!(indexes, BTreeSet::from(OWNERS));
        assert!(!row.contains_key("derived"));
        assert_eq!((get_text(&row, "state"), get_text(&row, "taken_down")), (Some("processing"), Some("hate")));
        // An older version of metadata-writer could have written this.
        let mut row = to_attributes(ready()).expect("a row");
        row.insert("taken_down".to_owned(), text("hate"));
        assert!(matches!(from_attributes(row).expect("an item").state, State::TakenDown(_, ReportReason::Hate)));
    }

    #[test]
    fn contradictory_row_is_a_bug() {
        let mut row = to_attributes(processing("photo/mina/a")).expect("a row");
        row.insert("state".into(), text("failed"));
        assert!(from_attributes(row).is_err());
        // An item of unknown visibility must not be shown.
        let mut row = to_attributes(processing("photo/mina/a")).expect("a row");
        row.remove("visibility");
        assert!(from_attributes(row).is_err());
    }

    proptest! {
        #[test]
        fn malformed_row_is_read_or_a_bug(row in prop_oneof![
            malformed(to_attributes(ready()).expect("a row")),
            malformed(to_attributes(ready_sound()).expect("a row")),
            malformed(to_attributes(deleted()).expect("a row")),
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

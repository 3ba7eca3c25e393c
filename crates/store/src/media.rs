//! The table `media`: one row per media item. Its only writer is `metadata-writer`.

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use domain::media::{Derived, Kind, MediaId, MediaItem, Reason, State, Upload};
use function_kit::failure::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The index of living items by owner, in the order of upload.
const BY_OWNER: &str = "by-owner";

/// The table.
#[derive(Debug, Clone)]
pub struct MediaTable {
    client: Client,
    name: String,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The item is news.
    Stored,
    /// The table knows the same or later news of it already.
    Superseded,
}

/// Some of an owner's items, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most as many as were asked for.
    pub items: Vec<MediaItem>,
    /// Where the next page starts, if there is one.
    pub next: Option<ListKey>,
}

/// The place of an item in its owner's list: unique, and ordered by upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListKey(pub String);

impl MediaTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Stores `item` unless the table already knows the same or later news of it.
    pub async fn put(&self, item: MediaItem) -> Result<Put, Failure> {
        let position = item.position.to_string();
        let row = serde_dynamo::to_item(Row::from(item)).map_err(|error| Failure::bug("write a media row", error))?;
        let result = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(row))
            .condition_expression("attribute_not_exists(id) OR #position < :position")
            .expression_attribute_names("#position", "position")
            .expression_attribute_values(":position", AttributeValue::S(position))
            .send()
            .await;
        match result {
            Ok(_) => Ok(Put::Stored),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(Put::Superseded)
            }
            Err(error) => Err(Failure::aws("store a media item", error)),
        }
    }

    /// The item `id`, tombstones included; strongly consistent.
    pub async fn get(&self, id: MediaId) -> Result<Option<MediaItem>, Failure> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("id", AttributeValue::S(id.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Failure::aws("read a media item", error))?;
        let Some(row) = answer.item else { return Ok(None) };
        let row: Row = serde_dynamo::from_item(row).map_err(|error| Failure::bug("read a media row", error))?;
        row.try_into().map(Some)
    }

    /// Up to `limit` living items of `owner`, newest first, from just after `after`; eventually
    /// consistent.
    pub async fn list_by_owner(&self, owner: &str, limit: usize, after: Option<&ListKey>) -> Result<Page, Failure> {
        // One more than asked for: DynamoDB's own marker does not say that more rows follow.
        let wanted = i32::try_from(limit + 1).map_err(|error| Failure::bug("list media items", error))?;
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(BY_OWNER)
            .scan_index_forward(false)
            .limit(wanted)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", AttributeValue::S(owner.to_owned()));
        query = match after {
            None => query.key_condition_expression("#owner = :owner"),
            Some(ListKey(after)) => query
                .key_condition_expression("#owner = :owner AND listed_at < :after")
                .expression_attribute_values(":after", AttributeValue::S(after.clone())),
        };
        let answer = query.send().await.map_err(|error| Failure::aws("list media items", error))?;
        let mut rows: Vec<Row> = serde_dynamo::from_items(answer.items.unwrap_or_default())
            .map_err(|error| Failure::bug("read media rows", error))?;
        // A page also ends at 1 MB, before `wanted` rows.
        let more = rows.len() > limit || answer.last_evaluated_key.is_some();
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).and_then(|row| row.listed_at.clone());
        let items = rows.into_iter().map(MediaItem::try_from).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }
}

/// An item as DynamoDB holds it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Row {
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
    derived: Option<Derived>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Sort key of the index by owner; tombstones have none, and so are not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    listed_at: Option<ListKey>,
    /// Seconds since 1970: the table's time to live.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateName {
    Processing,
    Ready,
    Failed,
    Deleted,
}

impl From<MediaItem> for Row {
    fn from(item: MediaItem) -> Self {
        let MediaItem { id, position, kind, owner, key, state } = item;
        let (state, upload, derived, reason, expires_at) = match state {
            State::Processing(upload) => (StateName::Processing, Some(upload), None, None, None),
            State::Ready(upload, derived) => (StateName::Ready, Some(upload), Some(derived), None, None),
            State::Failed(upload, reason) => (StateName::Failed, Some(upload), None, Some(reason), None),
            State::Deleted { expires_at } => (StateName::Deleted, None, None, None, Some(expires_at.as_second())),
        };
        Self {
            id,
            position: position.to_string(),
            kind,
            owner,
            key,
            state,
            size: upload.map(|upload| upload.size),
            uploaded_at: upload.map(|upload| upload.uploaded_at),
            derived,
            reason,
            // Fixed width, so that text order is the order of time; the id makes it unique.
            listed_at: upload.map(|upload| ListKey(format!("{:.3}#{id}", upload.uploaded_at))),
            expires_at,
        }
    }
}

impl TryFrom<Row> for MediaItem {
    type Error = Failure;

    fn try_from(row: Row) -> Result<Self, Failure> {
        let broken = || Failure::bug("read a media row", format!("the row {} contradicts itself", row.id));
        let upload = row.size.zip(row.uploaded_at).map(|(size, uploaded_at)| Upload { size, uploaded_at });
        let position = row.position.parse().map_err(|_| broken())?;
        let state = match (row.state, upload) {
            (StateName::Processing, Some(upload)) => State::Processing(upload),
            (StateName::Ready, Some(upload)) => State::Ready(upload, row.derived.ok_or_else(broken)?),
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
mod tests {
    use domain::media::{ObjectChange, ObjectEvent, Original, Outcome, Report, Sequencer};

    use super::*;

    fn event(change: ObjectChange) -> ObjectEvent {
        ObjectEvent {
            key: "photo/mina/가.jpg".into(),
            at: "2026-11-22T01:02:03Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change,
        }
    }

    fn original() -> Original {
        Original::of(&event(ObjectChange::Created { size: 7, etag: String::new() }), 7).expect("owned")
    }

    fn ready() -> Outcome {
        Outcome::Ready(Derived {
            width: 4,
            height: 3,
            thumb_hash: "AA==".into(),
            dominant_colour: "#102030".into(),
            variants: vec![],
        })
    }

    #[test]
    fn every_state_survives_its_row() {
        let report = |outcome| MediaItem::reported(Report { original: original(), outcome });
        for item in [
            MediaItem::landed(original()),
            report(ready()),
            report(Outcome::Failed { reason: Reason::Truncated }),
            MediaItem::deleted(&event(ObjectChange::Removed)).expect("owned"),
        ] {
            let row =
                serde_dynamo::to_item::<_, std::collections::HashMap<String, AttributeValue>>(Row::from(item.clone()));
            let row: Row = serde_dynamo::from_item(row.expect("a row")).expect("a row");
            assert_eq!(MediaItem::try_from(row).expect("an item"), item);
        }
    }

    #[test]
    fn lists_are_ordered_by_time_and_leave_out_the_deleted() {
        let row = Row::from(MediaItem::landed(original()));
        let id = original().id;
        assert_eq!(row.listed_at, Some(ListKey(format!("2026-11-22T01:02:03.000Z#{id}"))));
        let tombstone = Row::from(MediaItem::deleted(&event(ObjectChange::Removed)).expect("owned"));
        assert_eq!((tombstone.listed_at, tombstone.expires_at), (None, Some(1_797_901_323)));
    }

    #[test]
    fn a_row_that_contradicts_itself_is_a_bug() {
        let mut row = Row::from(MediaItem::landed(original()));
        row.state = StateName::Ready;
        assert!(MediaItem::try_from(row).is_err());
    }
}

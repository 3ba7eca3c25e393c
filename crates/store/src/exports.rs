//! The table `exports`: people's copies of what is stored about them, one for each person. `account-api` creates and deletes
//! rows, `export-worker` changes them.
//!
//! ```text
//! owner   other attributes
//! <sub>   id, object (its name in the bucket), state (pending, ready, failed), created_at, progress (JSON), revision,
//!         size, files, ready_at, notified, expires_at
//! ```
//! A row expires a week after the request, and its file long before. In the bucket of exports:
//!
//! ```text
//! zip/<sub>/<object>.zip                  the file
//! work/<sub>/<object>/directory-<n>       a piece of the directory of an unfinished file
//! work/<sub>/<object>/rest-<position>     bytes of it that are too few for a part
//! ```

use aws_sdk_dynamodb::Client;
use domain::export::{ExportState, GIVEN_UP_AFTER, StoredState};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    attribute::{Attributes, number, text},
    condition::unless_condition_failed,
    row,
};

/// How long a row is kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 7);
const READ: &str = "read an export";

/// The table.
#[derive(Debug, Clone)]
pub struct ExportTable {
    client: Client,
    name: String,
}

/// A copy, as it is stored.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredExport {
    /// The `sub` of the person.
    pub owner: String,
    /// Random and unique.
    pub id: String,
    /// Random name of the file.
    pub object: String,
    /// The stored state.
    pub state: StoredState,
    /// When the person asked for it.
    pub created_at: Timestamp,
    /// How far it has come, in the form of its writer.
    pub progress: Option<String>,
    /// How often the progress was stored.
    #[serde(default)]
    pub revision: u64,
    /// Bytes of the file, once it is ready.
    pub size: Option<u64>,
    /// Number of originals in the file.
    pub files: Option<u64>,
    /// When it was ready.
    pub ready_at: Option<Timestamp>,
    /// Whether the notification was sent.
    #[serde(default)]
    pub notified: bool,
    expires_at: i64,
}

impl StoredExport {
    /// A copy that was asked for at `now`.
    pub fn new(owner: &str, id: String, object: String, now: Timestamp) -> Self {
        let expires_at = now.checked_add(RETENTION).unwrap_or(Timestamp::MAX).as_second();
        Self {
            owner: owner.to_owned(),
            id,
            object,
            state: StoredState::Pending,
            created_at: now,
            progress: None,
            revision: 0,
            size: None,
            files: None,
            ready_at: None,
            notified: false,
            expires_at,
        }
    }

    /// The key of the file in the bucket of exports.
    pub fn file(&self) -> String {
        format!("{}{}.zip", files_of(&self.owner), self.object)
    }

    /// Where pieces of the unfinished file are kept in the bucket: the beginning of their keys.
    pub fn pieces(&self) -> String {
        format!("{}{}/", pieces_of(&self.owner), self.object)
    }

    /// The state at `now`.
    pub fn state_at(&self, now: Timestamp) -> ExportState {
        ExportState::at(now, self.state, self.created_at, self.ready_at)
    }
}

/// The beginning of the keys of a person's files in the bucket of exports.
pub fn files_of(owner: &str) -> String {
    format!("zip/{owner}/")
}

/// The beginning of the keys of a person's unfinished files in the bucket of exports.
pub fn pieces_of(owner: &str) -> String {
    format!("work/{owner}/")
}

impl ExportTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// The copy of `owner`; strongly consistent.
    pub async fn get(&self, owner: &str) -> Result<Option<StoredExport>, Failure> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key(owner))).consistent_read(true);
        let row = get.send().await.map_err(|error| Failure::aws(READ, error))?.item;
        row.map(|row| row::read(READ, row)).transpose()
    }

    /// Stores a new copy in place of one that is not pending. Returns whether it was stored.
    pub async fn create(&self, export: &StoredExport) -> Result<bool, Failure> {
        const DOING: &str = "store an export";
        let given_up = export.created_at.checked_sub(GIVEN_UP_AFTER).unwrap_or(Timestamp::MIN);
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(row::write(DOING, export)?))
            // Times have the same form, but not the same number of digits. A day and a half is no matter of a second.
            .condition_expression("attribute_not_exists(#owner) OR #state <> :pending OR created_at < :given_up")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":given_up", text(given_up.to_string()));
        Ok(unless_condition_failed(DOING, put.send().await)?.is_some())
    }

    /// Stores how far the copy has come since `export` was read. Returns whether it was stored: the row may be deleted, or
    /// another turn may have stored its progress.
    pub async fn advance(&self, export: &StoredExport, progress: &str) -> Result<bool, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&export.owner)))
            .update_expression("SET progress = :progress, revision = :next")
            .condition_expression("id = :id AND #state = :pending AND revision = :revision")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":id", text(&export.id))
            .expression_attribute_values(":revision", number(export.revision))
            .expression_attribute_values(":next", number(export.revision.saturating_add(1)))
            .expression_attribute_values(":progress", text(progress));
        Ok(unless_condition_failed("store the progress of an export", update.send().await)?.is_some())
    }

    /// Stores that the copy is ready, with `size` bytes and `files` originals. Returns whether it was stored.
    pub async fn finish(&self, export: &StoredExport, size: u64, files: u64, now: Timestamp) -> Result<bool, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&export.owner)))
            .update_expression("SET #state = :ready, size = :size, files = :files, ready_at = :now REMOVE progress")
            .condition_expression("id = :id AND #state = :pending")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":ready", text("ready"))
            .expression_attribute_values(":id", text(&export.id))
            .expression_attribute_values(":size", number(size))
            .expression_attribute_values(":files", number(files))
            .expression_attribute_values(":now", text(now.to_string()));
        Ok(unless_condition_failed("finish an export", update.send().await)?.is_some())
    }

    /// Stores that the copy cannot be made.
    pub async fn fail(&self, export: &StoredExport) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&export.owner)))
            .update_expression("SET #state = :failed REMOVE progress")
            .condition_expression("id = :id AND #state = :pending")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":failed", text("failed"))
            .expression_attribute_values(":id", text(&export.id));
        unless_condition_failed("fail an export", update.send().await).map(drop)
    }

    /// Stores that the notification was sent.
    pub async fn mark_notified(&self, export: &StoredExport) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&export.owner)))
            .update_expression("SET notified = :true")
            .condition_expression("id = :id")
            .expression_attribute_values(":true", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
            .expression_attribute_values(":id", text(&export.id));
        unless_condition_failed("record a notification of an export", update.send().await).map(drop)
    }

    /// Deletes the row of `owner`.
    pub async fn delete(&self, owner: &str) -> Result<(), Failure> {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(key(owner)));
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete an export", error))
    }
}

fn key(owner: &str) -> Attributes {
    Attributes::from([("owner".to_owned(), text(owner))])
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::{
        get_item::GetItemOutput, put_item::PutItemOutput, update_item::UpdateItemOutput,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use function_kit::failure::Kind;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{malformed, now, put_condition_failed, update_condition_failed, value};

    fn table(rules: &[&Rule]) -> ExportTable {
        ExportTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "exports".to_owned())
    }

    fn export() -> StoredExport {
        StoredExport::new("mina", "e1".to_owned(), "o1".to_owned(), now())
    }

    fn stored() -> Attributes {
        row::write("write", export()).expect("a row")
    }

    #[tokio::test]
    async fn export_is_read_as_written() {
        let get = mock!(Client::get_item)
            .match_requests(|request| {
                value(request.key(), "owner") == Some("mina") && request.consistent_read() == Some(true)
            })
            .then_output(|| GetItemOutput::builder().set_item(Some(stored())).build());
        assert_eq!(table(&[&get]).get("mina").await.expect("a row"), Some(export()));
    }

    #[tokio::test]
    async fn pending_export_is_replaced_only_after_it_was_given_up() {
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                value(request.expression_attribute_values(), ":given_up") == Some("2026-11-20T12:00:00Z")
                    && request.condition_expression().is_some_and(|condition| condition.contains("#state <> :pending"))
            })
            .sequence()
            .output(|| PutItemOutput::builder().build())
            .error(put_condition_failed)
            .build();
        let table = table(&[&put]);
        assert!(table.create(&export()).await.expect("stored"));
        assert!(!table.create(&export()).await.expect("refused"));
    }

    #[tokio::test]
    async fn progress_is_stored_over_the_revision_that_was_read() {
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                value(values, ":revision") == Some("4") && value(values, ":next") == Some("5")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(update_condition_failed)
            .build();
        let export = StoredExport { revision: 4, ..export() };
        let table = table(&[&update]);
        assert!(table.advance(&export, "{}").await.expect("stored"));
        assert!(!table.advance(&export, "{}").await.expect("refused"));
    }

    #[tokio::test]
    async fn end_of_a_deleted_export_is_not_stored() {
        let update = mock!(Client::update_item).then_error(update_condition_failed);
        assert!(!table(&[&update]).finish(&export(), 7, 1, now()).await.expect("refused"));
        let fail = mock!(Client::update_item).then_error(update_condition_failed);
        table(&[&fail]).fail(&export()).await.expect("ignored");
    }

    proptest! {
        #[test]
        fn malformed_row_is_read_or_a_bug(row in malformed(stored())) {
            if let Err(failure) = row::read::<StoredExport>(READ, row) {
                prop_assert_eq!(failure.kind, Kind::Bug);
            }
        }
    }
}

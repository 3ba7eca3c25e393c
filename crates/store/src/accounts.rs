//! The table `accounts`: erasures of accounts. Its only writer is `account-api`.
//!
//! ```text
//! id                       other attributes
//! erasure#<hash of sub>    started_at, done (steps), finished_at, expires_at
//! ```
//! The hash of the `sub` stands for a person who asked to be forgotten. A row expires a month after the erasure.

use aws_sdk_dynamodb::{Client, types::ReturnValue};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    attribute::{Attributes, number, seconds, text},
    condition::unless_condition_failed,
    row::read,
};

/// How long a finished erasure is shown.
const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);
const READ: &str = "read an erasure";

/// The table.
#[derive(Debug, Clone)]
pub struct AccountTable {
    client: Client,
    name: String,
}

/// Progress of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ErasureProgress {
    /// When the user asked for it.
    pub started_at: Timestamp,
    /// Number of steps that are done.
    pub done: usize,
    /// When the last step was done.
    pub finished_at: Option<Timestamp>,
}

impl AccountTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Records that `user` asked for the erasure at `now`, unless they have before. Returns its progress.
    pub async fn begin_erasure(&self, user: &str, now: Timestamp) -> Result<ErasureProgress, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(user)))
            .update_expression("SET started_at = if_not_exists(started_at, :now), done = if_not_exists(done, :zero)")
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":zero", number(0))
            .return_values(ReturnValue::AllNew);
        let output = update.send().await.map_err(|error| Failure::aws("begin an erasure", error))?;
        read(READ, output.attributes.unwrap_or_default())
    }

    /// The progress of the erasure of `user`, if they have asked for it.
    pub async fn erasure(&self, user: &str) -> Result<Option<ErasureProgress>, Failure> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key(user))).consistent_read(true);
        let row = get.send().await.map_err(|error| Failure::aws(READ, error))?.item;
        row.map(|row| read(READ, row)).transpose()
    }

    /// Records that `done` steps are done, unless more are.
    pub async fn advance_erasure(&self, user: &str, done: usize) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(user)))
            .update_expression("SET done = :done")
            .condition_expression("done < :done")
            .expression_attribute_values(":done", number(done));
        unless_condition_failed("record a step of an erasure", update.send().await).map(drop)
    }

    /// Records that all `done` steps are done at `now`.
    pub async fn finish_erasure(&self, user: &str, done: usize, now: Timestamp) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(user)))
            .update_expression("SET done = :done, finished_at = :now, expires_at = :expires_at")
            .condition_expression("attribute_exists(id) AND attribute_not_exists(finished_at)")
            .expression_attribute_values(":done", number(done))
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":expires_at", seconds(now.checked_add(RETENTION).unwrap_or(Timestamp::MAX)));
        unless_condition_failed("finish an erasure", update.send().await).map(drop)
    }
}

fn key(user: &str) -> Attributes {
    let hash = Sha256::digest(format!("erasure\n{user}"));
    Attributes::from([("id".to_owned(), text(format!("erasure#{hash:x}")))])
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::{get_item::GetItemOutput, update_item::UpdateItemOutput};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use function_kit::failure::Kind;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{malformed, now, row, update_condition_failed, value};

    fn table(rules: &[&Rule]) -> AccountTable {
        AccountTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "accounts".to_owned())
    }

    fn stored() -> Attributes {
        row([("id", text("erasure#x")), ("started_at", text("2026-11-22T00:00:00Z")), ("done", number(3))])
    }

    #[tokio::test]
    async fn row_does_not_name_the_user() {
        let begin = mock!(Client::update_item)
            .match_requests(|request| {
                value(request.key(), "id").is_some_and(|id| id.len() == 72 && !id.contains("mina"))
                    && request.update_expression().is_some_and(|update| update.contains("if_not_exists(started_at"))
            })
            .then_output(|| UpdateItemOutput::builder().set_attributes(Some(stored())).build());
        let progress = table(&[&begin]).begin_erasure("mina", now()).await.expect("progress");
        assert_eq!(progress, ErasureProgress { started_at: now(), done: 3, finished_at: None });
    }

    #[tokio::test]
    async fn late_step_does_not_move_progress_back() {
        let late = mock!(Client::update_item).then_error(update_condition_failed);
        table(&[&late]).advance_erasure("mina", 2).await.expect("ignored");
        let again = mock!(Client::update_item).then_error(update_condition_failed);
        table(&[&again]).finish_erasure("mina", 12, now()).await.expect("ignored");
    }

    #[tokio::test]
    async fn unknown_user_has_no_erasure() {
        let none = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
        assert_eq!(table(&[&none]).erasure("mina").await.expect("none"), None);
    }

    proptest! {
        #[test]
        fn malformed_row_is_read_or_a_bug(row in malformed(stored())) {
            if let Err(failure) = read::<ErasureProgress>(READ, row) {
                prop_assert_eq!(failure.kind, Kind::Bug);
            }
        }
    }
}

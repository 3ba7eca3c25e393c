//! The table `media`: one row per media item. Its only writer is `metadata-writer`.

mod list;
mod row;

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use domain::media::{MediaId, MediaItem};
use function_kit::failure::Failure;

pub use list::{List, Order, Page, Selection, SortKey};

/// Items that [`MediaTable::get_many`] takes at most: DynamoDB's bound.
pub const MAX_BATCH: usize = 100;

/// How often DynamoDB may leave out a part of a batch.
const BATCH_TRIES: usize = 3;

/// The table.
#[derive(Debug, Clone)]
pub struct MediaTable {
    client: Client,
    name: String,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The item is news.
    Stored,
    /// The table knows the same or later news of it already.
    Superseded,
}

/// How much of an item is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// All of it.
    Full,
    /// Without what was made from it, which is most of a row: a ready item has no `Derived`.
    Brief,
}

impl MediaTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Stores `item` unless the table already knows the same or later news of it.
    pub async fn put(&self, item: MediaItem) -> Result<WriteOutcome, Failure> {
        let position = item.position.to_string();
        let row = row::to_attributes(item)?;
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
            Ok(_) => Ok(WriteOutcome::Stored),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(WriteOutcome::Superseded)
            }
            Err(error) => Err(Failure::aws("store a media item", error)),
        }
    }

    /// The item `id`, tombstones included; strongly consistent.
    pub async fn get(&self, id: MediaId, detail: Projection) -> Result<Option<MediaItem>, Failure> {
        let projection = row::projection(detail);
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key(id)))
            .set_projection_expression(projection.as_ref().map(|(expression, _)| expression.clone()))
            .set_expression_attribute_names(projection.map(|(_, names)| names))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Failure::aws("read a media item", error))?;
        answer.item.map(row::from_attributes).transpose()
    }

    /// Those of the items `ids` that there are, tombstones included, in no order; strongly
    /// consistent. At most [`MAX_BATCH`] ids, each once.
    pub async fn get_many(&self, ids: &[MediaId], detail: Projection) -> Result<Vec<MediaItem>, Failure> {
        let mut items = Vec::with_capacity(ids.len());
        let mut keys: Vec<_> = ids.iter().copied().map(key).collect();
        for _ in 0..BATCH_TRIES {
            if keys.is_empty() {
                return Ok(items);
            }
            let projection = row::projection(detail);
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .set_projection_expression(projection.as_ref().map(|(expression, _)| expression.clone()))
                .set_expression_attribute_names(projection.map(|(_, names)| names))
                .consistent_read(true)
                .build()
                .map_err(|error| Failure::bug("read media items", error))?;
            let answer = self.client.batch_get_item().request_items(&self.name, wanted).send().await;
            let mut answer = answer.map_err(|error| Failure::aws("read media items", error))?;
            let found = answer.responses.as_mut().and_then(|responses| responses.remove(&self.name));
            for row in found.unwrap_or_default() {
                items.push(row::from_attributes(row)?);
            }
            // Throttled, or beyond 16 MB.
            let left = answer.unprocessed_keys.as_mut().and_then(|unprocessed| unprocessed.remove(&self.name));
            keys = left.map(|left| left.keys).unwrap_or_default();
        }
        if keys.is_empty() { Ok(items) } else { Err(Failure::transient("read media items", "some were left out")) }
    }
}

fn key(id: MediaId) -> HashMap<String, AttributeValue> {
    HashMap::from([("id".to_owned(), AttributeValue::S(id.to_string()))])
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    fn ids() -> [MediaId; 2] {
        ["photo/mina/a", "photo/mina/b"].map(MediaId::of_key)
    }

    #[tokio::test]
    async fn a_batch_asks_again_for_what_was_left_out() {
        let row = |key: &str| row::to_attributes(row::tests::landed(key)).expect("a row");
        let first = mock!(Client::batch_get_item).then_output(move || {
            let left = KeysAndAttributes::builder().keys(key(ids()[1])).build().expect("keys");
            let output = BatchGetItemOutput::builder().unprocessed_keys("media", left);
            output.responses("media", vec![row("photo/mina/a")]).build()
        });
        let second = mock!(Client::batch_get_item)
            .match_requests(|request| {
                request.request_items().and_then(|items| items.get("media")).is_some_and(|wanted| {
                    wanted.keys() == [key(ids()[1])]
                        && wanted.projection_expression().is_some_and(|names| !names.contains("derived"))
                })
            })
            .then_output(move || BatchGetItemOutput::builder().responses("media", vec![row("photo/mina/b")]).build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&first, &second]);
        let items = MediaTable::new(client, "media".into()).get_many(&ids(), Projection::Brief).await.expect("items");
        assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), ids());
    }

    #[tokio::test]
    async fn a_batch_that_stays_incomplete_is_worth_another_try() {
        let nothing = mock!(Client::batch_get_item).then_output(|| {
            let left = KeysAndAttributes::builder().keys(key(ids()[1])).build().expect("keys");
            BatchGetItemOutput::builder().unprocessed_keys("media", left).build()
        });
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&nothing]);
        let failure =
            MediaTable::new(client, "media".into()).get_many(&ids(), Projection::Full).await.expect_err("left");
        assert_eq!(failure.kind, function_kit::failure::Kind::Transient);
        assert_eq!(nothing.num_calls(), BATCH_TRIES);
    }

    #[tokio::test]
    async fn an_empty_batch_asks_nothing() {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, []);
        assert_eq!(MediaTable::new(client, "media".into()).get_many(&[], Projection::Full).await.expect("none"), []);
    }
}

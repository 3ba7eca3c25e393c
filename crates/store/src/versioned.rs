//! Rows that are written under optimistic lock; their versions are those of documents.

use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
};

use aws_sdk_dynamodb::{Client, error::SdkError, types::AttributeValue};
use function_kit::failure::Failure;

use crate::batch_get::{Attributes, batch_get};

/// What a row holds beside `id` and `version`.
pub trait Row: Sized {
    /// How often it was written, with this time.
    fn version(&self) -> u64;
    /// What is stored of it.
    fn attributes(&self) -> Attributes;
    /// The row that was stored so.
    ///
    /// # Errors
    /// What about it was never written.
    fn read(version: u64, attributes: &Attributes) -> Result<Self, &'static str>;
}

/// A table whose rows are written as a whole, each only over the version that it was made from.
///
/// ```text
/// id        the key
/// version   how often the row was written
/// ```
/// Rows stay, also those in which nothing holds any more: a version that began again would lose
/// against the tombstone in the index.
#[derive(Debug, Clone)]
pub struct VersionedTable<R> {
    client: Client,
    name: String,
    rows: PhantomData<R>,
}

/// What became of a row that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It is there.
    Stored,
    /// Somebody else has written this version: read it again.
    Overtaken,
}

/// Some of a table.
#[derive(Debug)]
pub struct Page<R> {
    /// Rows by id, in no order that means anything.
    pub rows: Vec<(String, R)>,
    /// After which id the next page starts, if there is one.
    pub next: Option<String>,
}

impl<R: Row> VersionedTable<R> {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name, rows: PhantomData }
    }

    /// The rows with these ids, as far as they are there; strongly consistent.
    ///
    /// # Errors
    /// If DynamoDB fails, or a row is not as [`put`](Self::put) writes it.
    pub async fn get(&self, ids: impl IntoIterator<Item = &str>) -> Result<HashMap<String, R>, Failure> {
        // DynamoDB refuses a key that stands twice.
        let keys: BTreeMap<_, _> = ids.into_iter().map(|id| (id, key(id))).collect();
        let rows = batch_get(&self.client, &self.name, keys.into_values().collect(), "look up rows for search").await?;
        rows.iter().map(row).collect()
    }

    /// Stores a row that was made from the version before its own.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put(&self, id: &str, row: &R) -> Result<WriteOutcome, Failure> {
        let before = row.version().saturating_sub(1);
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(row.attributes()))
            .item("id", AttributeValue::S(id.to_owned()))
            .item("version", AttributeValue::N(row.version().to_string()));
        let put = if before == 0 {
            put.condition_expression("attribute_not_exists(id)")
        } else {
            put.condition_expression("version = :before")
                .expression_attribute_values(":before", AttributeValue::N(before.to_string()))
        };
        match put.send().await {
            Ok(_) => Ok(WriteOutcome::Stored),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                Ok(WriteOutcome::Overtaken)
            }
            Err(error) => Err(Failure::aws("store a row for search", error)),
        }
    }

    /// Up to `limit` rows, from just after the id `after`, in an order that stays.
    ///
    /// # Errors
    /// If DynamoDB fails, or a row is not as [`put`](Self::put) writes it.
    pub async fn page(&self, after: Option<&str>, limit: i32) -> Result<Page<R>, Failure> {
        let scan = self.client.scan().table_name(&self.name).consistent_read(true).limit(limit);
        let answer = scan.set_exclusive_start_key(after.map(key)).send().await;
        let answer = answer.map_err(|error| Failure::aws("page through rows for search", error))?;
        let rows = answer.items.unwrap_or_default().iter().map(row).collect::<Result<_, _>>()?;
        let next = answer.last_evaluated_key.map(|key| id(&key)).transpose()?;
        Ok(Page { rows, next })
    }
}

pub(crate) fn key(id: &str) -> Attributes {
    HashMap::from([("id".to_owned(), AttributeValue::S(id.to_owned()))])
}

fn id(row: &Attributes) -> Result<String, Failure> {
    let id = row.get("id").and_then(|value| value.as_s().ok()).cloned();
    id.ok_or_else(|| broken("a row without an id"))
}

pub(crate) fn row<R: Row>(row: &Attributes) -> Result<(String, R), Failure> {
    let version = row.get("version").and_then(|value| value.as_n().ok()?.parse().ok());
    let version = version.ok_or_else(|| broken("a row without a version"))?;
    Ok((id(row)?, R::read(version, row).map_err(broken)?))
}

fn broken(how: &'static str) -> Failure {
    Failure::bug("read a row for search", how)
}

//! Tables of versioned rows, which are written under optimistic locking. The version is also the external version of the
//! document in the index.

use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
};

use aws_sdk_dynamodb::Client;
use function_kit::failure::Failure;

use crate::{
    attribute::{Attributes, get_text, number, text},
    batch_get::batch_get,
    condition::unless_condition_failed,
};

pub use crate::condition::WriteOutcome;

/// The content of a row beside `id` and `version`.
pub trait Row: Sized {
    /// How often the row was written, this time included.
    fn version(&self) -> u64;
    /// The attributes to store.
    fn attributes(&self) -> Attributes;
    /// Reads a stored row.
    ///
    /// # Errors
    /// A description of an attribute that has an unexpected form.
    fn read(version: u64, attributes: &Attributes) -> Result<Self, &'static str>;
}

/// A table whose rows are written as a whole, each only over the version that it was made from.
///
/// ```text
/// id        the key
/// version   how often the row was written
/// ```
/// Rows are never deleted, not even those without content. Otherwise a vertex that comes back would start with version 1,
/// and the index would reject its documents as older than the tombstone.
#[derive(Debug, Clone)]
pub struct VersionedTable<R> {
    client: Client,
    name: String,
    rows: PhantomData<R>,
}

/// A page of a table.
#[derive(Debug)]
pub struct Page<R> {
    /// Rows by id, in no particular order.
    pub rows: Vec<(String, R)>,
    /// The id after which the next page starts, if there is one.
    pub next: Option<String>,
}

impl<R: Row> VersionedTable<R> {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name, rows: PhantomData }
    }

    /// Reads the rows with these ids; strongly consistent. Missing rows are left out.
    pub async fn get(&self, ids: impl IntoIterator<Item = &str>) -> Result<HashMap<String, R>, Failure> {
        // DynamoDB rejects a request with duplicate keys.
        let keys: BTreeMap<_, _> = ids.into_iter().map(|id| (id, key(id))).collect();
        let keys = keys.into_values().collect();
        let rows = batch_get(&self.client, &self.name, keys, None, "read rows for search").await?;
        rows.iter().map(row).collect()
    }

    /// Stores a row that was made from the version before its own.
    pub async fn put(&self, id: &str, row: &R) -> Result<WriteOutcome, Failure> {
        let before = row.version().saturating_sub(1);
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(row.attributes()))
            .item("id", text(id))
            .item("version", number(row.version()));
        let put = if before == 0 {
            put.condition_expression("attribute_not_exists(id)")
        } else {
            put.condition_expression("version = :before").expression_attribute_values(":before", number(before))
        };
        let stored = unless_condition_failed("store a row for search", put.send().await)?;
        Ok(stored.map_or(WriteOutcome::Conflict, |_| WriteOutcome::Stored))
    }

    /// Reads a page of up to `limit` rows, in a stable order. It starts after the id `after`.
    pub async fn page(&self, after: Option<&str>, limit: i32) -> Result<Page<R>, Failure> {
        let scan = self.client.scan().table_name(&self.name).consistent_read(true).limit(limit);
        let response = scan.set_exclusive_start_key(after.map(key)).send().await;
        let response = response.map_err(|error| Failure::aws("read a page of rows for search", error))?;
        let rows = response.items.unwrap_or_default().iter().map(row).collect::<Result<_, _>>()?;
        let next = response.last_evaluated_key.map(|key| id(&key)).transpose()?;
        Ok(Page { rows, next })
    }
}

pub(crate) fn key(id: &str) -> Attributes {
    HashMap::from([("id".to_owned(), text(id))])
}

fn id(row: &Attributes) -> Result<String, Failure> {
    get_text(row, "id").map(str::to_owned).ok_or_else(|| unreadable("the row has no id"))
}

pub(crate) fn row<R: Row>(row: &Attributes) -> Result<(String, R), Failure> {
    let version = row.get("version").and_then(|value| value.as_n().ok()?.parse().ok());
    let version = version.ok_or_else(|| unreadable("the row has no version"))?;
    Ok((id(row)?, R::read(version, row).map_err(unreadable)?))
}

fn unreadable(reason: &'static str) -> Failure {
    Failure::bug("read a row for search", reason)
}

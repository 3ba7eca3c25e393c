//! Interfaces to the outside: DynamoDB tables and OpenSearch in production, an in-memory backend in tests.

use std::collections::HashMap;

use domain::push;
use function_kit::failure::Failure;
use jiff::Timestamp;
use opensearch::{Document, Index, Outcome, Settings, Target};
use store::{
    follows::FollowsTable,
    versioned::{Page, Row, VersionedTable, WriteOutcome},
};

/// Table of projected rows.
pub trait Table<R> {
    async fn get(&self, ids: &[&str]) -> Result<HashMap<String, R>, Failure>;
    async fn put(&self, id: &str, row: &R) -> Result<WriteOutcome, Failure>;
    async fn page(&self, after: Option<&str>) -> Result<Page<R>, Failure>;
}

/// Table of whom each person follows.
pub trait Follows {
    /// Stores that the graph is of `generation`. From then on, facts of earlier ones do not count.
    async fn begin(&self, generation: u32) -> Result<(), Failure>;
    /// Writes a fact, unless the table has a later one.
    async fn apply(&self, fact: &push::Fact, committed_at: Timestamp) -> Result<(), Failure>;
}

impl Follows for FollowsTable {
    async fn begin(&self, generation: u32) -> Result<(), Failure> {
        Self::begin(self, generation).await
    }

    async fn apply(&self, fact: &push::Fact, committed_at: Timestamp) -> Result<(), Failure> {
        Self::apply(self, fact, committed_at).await
    }
}

/// Index of documents behind an alias.
pub trait DocumentIndex {
    async fn write(&self, target: Target<'_>, documents: &[impl Document]) -> Result<Vec<Outcome>, Failure>;
    async fn create_first(&self) -> Result<(), Failure>;
    fn index_name(&self, number: u32) -> String;
    async fn create(&self, name: &str) -> Result<(), Failure>;
    async fn switch_alias(&self, name: &str) -> Result<(), Failure>;
}

/// Table of projected rows and the index that is made from it.
pub struct Pipeline<T, I> {
    pub table: T,
    pub index: I,
}

/// Rows per page of a rebuild: about half a megabyte.
const ROWS_PER_PAGE: i32 = 500;

impl<R: Row> Table<R> for VersionedTable<R> {
    async fn get(&self, ids: &[&str]) -> Result<HashMap<String, R>, Failure> {
        Self::get(self, ids.iter().copied()).await
    }

    async fn put(&self, id: &str, row: &R) -> Result<WriteOutcome, Failure> {
        Self::put(self, id, row).await
    }

    async fn page(&self, after: Option<&str>) -> Result<Page<R>, Failure> {
        Self::page(self, after, ROWS_PER_PAGE).await
    }
}

/// OpenSearch index, with the settings for new ones.
pub struct IndexWithSettings {
    pub index: Index,
    pub settings: Settings,
}

impl DocumentIndex for IndexWithSettings {
    async fn write(&self, target: Target<'_>, documents: &[impl Document]) -> Result<Vec<Outcome>, Failure> {
        self.index.write(target, documents).await
    }

    async fn create_first(&self) -> Result<(), Failure> {
        self.index.create_first(&self.settings).await
    }

    fn index_name(&self, number: u32) -> String {
        self.index.index_name(number)
    }

    async fn create(&self, name: &str) -> Result<(), Failure> {
        self.index.create(name, &self.settings).await
    }

    async fn switch_alias(&self, name: &str) -> Result<(), Failure> {
        self.index.switch_alias(name, &self.settings).await
    }
}

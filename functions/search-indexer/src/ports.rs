//! What the indexer needs from outside: on AWS, its tables and OpenSearch; in tests, a small town that
//! lives in memory.

use std::collections::HashMap;

use function_kit::failure::Failure;
use opensearch::{Document, Index, Outcome, Settings, Target};
use store::versioned::{Page, Row, VersionedTable, WriteOutcome};

/// What is known of vertices, or of edges, too.
pub trait Rows<R> {
    async fn get(&self, ids: &[&str]) -> Result<HashMap<String, R>, Failure>;
    async fn put(&self, id: &str, row: &R) -> Result<WriteOutcome, Failure>;
    async fn page(&self, after: Option<&str>) -> Result<Page<R>, Failure>;
}

/// An index.
pub trait Documents {
    async fn write(&self, target: Target<'_>, documents: &[impl Document]) -> Result<Vec<Outcome>, Failure>;
    async fn create_first(&self) -> Result<(), Failure>;
    fn numbered(&self, number: u32) -> String;
    async fn create(&self, name: &str) -> Result<(), Failure>;
    async fn switch_to(&self, name: &str) -> Result<(), Failure>;
}

/// What is known, and the index that is told of it.
pub struct Side<R, D> {
    pub rows: R,
    pub index: D,
}

/// Rows that a rebuild reads at a time: about half a megabyte.
const ROWS_A_PAGE: i32 = 500;

impl<R: Row> Rows<R> for VersionedTable<R> {
    async fn get(&self, ids: &[&str]) -> Result<HashMap<String, R>, Failure> {
        Self::get(self, ids.iter().copied()).await
    }

    async fn put(&self, id: &str, row: &R) -> Result<WriteOutcome, Failure> {
        Self::put(self, id, row).await
    }

    async fn page(&self, after: Option<&str>) -> Result<Page<R>, Failure> {
        Self::page(self, after, ROWS_A_PAGE).await
    }
}

/// An index, and how new ones are made.
pub struct Indexes {
    pub index: Index,
    pub settings: Settings,
}

impl Documents for Indexes {
    async fn write(&self, target: Target<'_>, documents: &[impl Document]) -> Result<Vec<Outcome>, Failure> {
        self.index.write(target, documents).await
    }

    async fn create_first(&self) -> Result<(), Failure> {
        self.index.create_first(&self.settings).await
    }

    fn numbered(&self, number: u32) -> String {
        self.index.numbered(number)
    }

    async fn create(&self, name: &str) -> Result<(), Failure> {
        self.index.create(name, &self.settings).await
    }

    async fn switch_to(&self, name: &str) -> Result<(), Failure> {
        self.index.switch_to(name, &self.settings).await
    }
}

//! What the indexer needs from outside: on AWS, the table `search` and OpenSearch; in tests, a small
//! town that lives in memory.

use std::collections::HashMap;

use domain::search::{Document, Entry};
use function_kit::failure::Failure;
use search_index::{Analyzer, Index, Outcome, Target};
use store::search::{Page, Put, SearchTable};

/// What is known of vertices.
pub trait Entries {
    async fn get(&self, vertices: &[&str]) -> Result<HashMap<String, Entry>, Failure>;
    async fn put(&self, vertex: &str, entry: &Entry) -> Result<Put, Failure>;
    async fn page(&self, after: Option<&str>) -> Result<Page, Failure>;
}

/// The index.
pub trait Documents {
    async fn write(&self, target: Target<'_>, documents: &[Document]) -> Result<Vec<Outcome>, Failure>;
    async fn create_first(&self) -> Result<(), Failure>;
    fn numbered(&self, number: u32) -> String;
    async fn create(&self, name: &str) -> Result<(), Failure>;
    async fn switch_to(&self, name: &str) -> Result<(), Failure>;
}

/// Entries that a rebuild reads at a time: about half a megabyte.
const ENTRIES_A_PAGE: i32 = 500;

impl Entries for SearchTable {
    async fn get(&self, vertices: &[&str]) -> Result<HashMap<String, Entry>, Failure> {
        Self::get(self, vertices.iter().copied()).await
    }

    async fn put(&self, vertex: &str, entry: &Entry) -> Result<Put, Failure> {
        Self::put(self, vertex, entry).await
    }

    async fn page(&self, after: Option<&str>) -> Result<Page, Failure> {
        Self::page(self, after, ENTRIES_A_PAGE).await
    }
}

/// The index, and how new ones are made.
pub struct Indexes {
    pub index: Index,
    pub analyzer: Analyzer,
}

impl Documents for Indexes {
    async fn write(&self, target: Target<'_>, documents: &[Document]) -> Result<Vec<Outcome>, Failure> {
        self.index.write(target, documents).await
    }

    async fn create_first(&self) -> Result<(), Failure> {
        self.index.create_first(self.analyzer).await
    }

    fn numbered(&self, number: u32) -> String {
        self.index.numbered(number)
    }

    async fn create(&self, name: &str) -> Result<(), Failure> {
        self.index.create(name, self.analyzer).await
    }

    async fn switch_to(&self, name: &str) -> Result<(), Failure> {
        self.index.switch_to(name).await
    }
}

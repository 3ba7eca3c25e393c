//! Table and index in memory.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap, VecDeque},
};

use domain::{graph::ReceivedChange, neptune_fts::Element, search::Entry};
use function_kit::{
    failure::{Failure, Kind},
    metrics::Metrics,
};
use jiff::Timestamp;
use opensearch::{Document, Outcome, Target};
use serde_json::Value;
use store::versioned::{Page, Row, WriteOutcome};

use crate::{
    index::BulkWrite,
    ports::{DocumentIndex, Table},
    project::{ProjectedChange, parse, project_mirror, project_search},
};

/// Version and fields of documents, by id.
type StoredDocuments = BTreeMap<String, (u64, Value)>;

/// Backend of the search pipeline or of the mirror, by the type of its rows.
pub struct InMemoryBackend<R = Entry> {
    pub table: RefCell<BTreeMap<String, R>>,
    /// By name.
    pub indexes: RefCell<BTreeMap<String, StoredDocuments>>,
    pub alias: RefCell<Option<String>>,
    /// Results of the next documents, which are not written.
    pub injected_outcomes: RefCell<VecDeque<Outcome>>,
    /// Messages that another invocation processes between reading and writing a row.
    pub concurrent_messages: RefCell<VecDeque<String>>,
    pub requests: Cell<usize>,
    pub page_size: Cell<usize>,
}

impl<R> Default for InMemoryBackend<R> {
    fn default() -> Self {
        Self {
            table: RefCell::default(),
            indexes: RefCell::default(),
            alias: RefCell::default(),
            injected_outcomes: RefCell::default(),
            concurrent_messages: RefCell::default(),
            requests: Cell::default(),
            page_size: Cell::default(),
        }
    }
}

/// Row of one of the tables.
pub trait TestRow: Row + Clone {
    type Document: Document + Clone;

    async fn project(
        table: &InMemoryBackend<Self>,
        received: &ReceivedChange,
    ) -> Result<ProjectedChange<Self::Document>, Failure>;
}

impl TestRow for Entry {
    type Document = domain::search::Document;

    async fn project(
        table: &InMemoryBackend,
        received: &ReceivedChange,
    ) -> Result<ProjectedChange<Self::Document>, Failure> {
        project_search(table, received).await
    }
}

impl TestRow for Element {
    type Document = domain::neptune_fts::Document;

    async fn project(
        table: &InMemoryBackend<Self>,
        received: &ReceivedChange,
    ) -> Result<ProjectedChange<Self::Document>, Failure> {
        project_mirror(table, &Metrics::of("test"), received).await
    }
}

impl<R: TestRow> InMemoryBackend<R> {
    /// Delivers messages as one batch. Returns the kinds of failures.
    pub async fn deliver(&self, bodies: &[String]) -> Vec<Kind> {
        let metrics = Metrics::of("test");
        let bulk_write = BulkWrite::new(self, &metrics);
        let mut failures = Vec::new();
        let mut changes = Vec::new();
        for body in bodies {
            let projected = match parse(&metrics, body) {
                Ok(received) => R::project(self, &received).await,
                Err(failure) => Err(failure),
            };
            match projected {
                Ok(change) => {
                    bulk_write.add(&change);
                    changes.push(change);
                }
                Err(failure) => failures.push(failure.kind),
            }
        }
        for change in changes {
            let result = bulk_write.result(&change, Timestamp::UNIX_EPOCH).await;
            failures.extend(result.err().map(|failure| failure.kind));
        }
        failures
    }

    /// Documents in the index behind the alias.
    pub fn documents(&self) -> BTreeMap<String, Value> {
        let indexes = self.indexes.borrow();
        let index = self.alias.borrow().as_ref().and_then(|name| indexes.get(name)).cloned().unwrap_or_default();
        index.into_iter().map(|(id, (_, source))| (id, source)).collect()
    }
}

impl<R: TestRow> Table<R> for InMemoryBackend<R> {
    async fn get(&self, ids: &[&str]) -> Result<HashMap<String, R>, Failure> {
        let table = self.table.borrow();
        let found = ids.iter().filter_map(|id| Some(((*id).to_owned(), table.get(*id)?.clone())));
        Ok(found.collect())
    }

    async fn put(&self, id: &str, row: &R) -> Result<WriteOutcome, Failure> {
        let concurrent = self.concurrent_messages.borrow_mut().pop_front();
        if let Some(body) = concurrent {
            assert_eq!(Box::pin(self.deliver(&[body])).await, []);
        }
        let mut table = self.table.borrow_mut();
        let current = table.get(id).map_or(0, R::version);
        if current + 1 != row.version() {
            return Ok(WriteOutcome::Conflict);
        }
        table.insert(id.to_owned(), row.clone());
        Ok(WriteOutcome::Stored)
    }

    async fn page(&self, after: Option<&str>) -> Result<Page<R>, Failure> {
        let table = self.table.borrow();
        let rest = table.iter().filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
        let mut rows: Vec<_> = rest.map(|(id, row)| (id.clone(), row.clone())).collect();
        let is_last = rows.len() <= self.page_size.get();
        rows.truncate(self.page_size.get());
        let next = rows.last().filter(|_| !is_last).map(|(id, _)| id.clone());
        Ok(Page { rows, next })
    }
}

impl<R> DocumentIndex for InMemoryBackend<R> {
    async fn write(&self, target: Target<'_>, documents: &[impl Document]) -> Result<Vec<Outcome>, Failure> {
        self.requests.set(self.requests.get() + 1);
        let mut indexes = self.indexes.borrow_mut();
        let name = match target {
            Target::Alias => self.alias.borrow().clone(),
            Target::Index(name) => Some(name.to_owned()),
        };
        let Some(index) = name.and_then(|name| indexes.get_mut(&name)) else {
            return Ok(documents.iter().map(|_| Outcome::NoIndex).collect());
        };
        let outcomes = documents.iter().map(|document| {
            if let Some(outcome) = self.injected_outcomes.borrow_mut().pop_front() {
                return outcome;
            }
            if index.get(&document.id()).is_some_and(|(version, _)| *version >= document.version()) {
                return Outcome::Superseded;
            }
            index.insert(document.id(), (document.version(), document.source()));
            Outcome::Written
        });
        Ok(outcomes.collect())
    }

    async fn create_first(&self) -> Result<(), Failure> {
        self.create("search-000001").await?;
        self.switch_alias("search-000001").await
    }

    fn index_name(&self, number: u32) -> String {
        format!("search-{number:06}")
    }

    async fn create(&self, name: &str) -> Result<(), Failure> {
        self.indexes.borrow_mut().entry(name.to_owned()).or_default();
        Ok(())
    }

    async fn switch_alias(&self, name: &str) -> Result<(), Failure> {
        *self.alias.borrow_mut() = Some(name.to_owned());
        Ok(())
    }
}

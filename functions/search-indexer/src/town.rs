//! For tests: a table and an index that live in memory, and refuse what they are told to.

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
    learn::{Learnt, learn, read, reflect},
    offer::Offer,
    ports::{Documents, Rows},
};

/// Documents by id, with their versions.
type Held = BTreeMap<String, (u64, Value)>;

/// The town: what people find of it, or its mirror.
pub struct Town<R = Entry> {
    pub table: RefCell<BTreeMap<String, R>>,
    /// By name.
    pub indexes: RefCell<BTreeMap<String, Held>>,
    pub alias: RefCell<Option<String>>,
    /// What becomes of the next requests to the index, instead of being carried out.
    pub refusals: RefCell<VecDeque<Outcome>>,
    /// Somebody else writes these between reading and writing an entry.
    pub meanwhile: RefCell<VecDeque<String>>,
    pub requests: Cell<usize>,
    pub entries_a_page: Cell<usize>,
}

impl<R> Default for Town<R> {
    fn default() -> Self {
        Self {
            table: RefCell::default(),
            indexes: RefCell::default(),
            alias: RefCell::default(),
            refusals: RefCell::default(),
            meanwhile: RefCell::default(),
            requests: Cell::default(),
            entries_a_page: Cell::default(),
        }
    }
}

/// What a town keeps of a change.
pub trait Kept: Row + Clone {
    type Document: Document + Clone;

    async fn keep(town: &Town<Self>, received: &ReceivedChange) -> Result<Learnt<Self::Document>, Failure>;
}

impl Kept for Entry {
    type Document = domain::search::Document;

    async fn keep(town: &Town, received: &ReceivedChange) -> Result<Learnt<Self::Document>, Failure> {
        learn(town, received).await
    }
}

impl Kept for Element {
    type Document = domain::neptune_fts::Document;

    async fn keep(town: &Town<Self>, received: &ReceivedChange) -> Result<Learnt<Self::Document>, Failure> {
        reflect(town, &Metrics::of("test"), received).await
    }
}

impl<R: Kept> Town<R> {
    /// Delivers messages as one batch; the kinds of failures.
    pub async fn deliver(&self, bodies: &[String]) -> Vec<Kind> {
        let metrics = Metrics::of("test");
        let offer = Offer::new(self, &metrics);
        let mut failures = Vec::new();
        let mut all = Vec::new();
        for body in bodies {
            let kept = match read(&metrics, body) {
                Ok(received) => R::keep(self, &received).await,
                Err(failure) => Err(failure),
            };
            match kept {
                Ok(learnt) => {
                    offer.add(&learnt);
                    all.push(learnt);
                }
                Err(failure) => failures.push(failure.kind),
            }
        }
        for learnt in all {
            failures.extend(offer.settle(&learnt, Timestamp::UNIX_EPOCH).await.err().map(|failure| failure.kind));
        }
        failures
    }

    /// The documents where the alias leads.
    pub fn found(&self) -> BTreeMap<String, Value> {
        let indexes = self.indexes.borrow();
        let index = self.alias.borrow().as_ref().and_then(|name| indexes.get(name)).cloned().unwrap_or_default();
        index.into_iter().map(|(id, (_, source))| (id, source)).collect()
    }
}

impl<R: Kept> Rows<R> for Town<R> {
    async fn get(&self, ids: &[&str]) -> Result<HashMap<String, R>, Failure> {
        let table = self.table.borrow();
        let found = ids.iter().filter_map(|id| Some(((*id).to_owned(), table.get(*id)?.clone())));
        Ok(found.collect())
    }

    async fn put(&self, id: &str, row: &R) -> Result<WriteOutcome, Failure> {
        let meanwhile = self.meanwhile.borrow_mut().pop_front();
        if let Some(body) = meanwhile {
            // Another invocation, from beginning to end.
            assert_eq!(Box::pin(self.deliver(&[body])).await, []);
        }
        let mut table = self.table.borrow_mut();
        let known = table.get(id).map_or(0, R::version);
        if known + 1 != row.version() {
            return Ok(WriteOutcome::Conflict);
        }
        table.insert(id.to_owned(), row.clone());
        Ok(WriteOutcome::Stored)
    }

    async fn page(&self, after: Option<&str>) -> Result<Page<R>, Failure> {
        let table = self.table.borrow();
        let rest = table.iter().filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
        let mut rows: Vec<_> = rest.map(|(id, row)| (id.clone(), row.clone())).collect();
        let is_last = rows.len() <= self.entries_a_page.get();
        rows.truncate(self.entries_a_page.get());
        let next = rows.last().filter(|_| !is_last).map(|(id, _)| id.clone());
        Ok(Page { rows, next })
    }
}

impl<R> Documents for Town<R> {
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
            if let Some(refusal) = self.refusals.borrow_mut().pop_front() {
                return refusal;
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
        self.switch_to("search-000001").await
    }

    fn numbered(&self, number: u32) -> String {
        format!("search-{number:06}")
    }

    async fn create(&self, name: &str) -> Result<(), Failure> {
        self.indexes.borrow_mut().entry(name.to_owned()).or_default();
        Ok(())
    }

    async fn switch_to(&self, name: &str) -> Result<(), Failure> {
        *self.alias.borrow_mut() = Some(name.to_owned());
        Ok(())
    }
}

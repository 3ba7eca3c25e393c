//! For tests: a table and an index that live in memory, and refuse what they are told to.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap, VecDeque},
};

use domain::search::{Document, Entry};
use function_kit::{failure::Failure, metrics::Metrics};
use jiff::Timestamp;
use search_index::{Outcome, Target};
use serde_json::Value;
use store::search::{Page, Put};

use crate::{
    learn::learn,
    offer::Offer,
    ports::{Documents, Entries},
};

/// Documents by id, with their versions.
type Held = BTreeMap<String, (u64, Value)>;

/// The town.
#[derive(Default)]
pub struct Town {
    pub table: RefCell<BTreeMap<String, Entry>>,
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

impl Town {
    /// Delivers messages as one batch; the kinds of failures.
    pub async fn deliver(&self, bodies: &[String]) -> Vec<function_kit::failure::Kind> {
        let metrics = Metrics::of("test");
        let offer = Offer::new(self, &metrics);
        let mut failures = Vec::new();
        let mut all = Vec::new();
        for body in bodies {
            match learn(self, &metrics, body).await {
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

impl Entries for Town {
    async fn get(&self, vertices: &[&str]) -> Result<HashMap<String, Entry>, Failure> {
        let table = self.table.borrow();
        let found = vertices.iter().filter_map(|vertex| Some(((*vertex).to_owned(), table.get(*vertex)?.clone())));
        Ok(found.collect())
    }

    async fn put(&self, vertex: &str, entry: &Entry) -> Result<Put, Failure> {
        let meanwhile = self.meanwhile.borrow_mut().pop_front();
        if let Some(body) = meanwhile {
            // Another invocation, from beginning to end.
            assert_eq!(Box::pin(self.deliver(&[body])).await, []);
        }
        let mut table = self.table.borrow_mut();
        let known = table.get(vertex).map_or(0, Entry::version);
        if known + 1 != entry.version() {
            return Ok(Put::Overtaken);
        }
        table.insert(vertex.to_owned(), entry.clone());
        Ok(Put::Stored)
    }

    async fn page(&self, after: Option<&str>) -> Result<Page, Failure> {
        let table = self.table.borrow();
        let rest = table.iter().filter(|(vertex, _)| after.is_none_or(|after| vertex.as_str() > after));
        let mut entries: Vec<_> = rest.map(|(vertex, entry)| (vertex.clone(), entry.clone())).collect();
        let is_last = entries.len() <= self.entries_a_page.get();
        entries.truncate(self.entries_a_page.get());
        let next = entries.last().filter(|_| !is_last).map(|(vertex, _)| vertex.clone());
        Ok(Page { entries, next })
    }
}

impl Documents for Town {
    async fn write(&self, target: Target<'_>, documents: &[Document]) -> Result<Vec<Outcome>, Failure> {
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
            if index.get(&document.id()).is_some_and(|(version, _)| *version >= document.version) {
                return Outcome::Superseded;
            }
            index.insert(document.id(), (document.version, document.source()));
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

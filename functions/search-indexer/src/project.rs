//! Step 1: applies a message's facts to the table.

use std::collections::BTreeMap;

use domain::{
    graph::{Change, ReceivedChange},
    neptune_fts::{self, Element},
    push,
    search::{self, Entry, Fact, facts},
};
use function_kit::{failure::Failure, metrics::Metrics};
use jiff::Timestamp;
use store::versioned::WriteOutcome;

use crate::ports::{Follows, Table};

/// Number of attempts to write a row that other changes of the same vertex write at the same time.
const ATTEMPTS: usize = 8;

/// Documents that a change affects, for one index.
#[derive(Debug)]
pub struct ProjectedChange<D> {
    /// Time of the commit. `None` for the mirror, and for exported facts, which are older than the stream.
    pub committed_at: Option<Timestamp>,
    /// Documents of the affected rows, after the change.
    pub documents: Vec<D>,
}

/// Parses a message.
///
/// # Errors
/// A bug, if the message is not a change.
pub fn parse(metrics: &Metrics, body: &str) -> Result<ReceivedChange, Failure> {
    let received = Change::from_cloud_event(body).map_err(|error| Failure::bug("read the message", error))?;
    if received.change.properties_omitted > 0 {
        metrics.count("IncompleteChanges", 1);
    }
    Ok(received)
}

/// Applies a change to the search table.
///
/// Returns documents also for facts that the table already has: an earlier invocation may have crashed between table
/// and index.
///
/// # Errors
/// If the table fails.
pub async fn project_search(
    table: &impl Table<Entry>,
    received: &ReceivedChange,
) -> Result<ProjectedChange<search::Document>, Failure> {
    let mut by_vertex: BTreeMap<String, Vec<Fact>> = BTreeMap::new();
    for fact in facts(&received.cluster, &received.change) {
        by_vertex.entry(fact.vertex.clone()).or_default().push(fact);
    }
    let change = &received.change;
    // Commits of the stream start at 1. An export uses 0.
    let is_from_stream = change.position.commit_num > 0;
    let committed_at = Timestamp::from_millisecond(change.commit_timestamp_ms).ok().filter(|_| is_from_stream);
    let mut documents = Vec::with_capacity(by_vertex.len());
    for (vertex, facts) in by_vertex {
        let apply = |current: Option<Entry>| {
            let current = current.unwrap_or_default();
            let next = current.apply_all(facts.iter().cloned());
            (current, next)
        };
        let entry = update(table, &vertex, apply).await?;
        documents.push(search::Document::of(&vertex, &entry));
    }
    Ok(ProjectedChange { committed_at, documents })
}

/// Applies a change to the table of whom each person follows. After a fast reset, the first change of any kind ends the
/// follows of the former graph: until then, searches would depend on whom the caller no longer follows.
///
/// # Errors
/// If the table fails.
pub async fn project_follows(table: &impl Follows, received: &ReceivedChange) -> Result<(), Failure> {
    table.begin(received.position().generation).await?;
    // Only for the expiry of what was removed.
    let committed_at = Timestamp::from_millisecond(received.change.commit_timestamp_ms).unwrap_or(Timestamp::MAX);
    for fact in push::following_facts(received) {
        table.apply(&fact, committed_at).await?;
    }
    Ok(())
}

/// Applies a change to the mirror table.
///
/// # Errors
/// If the table fails.
pub async fn project_mirror(
    table: &impl Table<Element>,
    metrics: &Metrics,
    received: &ReceivedChange,
) -> Result<ProjectedChange<neptune_fts::Document>, Failure> {
    let mut left_out = 1;
    let mut documents = Vec::new();
    if let Some(new) = Element::of(&received.change) {
        let id = neptune_fts::Document::id_of(&received.change);
        let apply = |current: Option<Element>| {
            let current = current.unwrap_or_else(|| new.clone());
            let outcome = current.apply(received);
            left_out = outcome.left_out;
            (current, outcome.next)
        };
        let element = update(table, &id, apply).await?;
        // Version 0: the change has nothing that the mirror stores, so there is no row.
        if element.version() > 0 {
            documents.push(neptune_fts::Document::of(&element));
        }
    }
    if left_out > 0 {
        metrics.count("MirrorLeftOut", left_out as u64);
    }
    Ok(ProjectedChange { committed_at: None, documents })
}

/// Applies a change to a row under optimistic locking. `apply` returns the current row and its next version, if the
/// change is new. Returns the resulting row.
async fn update<R>(
    table: &impl Table<R>,
    id: &str,
    mut apply: impl FnMut(Option<R>) -> (R, Option<R>),
) -> Result<R, Failure> {
    for _ in 0..ATTEMPTS {
        let (current, next) = apply(table.get(&[id]).await?.remove(id));
        let Some(next) = next else { return Ok(current) };
        match table.put(id, &next).await? {
            WriteOutcome::Stored => return Ok(next),
            WriteOutcome::Conflict => {}
        }
    }
    Err(Failure::transient("update a row", "other changes wrote the row each time"))
}

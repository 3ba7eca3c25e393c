//! The first step: what a message says is kept.

use std::collections::BTreeMap;

use domain::{
    graph::Change,
    search::{Document, Entry, Fact, facts},
};
use function_kit::{failure::Failure, metrics::Metrics};
use jiff::Timestamp;
use store::search::Put;

use crate::ports::Entries;

/// How often an entry is read again that somebody else has written in the meantime: another change
/// of the same vertex, of which there are few at a time.
const ROUNDS: usize = 8;

/// What a message comes to.
#[derive(Debug)]
pub struct Learnt {
    /// When its change was committed; nobody knows it of what is older than the stream.
    pub committed_at: Option<Timestamp>,
    /// Of the vertices that it says something about, as they are known now.
    pub documents: Vec<Document>,
}

/// Reads a message and keeps what it says.
///
/// Also of what is no news a document is made: who was told it before may have died before the index was.
///
/// # Errors
/// A bug, if it is no change of the graph; else as the table fails.
pub async fn learn(entries: &impl Entries, metrics: &Metrics, body: &str) -> Result<Learnt, Failure> {
    let received = Change::from_cloud_event(body).map_err(|error| Failure::bug("read the message", error))?;
    if received.change.properties_omitted > 0 {
        metrics.count("IncompleteChanges", 1);
    }
    let mut by_vertex: BTreeMap<String, Vec<Fact>> = BTreeMap::new();
    for fact in facts(&received.cluster, &received.change) {
        by_vertex.entry(fact.vertex.clone()).or_default().push(fact);
    }
    let change = &received.change;
    // The stream's commits are numbered from 1: an export tells what was there before, at 0.
    let is_of_the_stream = change.position.commit_num > 0;
    let committed_at = Timestamp::from_millisecond(change.commit_timestamp_ms).ok().filter(|_| is_of_the_stream);
    let mut documents = Vec::with_capacity(by_vertex.len());
    for (vertex, facts) in by_vertex {
        documents.push(keep(entries, &vertex, &facts).await?);
    }
    Ok(Learnt { committed_at, documents })
}

async fn keep(entries: &impl Entries, vertex: &str, facts: &[Fact]) -> Result<Document, Failure> {
    for _ in 0..ROUNDS {
        let known: Entry = entries.get(&[vertex]).await?.remove(vertex).unwrap_or_default();
        let Some(next) = known.with(facts.iter().cloned()) else { return Ok(Document::of(vertex, &known)) };
        match entries.put(vertex, &next).await? {
            Put::Stored => return Ok(Document::of(vertex, &next)),
            Put::Overtaken => {}
        }
    }
    Err(Failure::transient("keep what can be found", "others write the same entry all the time"))
}

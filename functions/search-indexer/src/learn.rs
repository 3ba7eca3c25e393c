//! The first step: what a message says is kept.

use std::collections::BTreeMap;

use domain::{
    graph::{Change, ReceivedChange},
    neptune_fts::{self, Element},
    search::{self, Entry, Fact, facts},
};
use function_kit::{failure::Failure, metrics::Metrics};
use jiff::Timestamp;
use store::versioned::WriteOutcome;

use crate::ports::Rows;

/// How often a row is read again that somebody else has written in the meantime: another change of
/// the same vertex, of which there are few at a time.
const ROUNDS: usize = 8;

/// What a message comes to, for one index.
#[derive(Debug)]
pub struct Learnt<D> {
    /// When its change was committed; nobody knows it of what is older than the stream.
    pub committed_at: Option<Timestamp>,
    /// Of what it says something about, as it is known now.
    pub documents: Vec<D>,
}

/// Reads a message.
///
/// # Errors
/// A bug, if it is no change of the graph.
pub fn read(metrics: &Metrics, body: &str) -> Result<ReceivedChange, Failure> {
    let received = Change::from_cloud_event(body).map_err(|error| Failure::bug("read the message", error))?;
    if received.change.properties_omitted > 0 {
        metrics.count("IncompleteChanges", 1);
    }
    Ok(received)
}

/// Keeps what a change says of what people find.
///
/// Also of what is no news a document is made: who was told it before may have died before the index was.
///
/// # Errors
/// As the table fails.
pub async fn learn(entries: &impl Rows<Entry>, received: &ReceivedChange) -> Result<Learnt<search::Document>, Failure> {
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
        let teach = |known: Option<Entry>| {
            let known = known.unwrap_or_default();
            let next = known.apply_all(facts.iter().cloned());
            (known, next)
        };
        let entry = keep(entries, &vertex, teach).await?;
        documents.push(search::Document::of(&vertex, &entry));
    }
    Ok(Learnt { committed_at, documents })
}

/// Keeps all that a change says, for the mirror.
///
/// # Errors
/// As the table fails.
pub async fn reflect(
    elements: &impl Rows<Element>,
    metrics: &Metrics,
    received: &ReceivedChange,
) -> Result<Learnt<neptune_fts::Document>, Failure> {
    let mut left_out = 1;
    let mut documents = Vec::new();
    if let Some(new) = Element::of(&received.change) {
        let id = neptune_fts::Document::id_of(&received.change);
        let teach = |known: Option<Element>| {
            let known = known.unwrap_or_else(|| new.clone());
            let lesson = known.apply(received);
            left_out = lesson.left_out;
            (known, lesson.next)
        };
        let element = keep(elements, &id, teach).await?;
        // Nothing is known of what has nothing that could be kept.
        if element.version() > 0 {
            documents.push(neptune_fts::Document::of(&element));
        }
    }
    if left_out > 0 {
        metrics.count("MirrorLeftOut", left_out as u64);
    }
    Ok(Learnt { committed_at: None, documents })
}

/// Stores what `teach` makes of a row, if that is news; the row as it is known now. `teach` hands the
/// row back beside its next version.
async fn keep<R>(
    rows: &impl Rows<R>,
    id: &str,
    mut teach: impl FnMut(Option<R>) -> (R, Option<R>),
) -> Result<R, Failure> {
    for _ in 0..ROUNDS {
        let (known, next) = teach(rows.get(&[id]).await?.remove(id));
        let Some(next) = next else { return Ok(known) };
        match rows.put(id, &next).await? {
            WriteOutcome::Stored => return Ok(next),
            WriteOutcome::Conflict => {}
        }
    }
    Err(Failure::transient("keep what a change says", "others write the same row all the time"))
}

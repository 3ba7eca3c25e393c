//! Step 2: writes the documents of the whole batch to the index in one bulk request.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
};

use function_kit::{
    failure::{Failure, Kind},
    metrics::{Metrics, Unit},
};
use jiff::Timestamp;
use opensearch::{Document, Outcome, Target};
use tokio::sync::OnceCell;

use crate::{ports::DocumentIndex, project::ProjectedChange};

const DOING: &str = "index a document";

/// Documents of one batch, for one index.
pub struct BulkWrite<'a, I, D> {
    index: &'a I,
    metrics: &'a Metrics,
    /// By id, in the latest version.
    documents: RefCell<BTreeMap<String, D>>,
    outcomes: OnceCell<Outcomes>,
}

/// Result of each document, or of the whole request if it failed.
type Outcomes = Result<HashMap<String, Outcome>, (Kind, String)>;

impl<'a, I: DocumentIndex, D: Document + Clone> BulkWrite<'a, I, D> {
    /// A write without documents.
    pub fn new(index: &'a I, metrics: &'a Metrics) -> Self {
        Self { index, metrics, documents: RefCell::default(), outcomes: OnceCell::new() }
    }

    /// Adds the documents of a change. Must not be called after [`result`](Self::result).
    pub fn add(&self, change: &ProjectedChange<D>) {
        let mut documents = self.documents.borrow_mut();
        for document in &change.documents {
            let known = documents.get(&document.id()).map_or(0, D::version);
            if document.version() > known {
                documents.insert(document.id(), document.clone());
            }
        }
    }

    /// Result of writing a change's documents, or later versions of them. The first call sends the documents of all
    /// changes.
    ///
    /// # Errors
    /// A bug, if the index rejects a document; else transient.
    pub async fn result(&self, change: &ProjectedChange<D>, now: Timestamp) -> Result<(), Failure> {
        if change.documents.is_empty() {
            return Ok(());
        }
        let outcomes = self.outcomes.get_or_init(|| self.send()).await;
        let outcomes = outcomes.as_ref().map_err(|(kind, text)| match kind {
            Kind::Bug => Failure::bug(DOING, text.clone()),
            Kind::Transient => Failure::transient(DOING, text.clone()),
        })?;
        for document in &change.documents {
            match outcomes.get(&document.id()) {
                Some(Outcome::Written | Outcome::Superseded) => {}
                Some(Outcome::Rejected(reason)) => return Err(Failure::bug(DOING, reason.clone())),
                Some(Outcome::Retry(reason)) => return Err(Failure::transient(DOING, reason.clone())),
                Some(Outcome::NoIndex) | None => return Err(Failure::transient(DOING, "there is no index")),
            }
        }
        if let Some(committed_at) = change.committed_at {
            let age = now.as_millisecond().saturating_sub(committed_at.as_millisecond());
            self.metrics.observe("CommitToIndex", Unit::Milliseconds, age as f64);
        }
        Ok(())
    }

    async fn send(&self) -> Outcomes {
        let (ids, documents): (Vec<_>, Vec<_>) = self.documents.take().into_iter().unzip();
        let outcomes = write(self.index, &documents).await.map_err(|failure| (failure.kind, failure.to_string()))?;
        for outcome in &outcomes {
            let name = match outcome {
                Outcome::Written => "written",
                Outcome::Superseded => "superseded",
                Outcome::Rejected(_) => "refused",
                Outcome::Retry(_) | Outcome::NoIndex => "later",
            };
            self.metrics.count_kind("Documents", ("Outcome", name), 1);
        }
        Ok(ids.into_iter().zip(outcomes).collect())
    }
}

/// Writes to the index behind the alias. Creates the first index if there is none.
async fn write(index: &impl DocumentIndex, documents: &[impl Document]) -> Result<Vec<Outcome>, Failure> {
    let outcomes = index.write(Target::Alias, documents).await?;
    if !outcomes.contains(&Outcome::NoIndex) {
        return Ok(outcomes);
    }
    index.create_first().await?;
    // All documents again: those that were written meanwhile are superseded.
    index.write(Target::Alias, documents).await
}

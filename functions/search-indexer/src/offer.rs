//! The second step: the documents of a whole batch go to the index in one request.

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

use crate::{learn::Learnt, ports::Documents};

const DOING: &str = "offer a document to the index";

/// The documents of one batch, for one index.
pub struct Offer<'a, I, D> {
    index: &'a I,
    metrics: &'a Metrics,
    /// By id, each in its latest version.
    documents: RefCell<BTreeMap<String, D>>,
    outcomes: OnceCell<Outcomes>,
}

/// What became of each document; or why the request failed, which is all messages' failure.
type Outcomes = Result<HashMap<String, Outcome>, (Kind, String)>;

impl<'a, I: Documents, D: Document + Clone> Offer<'a, I, D> {
    /// An offer of nothing yet.
    pub fn new(index: &'a I, metrics: &'a Metrics) -> Self {
        Self { index, metrics, documents: RefCell::default(), outcomes: OnceCell::new() }
    }

    /// Puts a message's documents with the others.
    pub fn add(&self, learnt: &Learnt<D>) {
        let mut documents = self.documents.borrow_mut();
        for document in &learnt.documents {
            let known = documents.get(&document.id()).map_or(0, D::version);
            if document.version() > known {
                documents.insert(document.id(), document.clone());
            }
        }
    }

    /// Has the index told of a message's documents, or of later versions of them. The first
    /// who asks sends them all; from then on, nothing may be added.
    ///
    /// # Errors
    /// A bug, if the index refuses one of them for good; else worth another try.
    pub async fn settle(&self, learnt: &Learnt<D>, now: Timestamp) -> Result<(), Failure> {
        if learnt.documents.is_empty() {
            return Ok(());
        }
        let outcomes = self.outcomes.get_or_init(|| self.send()).await;
        let outcomes = outcomes.as_ref().map_err(|(kind, text)| match kind {
            Kind::Bug => Failure::bug(DOING, text.clone()),
            Kind::Transient => Failure::transient(DOING, text.clone()),
        })?;
        for document in &learnt.documents {
            match outcomes.get(&document.id()) {
                Some(Outcome::Written | Outcome::Superseded) => {}
                Some(Outcome::Refused(why)) => return Err(Failure::bug(DOING, why.clone())),
                Some(Outcome::Later(why)) => return Err(Failure::transient(DOING, why.clone())),
                Some(Outcome::NoIndex) | None => return Err(Failure::transient(DOING, "there is no index")),
            }
        }
        if let Some(committed_at) = learnt.committed_at {
            let age = now.as_millisecond().saturating_sub(committed_at.as_millisecond());
            self.metrics.observe("CommitToIndex", Unit::Milliseconds, age as f64);
        }
        Ok(())
    }

    async fn send(&self) -> Outcomes {
        let (ids, documents): (Vec<_>, Vec<_>) = self.documents.take().into_iter().unzip();
        let outcomes = match write(self.index, &documents).await {
            Ok(outcomes) => outcomes,
            Err(failure) => return Err((failure.kind, failure.to_string())),
        };
        for outcome in &outcomes {
            let what = match outcome {
                Outcome::Written => "written",
                Outcome::Superseded => "superseded",
                Outcome::Refused(_) => "refused",
                Outcome::Later(_) | Outcome::NoIndex => "later",
            };
            self.metrics.count_kind("Documents", ("Outcome", what), 1);
        }
        Ok(ids.into_iter().zip(outcomes).collect())
    }
}

/// Writes where the alias leads; makes the first index if it leads nowhere.
async fn write(index: &impl Documents, documents: &[impl Document]) -> Result<Vec<Outcome>, Failure> {
    let outcomes = index.write(Target::Alias, documents).await?;
    if !outcomes.contains(&Outcome::NoIndex) {
        return Ok(outcomes);
    }
    index.create_first().await?;
    // Again all of them: what was written meanwhile is superseded.
    index.write(Target::Alias, documents).await
}

//! What must be in the end, and what may be, by what was done: nothing here knows how.

mod files;
mod graph;
mod index;
mod notifications;

use std::collections::{BTreeMap, BTreeSet};

pub use files::{Content, Place, State, media};
#[cfg(test)]
pub use graph::Since;
pub use graph::{Graph, Link, Node, Write, beginning, writes};
pub use index::{Found, found};
pub use notifications::{Certainty, Telling, tellings};

use super::operation::{Operation, Queue};

/// An operation that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Which.
    pub operation: Operation,
    /// The commit that it was.
    pub commit: Option<u64>,
    /// When that was, in milliseconds since 1970.
    pub committed_at: Option<i64>,
    /// Of [`Operation::Settle`]: whether all was worked off in time.
    pub settled: bool,
}

impl Done {
    /// It was done, and was no commit.
    pub fn of(operation: &Operation) -> Self {
        Self { operation: operation.clone(), commit: None, committed_at: None, settled: false }
    }
}

/// What the dead-letter queues hold: the numbers of what was planted.
pub fn poison(history: &[Done]) -> BTreeMap<Queue, BTreeSet<usize>> {
    let mut planted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for done in history {
        if let Operation::Poison { queue, number } = done.operation {
            planted.entry(queue).or_default().insert(number);
        }
    }
    planted
}

#[cfg(test)]
mod testing {
    use super::*;

    /// A history that numbers its commits, and settles wherever it says so.
    pub fn done(operations: Vec<Operation>) -> Vec<Done> {
        let done = |(at, operation): (usize, Operation)| Done {
            settled: operation == Operation::Settle,
            commit: Some(at as u64 + 1),
            committed_at: Some(1_795_305_600_000 + at as i64),
            operation,
        };
        operations.into_iter().enumerate().map(done).collect()
    }
}

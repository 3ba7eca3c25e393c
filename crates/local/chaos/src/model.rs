//! The valid final states of the stack, derived from the executed operations.

mod conditions;
mod cooldown;
mod event;
mod file_visibility;
mod files;
mod graph;
mod inbox;
mod index;
mod notifications;
mod phones;

use std::collections::{BTreeMap, BTreeSet};

pub use conditions::Certainty;
pub use file_visibility::visibilities;
pub use files::{Content, Place, State, media};
#[cfg(test)]
pub use graph::Since;
pub use graph::{Graph, Link, Node, Write, initial_writes, writes};
pub use inbox::{
    Entry, ExpectedEntry, Group, GroupKey, InboxKey, Shown, erased, inbox, read_through, shown, subject, unread,
};
pub use index::{IndexEntry, found, indexed_graph};
pub use notifications::{ExpectedNotification, alternatives, expected};
pub use phones::{EXPORT_READY, ExportPhones, exports, phone_before_erasure};

use super::operation::{Operation, Queue};

/// An executed operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// The operation.
    pub operation: Operation,
    /// Commit number, for operations on the graph.
    pub commit: Option<u64>,
    /// Commit time in milliseconds since 1970.
    pub committed_at: Option<i64>,
    /// Number of fast resets of the stack's graph before the operation.
    pub generation: u64,
    /// For [`Operation::Settle`]: whether all work was done in time.
    pub settled: bool,
    /// For [`Operation::ReadInbox`]: the time up to which the person has read, in milliseconds since 1970.
    pub read_through: Option<i64>,
}

impl Executed {
    /// An executed operation that is not a commit.
    pub fn of(operation: &Operation) -> Self {
        let operation = operation.clone();
        Self { operation, commit: None, committed_at: None, generation: 0, settled: false, read_through: None }
    }
}

/// The numbers of the poison messages by queue.
pub fn poison(history: &[Executed]) -> BTreeMap<Queue, BTreeSet<usize>> {
    let mut poison: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for executed in history {
        if let Operation::Poison { queue, number } = executed.operation {
            poison.entry(queue).or_default().insert(number);
        }
    }
    poison
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// Executed operations with commit numbers, in which every [`Operation::Settle`] has settled.
    pub fn executed(operations: Vec<Operation>) -> Vec<Executed> {
        let mut generation = 0;
        let executed = |(at, operation): (usize, Operation)| {
            generation += u64::from(operation == Operation::Reset);
            Executed {
                settled: operation == Operation::Settle,
                commit: Some(at as u64 + 1),
                committed_at: Some(1_795_305_600_000 + at as i64),
                generation,
                read_through: None,
                operation,
            }
        };
        operations.into_iter().enumerate().map(executed).collect()
    }
}

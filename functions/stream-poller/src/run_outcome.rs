//! The result of a run that ended normally.

use domain::graph::Position;

/// The normal end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// A successor requested the lease.
    HandedOver,
    /// The deadline of the invocation.
    Deadline,
    /// The stream was idle, in mode [`Drain`](crate::policy::Mode::Drain).
    Drained,
    /// The end of the range to replay.
    Replayed,
    /// Another invocation has taken the lease.
    LeaseLost,
    /// The lease did not become free.
    NoLease,
    /// The page source ended. Its own result has the reason.
    SourceEnded,
}

impl RunOutcome {
    /// The name in logs and responses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HandedOver => "handed over",
            Self::Deadline => "deadline",
            Self::Drained => "drained",
            Self::Replayed => "replayed",
            Self::LeaseLost => "lease lost",
            Self::NoLease => "no lease",
            Self::SourceEnded => "source ended",
        }
    }
}

/// The changes published by a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// The position up to which the bus has accepted everything.
    pub position: Option<Position>,
    /// The number of changes on the bus or in the dead-letter queue.
    pub changes: u64,
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunReport {
    /// The end of the run.
    pub outcome: RunOutcome,
    /// The published changes.
    pub published: Published,
}

//! Why a run ended.

use domain::graph::Position;
use function_kit::failure::Failure;
use neptune_streams as streams;

/// How a run ended that did what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// A successor asked.
    HandedOver,
    /// The invocation's time was up.
    Deadline,
    /// The stream was idle, and only until then was to be read.
    Drained,
    /// The end of the range was reached that was to be replayed.
    Replayed,
    /// Somebody else has the lease.
    LeaseLost,
    /// The lease did not become free.
    NoLease,
    /// There is nothing more to read: the reader says why.
    SourceEnded,
}

impl RunOutcome {
    /// As it stands in logs and answers.
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

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What had to be read has expired.
    #[error("records after {after} have expired before they were read")]
    Expired {
        /// The last record that was read.
        after: Position,
    },
    /// Commits are missing, and did not come.
    #[error("commits are missing from {expected} on, and the next record is {got}")]
    Gap {
        /// The first one that is missing.
        expected: Position,
        /// The first one that is there.
        got: Position,
    },
    /// The stream was deleted.
    #[error("the stream ends at {head}, before what was published: a fast reset")]
    Reset {
        /// Where it ends.
        head: Position,
    },
    /// The stream cannot be read.
    #[error("{failure}")]
    Stream {
        /// As it stands in metrics.
        kind: &'static str,
        /// Every cause.
        failure: Failure,
    },
    /// The bus refuses one message after the other: it is not the messages.
    #[error("the bus refuses every message: {0}")]
    Bus(String),
    /// The time was up, and the bus had not accepted what it was given.
    #[error("the bus did not accept changes: {0}")]
    Unpublished(String),
    /// The table of checkpoints fails.
    #[error(transparent)]
    Checkpoint(#[from] Failure),
}

impl RunError {
    /// The stream cannot be read.
    pub fn stream(error: streams::Error) -> Self {
        Self::Stream { kind: kind_of(&error), failure: Failure::bug("read the stream", error) }
    }

    /// As it stands in metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "expired",
            Self::Gap { .. } => "gap",
            Self::Reset { .. } => "reset",
            Self::Stream { kind, .. } => kind,
            Self::Bus(_) => "refused",
            Self::Unpublished(_) => "publish",
            Self::Checkpoint(_) => "checkpoint",
        }
    }
}

/// An error of the stream, as it stands in metrics.
pub fn kind_of(error: &streams::Error) -> &'static str {
    match error {
        streams::Error::Throttled(_) => "throttled",
        streams::Error::TimedOut(_) => "timed-out",
        streams::Error::Expired(_) => "expired",
        streams::Error::StreamsOff(_) => "streams-off",
        streams::Error::InvalidRequest(_) => "invalid-request",
        streams::Error::AccessDenied(_) => "access-denied",
        streams::Error::Gap { .. } => "gap",
        streams::Error::Reset { .. } => "reset",
        streams::Error::InvalidPage(_) => "invalid-page",
        streams::Error::Transport(_) => "transport",
        // `Failed`, and what the client may come to tell apart.
        _ => "endpoint",
    }
}

//! Errors that end a run.

use domain::graph::Position;
use function_kit::failure::Failure;
use neptune_streams as streams;

/// An error that ends a run. An operator must act.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Records expired before they were read.
    #[error("records after {after} have expired before they were read")]
    Expired {
        /// The last record that was read.
        after: Position,
    },
    /// Commits are missing and did not appear in time.
    #[error("commits are missing from {expected} on, and the next record is {got}")]
    Gap {
        /// The first missing operation.
        expected: Position,
        /// The first position after the gap.
        got: Position,
    },
    /// A fast reset deleted the stream.
    #[error("the stream ends at {head}, before the checkpoint: a fast reset")]
    Reset {
        /// The stream's last position.
        head: Position,
    },
    /// A fast reset replaced the stream, and the new one has more commits than were published from the old one.
    #[error("commit {commit_num} has another time than the one that was published: a fast reset")]
    Replaced {
        /// The number of the commit.
        commit_num: u64,
    },
    /// A run before detected a fast reset, and the policy does not say how to continue.
    #[error("an earlier run detected a fast reset, and nothing has resolved it")]
    UnresolvedReset,
    /// The stream cannot be read.
    #[error("{failure}")]
    Stream {
        /// The kind, as in metrics.
        kind: &'static str,
        /// The failure with its causes.
        failure: Failure,
    },
    /// The bus rejects all messages, so the messages are not the cause.
    #[error("the bus rejects every message: {0}")]
    Bus(String),
    /// The bus did not accept all messages before the deadline.
    #[error("the bus did not accept changes: {0}")]
    Unpublished(String),
    /// The checkpoint table fails.
    #[error(transparent)]
    Checkpoint(#[from] Failure),
}

impl RunError {
    /// An error of the stream.
    pub fn stream(error: streams::Error) -> Self {
        Self::Stream { kind: kind_of(&error), failure: Failure::bug("read the stream", error) }
    }

    /// The kind in the metric `Stops` and in logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "expired",
            Self::Gap { .. } => "gap",
            Self::Reset { .. } | Self::Replaced { .. } | Self::UnresolvedReset => "reset",
            Self::Stream { kind, .. } => kind,
            Self::Bus(_) => "refused",
            Self::Unpublished(_) => "publish",
            Self::Checkpoint(_) => "checkpoint",
        }
    }
}

/// The kind of a stream error in metrics and logs.
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
        streams::Error::InvalidPage(streams::InvalidPage::Format(_)) => "other-graph-model",
        streams::Error::InvalidPage(_) => "invalid-page",
        streams::Error::Transport(_) => "transport",
        // `Failed`, and variants that the client may add.
        _ => "endpoint",
    }
}

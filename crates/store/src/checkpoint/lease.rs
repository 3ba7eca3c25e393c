use domain::graph::Position;
use jiff::Timestamp;

/// The right to publish a stream and to move its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The holder; unique per invocation.
    pub owner: String,
    /// The fencing token: how often the lease has been acquired. Two acquisitions by the same owner differ in it.
    pub epoch: u64,
}

/// How far a stream is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last record that the bus has accepted, with all before it.
    pub position: Position,
    /// When that record's transaction was committed, in milliseconds since 1970. A stream that has another time there is
    /// another stream. `None` if it is unknown, as in rows without this attribute.
    pub committed_at_ms: Option<i64>,
}

/// A lease and the place where its holder continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcquiredLease {
    /// The holder needs it for each write.
    pub lease: Lease,
    /// How far everything is published; `None` if nothing has been published in this generation.
    pub checkpoint: Option<Checkpoint>,
    /// How often the stream has been reset. Positions of different generations are not comparable.
    pub generation: u64,
    /// Whether a fast reset was detected that nothing has resolved yet.
    pub is_stopped_by_reset: bool,
}

/// How far a stream is published, without a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// As in [`AcquiredLease`].
    pub checkpoint: Option<Checkpoint>,
    /// As in [`AcquiredLease`]; 0 before the lease is first acquired.
    pub generation: u64,
    /// As in [`AcquiredLease`].
    pub is_stopped_by_reset: bool,
}

/// A lease as its holder sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStatus {
    /// The lease is held.
    Held,
    /// The lease is held, and another invocation requests a handover. Finish and
    /// [`release`](super::CheckpointTable::release) it.
    HandoverRequested,
    /// The lease is free or has another holder. Nothing was written.
    Lost,
}

/// The row as an observer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointStatus {
    /// The position up to which everything is published; `None` if nothing has been published.
    pub position: Option<Position>,
    /// How often the stream has been reset.
    pub generation: u64,
    /// Whether a fast reset was detected that nothing has resolved yet.
    pub is_stopped_by_reset: bool,
    /// The holder of the lease, if there is one.
    pub holder: Option<Holder>,
}

/// The holder of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Owner and epoch.
    pub lease: Lease,
    /// When the lease was acquired; `None` in rows without this attribute.
    pub taken_at: Option<Timestamp>,
    /// When others may acquire the lease. A holder that crashed keeps it until then.
    pub expires_at: Timestamp,
}

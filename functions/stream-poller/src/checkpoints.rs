//! The checkpoint and the lease of a stream.

use function_kit::failure::Failure;
use jiff::Timestamp;
use store::checkpoint::{AcquiredLease, Checkpoint, CheckpointTable, Lease, LeaseStatus};

/// The lease and the checkpoint of one stream. [`CheckpointTable`] implements it and documents each method.
pub trait Checkpoints {
    /// Acquires the lease if it is free.
    fn acquire(
        &self,
        owner: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> impl Future<Output = Result<Option<AcquiredLease>, Failure>>;

    /// Requests the handover from the holder.
    fn request_handover(&self, successor: &str, until: Timestamp) -> impl Future<Output = Result<(), Failure>>;

    /// Moves the checkpoint and returns the status of the lease.
    fn advance(
        &self,
        lease: &Lease,
        to: Checkpoint,
        now: Timestamp,
    ) -> impl Future<Output = Result<LeaseStatus, Failure>>;

    /// Returns the status of the lease.
    fn lease_status(&self, lease: &Lease, now: Timestamp) -> impl Future<Output = Result<LeaseStatus, Failure>>;

    /// Starts a new generation of the stream.
    fn start_generation(&self, lease: &Lease, old: u64) -> impl Future<Output = Result<Option<u64>, Failure>>;

    /// Stores that the stream was reset.
    fn mark_reset(&self, lease: &Lease) -> impl Future<Output = Result<(), Failure>>;

    /// Removes what `mark_reset` stored.
    fn clear_reset(&self, lease: &Lease) -> impl Future<Output = Result<(), Failure>>;

    /// Returns the generation of the stream.
    fn generation(&self) -> impl Future<Output = Result<u64, Failure>>;

    /// Releases the lease.
    fn release(&self, lease: &Lease) -> impl Future<Output = Result<(), Failure>>;
}

impl Checkpoints for CheckpointTable {
    async fn acquire(
        &self,
        owner: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<AcquiredLease>, Failure> {
        self.acquire(owner, now, expires_at).await
    }

    async fn request_handover(&self, successor: &str, until: Timestamp) -> Result<(), Failure> {
        self.request_handover(successor, until).await
    }

    async fn advance(&self, lease: &Lease, to: Checkpoint, now: Timestamp) -> Result<LeaseStatus, Failure> {
        self.advance(lease, to, now).await
    }

    async fn lease_status(&self, lease: &Lease, now: Timestamp) -> Result<LeaseStatus, Failure> {
        self.lease_status(lease, now).await
    }

    async fn start_generation(&self, lease: &Lease, old: u64) -> Result<Option<u64>, Failure> {
        self.start_generation(lease, old).await
    }

    async fn mark_reset(&self, lease: &Lease) -> Result<(), Failure> {
        self.mark_reset(lease).await
    }

    async fn clear_reset(&self, lease: &Lease) -> Result<(), Failure> {
        self.clear_reset(lease).await
    }

    async fn generation(&self) -> Result<u64, Failure> {
        self.generation().await
    }

    async fn release(&self, lease: &Lease) -> Result<(), Failure> {
        self.release(lease).await
    }
}

/// The lease and checkpoint of a run. A replay has none.
#[derive(Debug)]
pub struct LeaseGuard<'a, C> {
    held: Option<(&'a C, &'a Lease)>,
}

impl<'a, C: Checkpoints> LeaseGuard<'a, C> {
    /// The run moves the checkpoint while it holds `lease`.
    pub fn lease(checkpoints: &'a C, lease: &'a Lease) -> Self {
        Self { held: Some((checkpoints, lease)) }
    }

    /// The run has neither lease nor checkpoint.
    pub fn none() -> Self {
        Self { held: None }
    }

    pub(crate) async fn advance(&self, to: Checkpoint) -> Result<LeaseStatus, Failure> {
        match self.held {
            Some((checkpoints, lease)) => checkpoints.advance(lease, to, Timestamp::now()).await,
            None => Ok(LeaseStatus::Held),
        }
    }

    pub(crate) async fn mark_reset(&self) -> Result<(), Failure> {
        match self.held {
            Some((checkpoints, lease)) => checkpoints.mark_reset(lease).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn lease_status(&self) -> Result<LeaseStatus, Failure> {
        match self.held {
            Some((checkpoints, lease)) => checkpoints.lease_status(lease, Timestamp::now()).await,
            None => Ok(LeaseStatus::Held),
        }
    }
}

impl<C> Clone for LeaseGuard<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for LeaseGuard<'_, C> {}

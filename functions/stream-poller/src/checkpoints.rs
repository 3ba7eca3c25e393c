//! How far the stream is published, and who publishes.

use domain::graph::Position;
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::checkpoint::{AcquiredLease, CheckpointTable, Lease, LeaseStatus};

/// Lease and checkpoint of one stream. The real one is [`CheckpointTable`], where each method is
/// described; tests have one in memory.
pub trait Checkpoints {
    /// Takes the lease if nobody holds it.
    fn acquire(
        &self,
        owner: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> impl Future<Output = Result<Option<AcquiredLease>, Failure>>;

    /// Asks the holder to hand over.
    fn request_handover(&self, successor: &str, until: Timestamp) -> impl Future<Output = Result<(), Failure>>;

    /// Moves the checkpoint, and looks at the lease.
    fn advance(
        &self,
        lease: &Lease,
        position: Position,
        now: Timestamp,
    ) -> impl Future<Output = Result<LeaseStatus, Failure>>;

    /// Looks at the lease.
    fn lease_status(&self, lease: &Lease, now: Timestamp) -> impl Future<Output = Result<LeaseStatus, Failure>>;

    /// Begins a new generation of the stream.
    fn start_generation(&self, lease: &Lease, old: u64) -> impl Future<Output = Result<Option<u64>, Failure>>;

    /// Which generation of the stream this is.
    fn generation(&self) -> impl Future<Output = Result<u64, Failure>>;

    /// Gives the lease back.
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

    async fn advance(&self, lease: &Lease, position: Position, now: Timestamp) -> Result<LeaseStatus, Failure> {
        self.advance(lease, position, now).await
    }

    async fn lease_status(&self, lease: &Lease, now: Timestamp) -> Result<LeaseStatus, Failure> {
        self.lease_status(lease, now).await
    }

    async fn start_generation(&self, lease: &Lease, old: u64) -> Result<Option<u64>, Failure> {
        self.start_generation(lease, old).await
    }

    async fn generation(&self) -> Result<u64, Failure> {
        self.generation().await
    }

    async fn release(&self, lease: &Lease) -> Result<(), Failure> {
        self.release(lease).await
    }
}

/// What guards a run: a lease, or nothing where nothing is written but to the bus.
#[derive(Debug)]
pub struct Guard<'a, C> {
    held: Option<(&'a C, &'a Lease)>,
}

impl<'a, C: Checkpoints> Guard<'a, C> {
    /// The checkpoint moves with what is published, while `lease` is held.
    pub fn lease(checkpoints: &'a C, lease: &'a Lease) -> Self {
        Self { held: Some((checkpoints, lease)) }
    }

    /// A replay moves no checkpoint, and is in nobody's way.
    pub fn none() -> Self {
        Self { held: None }
    }

    pub(crate) async fn advance(&self, position: Position) -> Result<LeaseStatus, Failure> {
        match self.held {
            Some((checkpoints, lease)) => checkpoints.advance(lease, position, Timestamp::now()).await,
            None => Ok(LeaseStatus::Held),
        }
    }

    pub(crate) async fn lease_status(&self) -> Result<LeaseStatus, Failure> {
        match self.held {
            Some((checkpoints, lease)) => checkpoints.lease_status(lease, Timestamp::now()).await,
            None => Ok(LeaseStatus::Held),
        }
    }
}

impl<C> Clone for Guard<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Guard<'_, C> {}

//! The checkpoint and the lease of a run.

use function_kit::failure::Failure;
use jiff::Timestamp;
pub use store::checkpoint::Checkpoints;
use store::checkpoint::{Checkpoint, Lease, LeaseStatus};

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

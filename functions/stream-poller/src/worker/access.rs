//! The checkpoint and the lease, as a run keeps them.

use std::time::Instant;

use domain::graph::Position;
use function_kit::failure::{Failure, Kind};
use store::checkpoint::LeaseStatus;
use tracing::{debug, warn};

use super::{Closing, Worker};
use crate::{
    bus::Bus,
    checkpoints::Checkpoints,
    stop::{RunError, RunOutcome},
};

/// What an access to the checkpoint said, and what it wrote if it did.
pub(super) struct Access {
    pub(super) wrote: Option<Position>,
    pub(super) result: Result<LeaseStatus, Failure>,
}

impl<B: Bus, C: Checkpoints> Worker<'_, B, C> {
    /// Begins to write the checkpoint, or to look at the lease, if it is time to.
    pub(super) fn access(&mut self) {
        if self.access.is_some() {
            return;
        }
        let now = Instant::now();
        let (guard, accepted) = (self.guard, self.outbox.accepted());
        if accepted != self.written && self.write_at().is_some_and(|at| at <= now) {
            let Some(position) = accepted else { return };
            self.last_write = Some(now);
            self.access =
                Some(Box::pin(async move { Access { wrote: Some(position), result: guard.advance(position).await } }));
        } else if now >= self.last_access + self.settings.look_every {
            self.access = Some(Box::pin(async move { Access { wrote: None, result: guard.lease_status().await } }));
        }
    }

    /// When the checkpoint may be written again; `None` if it is where it should be.
    pub(super) fn write_at(&self) -> Option<Instant> {
        if self.outbox.accepted() == self.written {
            return None;
        }
        let is_calm = self.outbox.is_empty() || self.closing != Closing::No;
        let due = self.last_write.filter(|_| !is_calm).map(|last| last + self.settings.checkpoint_every);
        Some(self.write_again.max(due).unwrap_or(self.last_access))
    }

    pub(super) fn learn(&mut self, access: Access) -> Result<LeaseStatus, RunError> {
        self.last_access = Instant::now();
        self.write_again = None;
        match access.result {
            Ok(standing) => {
                if let Some(position) = access.wrote.filter(|_| standing != LeaseStatus::Lost) {
                    self.written = Some(position);
                    debug!(%position, "checkpoint");
                }
                if standing == LeaseStatus::HandoverRequested {
                    self.halt(RunOutcome::HandedOver);
                }
                Ok(standing)
            }
            Err(failure) => {
                self.metrics.count_kind("Failures", ("Kind", "checkpoint"), 1);
                if failure.kind == Kind::Bug {
                    return Err(failure.into());
                }
                warn!(kind = failure.kind.as_str(), %failure, "will be tried again");
                self.write_again = Some(self.last_access + self.settings.backoff.after(1));
                Ok(LeaseStatus::Held)
            }
        }
    }
}

//! Writes the checkpoint and checks the lease.

use std::time::Instant;

use function_kit::failure::Kind;
use store::checkpoint::{Checkpoint, LeaseStatus};
use tracing::{debug, warn};

use super::state::{CheckpointResult, Closing, Worker};
use crate::{checkpoints::Checkpoints, run_error::RunError, run_outcome::RunOutcome};

impl<B, C: Checkpoints> Worker<'_, B, C> {
    /// Starts a write of the checkpoint or a check of the lease, if one is due.
    pub(super) fn start_checkpoint_call(&mut self) {
        if self.checkpoint_call.is_some() {
            return;
        }
        let now = Instant::now();
        let (guard, accepted) = (self.guard, self.outbox.accepted());
        if accepted != self.written && self.next_write().is_some_and(|at| at <= now) {
            let Some(position) = accepted else { return };
            let to = Checkpoint { position, committed_at_ms: self.outbox.accepted_at_ms().filter(|ms| *ms != 0) };
            self.last_write = Some(now);
            self.checkpoint_call = Some(Box::pin(async move {
                CheckpointResult { position: Some(position), lease_status: guard.advance(to).await }
            }));
        } else if now >= self.last_checkpoint_call + self.settings.lease_check_interval {
            self.checkpoint_call =
                Some(Box::pin(
                    async move { CheckpointResult { position: None, lease_status: guard.lease_status().await } },
                ));
        }
    }

    /// The earliest time of the next write; `None` if the checkpoint is up to date.
    pub(super) fn next_write(&self) -> Option<Instant> {
        if self.outbox.accepted() == self.written {
            return None;
        }
        let is_urgent = self.outbox.is_empty() || self.closing != Closing::No;
        let due = self.last_write.filter(|_| !is_urgent).map(|last| last + self.settings.checkpoint_interval);
        Some(self.retry_write_at.max(due).unwrap_or(self.last_checkpoint_call))
    }

    pub(super) fn handle_checkpoint(&mut self, result: CheckpointResult) -> Result<LeaseStatus, RunError> {
        self.last_checkpoint_call = Instant::now();
        self.retry_write_at = None;
        match result.lease_status {
            Ok(lease_status) => {
                if let Some(position) = result.position.filter(|_| lease_status != LeaseStatus::Lost) {
                    self.written = Some(position);
                    debug!(%position, "checkpoint");
                }
                if lease_status == LeaseStatus::HandoverRequested {
                    self.halt(RunOutcome::HandedOver);
                }
                Ok(lease_status)
            }
            Err(failure) => {
                self.metrics.count_kind("Failures", ("Kind", "checkpoint"), 1);
                if failure.kind == Kind::Bug {
                    return Err(failure.into());
                }
                warn!(kind = failure.kind.as_str(), %failure, "will be tried again");
                self.retry_write_at = Some(self.last_checkpoint_call + self.settings.backoff.delay_after(1));
                Ok(LeaseStatus::Held)
            }
        }
    }
}

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use domain::graph::Position;
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::checkpoint::{AcquiredLease, Checkpoint, Lease, LeaseStatus, Progress};
use stream_poller::checkpoints::Checkpoints;
use tokio::task::yield_now;

/// An in-memory checkpoint table with the conditions of `store::checkpoint`.
#[derive(Clone, Default)]
pub struct MemoryTable(Rc<State>);

#[derive(Default)]
struct State {
    row: RefCell<Row>,
    /// The epoch and position of each successful write of the checkpoint.
    writes: RefCell<Vec<(u64, Position)>>,
    failures: Cell<u32>,
    refuses_advances: Cell<bool>,
}

#[derive(Default, Clone)]
struct Row {
    checkpoint: Option<Checkpoint>,
    is_stopped_by_reset: bool,
    generation: u64,
    owner: Option<String>,
    epoch: u64,
    expires_at: Option<Timestamp>,
    requested_until: Option<Timestamp>,
}

impl MemoryTable {
    pub fn position(&self) -> Option<Position> {
        self.0.row.borrow().checkpoint.map(|checkpoint| checkpoint.position)
    }

    pub fn set_position(&self, commit_num: u64, op_num: u64) {
        let position = Position::new(commit_num, op_num);
        self.0.row.borrow_mut().checkpoint = Some(Checkpoint { position, committed_at_ms: None });
    }

    /// Removes the commit time, as in rows of versions that did not store it.
    pub fn forget_commit_time(&self) {
        if let Some(checkpoint) = &mut self.0.row.borrow_mut().checkpoint {
            checkpoint.committed_at_ms = None;
        }
    }

    /// Starts a generation without a checkpoint.
    pub fn set_generation(&self, generation: u64) {
        let mut row = self.0.row.borrow_mut();
        (row.generation, row.checkpoint) = (generation, None);
    }

    pub fn generation(&self) -> u64 {
        self.0.row.borrow().generation
    }

    pub fn is_stopped_by_reset(&self) -> bool {
        self.0.row.borrow().is_stopped_by_reset
    }

    pub fn is_held(&self) -> bool {
        self.0.row.borrow().owner.is_some()
    }

    pub fn epoch(&self) -> u64 {
        self.0.row.borrow().epoch
    }

    pub fn writes(&self) -> Vec<(u64, Position)> {
        self.0.writes.borrow().clone()
    }

    /// Lets the lease expire.
    pub fn expire(&self) {
        self.0.row.borrow_mut().expires_at = Some(Timestamp::MIN);
    }

    /// Lets the next `number` calls fail with a transient failure.
    pub fn fail(&self, number: u32) {
        self.0.failures.set(number);
    }

    /// Lets each move of the checkpoint fail with a transient failure.
    pub fn refuse_advances(&self, refuses: bool) {
        self.0.refuses_advances.set(refuses);
    }

    async fn call(&self) -> Result<(), Failure> {
        // The test may crash the poller before and after the call takes effect.
        yield_now().await;
        match self.0.failures.get() {
            0 => Ok(()),
            left => {
                self.0.failures.set(left - 1);
                Err(Failure::transient("call the table", "injected"))
            }
        }
    }

    async fn set_stopped_by_reset(&self, lease: &Lease, is_stopped: bool) -> Result<(), Failure> {
        self.call().await?;
        if self.lease_status(lease, Timestamp::MAX) != LeaseStatus::Lost {
            self.0.row.borrow_mut().is_stopped_by_reset = is_stopped;
        }
        yield_now().await;
        Ok(())
    }

    fn lease_status(&self, lease: &Lease, now: Timestamp) -> LeaseStatus {
        let row = self.0.row.borrow();
        match row.owner.as_ref() == Some(&lease.owner) && row.epoch == lease.epoch {
            false => LeaseStatus::Lost,
            true if row.requested_until.is_some_and(|until| until > now) => LeaseStatus::HandoverRequested,
            true => LeaseStatus::Held,
        }
    }
}

impl Checkpoints for MemoryTable {
    async fn acquire(
        &self,
        owner: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<AcquiredLease>, Failure> {
        self.call().await?;
        let acquired = {
            let mut row = self.0.row.borrow_mut();
            let is_free = row.owner.is_none() || row.expires_at.is_some_and(|at| at <= now);
            if !is_free {
                return Ok(None);
            }
            row.owner = Some(owner.to_owned());
            row.epoch += 1;
            row.expires_at = Some(expires_at);
            row.requested_until = None;
            AcquiredLease {
                lease: Lease { owner: owner.to_owned(), epoch: row.epoch },
                checkpoint: row.checkpoint,
                generation: row.generation,
                is_stopped_by_reset: row.is_stopped_by_reset,
            }
        };
        yield_now().await;
        Ok(Some(acquired))
    }

    async fn request_handover(&self, _: &str, until: Timestamp) -> Result<(), Failure> {
        self.call().await?;
        self.0.row.borrow_mut().requested_until = Some(until);
        Ok(())
    }

    async fn advance(&self, lease: &Lease, to: Checkpoint, now: Timestamp) -> Result<LeaseStatus, Failure> {
        self.call().await?;
        if self.0.refuses_advances.get() {
            return Err(Failure::transient("move the checkpoint", "injected"));
        }
        let lease_status = self.lease_status(lease, now);
        if lease_status == LeaseStatus::Lost || self.position().is_some_and(|old| old > to.position) {
            return Ok(LeaseStatus::Lost);
        }
        self.0.row.borrow_mut().checkpoint = Some(to);
        self.0.writes.borrow_mut().push((lease.epoch, to.position));
        yield_now().await;
        Ok(lease_status)
    }

    async fn lease_status(&self, lease: &Lease, now: Timestamp) -> Result<LeaseStatus, Failure> {
        self.call().await?;
        Ok(self.lease_status(lease, now))
    }

    async fn start_generation(&self, lease: &Lease, old: u64) -> Result<Option<u64>, Failure> {
        self.call().await?;
        if self.lease_status(lease, Timestamp::MAX) == LeaseStatus::Lost {
            return Ok(None);
        }
        let mut row = self.0.row.borrow_mut();
        row.generation = old + 1;
        (row.checkpoint, row.is_stopped_by_reset) = (None, false);
        Ok(Some(row.generation))
    }

    async fn mark_reset(&self, lease: &Lease) -> Result<(), Failure> {
        self.set_stopped_by_reset(lease, true).await
    }

    async fn clear_reset(&self, lease: &Lease) -> Result<(), Failure> {
        self.set_stopped_by_reset(lease, false).await
    }

    async fn progress(&self) -> Result<Progress, Failure> {
        self.call().await?;
        let row = self.0.row.borrow();
        let Row { checkpoint, generation, is_stopped_by_reset, .. } = *row;
        Ok(Progress { checkpoint, generation, is_stopped_by_reset })
    }

    async fn release(&self, lease: &Lease) -> Result<(), Failure> {
        self.call().await?;
        if self.lease_status(lease, Timestamp::MAX) != LeaseStatus::Lost {
            let mut row = self.0.row.borrow_mut();
            row.owner = None;
            row.expires_at = None;
        }
        Ok(())
    }
}

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use domain::graph::Position;
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::checkpoint::{AcquiredLease, Lease, LeaseStatus};
use stream_poller::checkpoints::Checkpoints;
use tokio::task::yield_now;

/// The row, with the conditions of the real one (`store::checkpoint`).
#[derive(Clone, Default)]
pub struct MemoryTable(Rc<State>);

#[derive(Default)]
struct State {
    row: RefCell<Row>,
    /// The epoch and position of each write of a checkpoint that was done.
    writes: RefCell<Vec<(u64, Position)>>,
    failures: Cell<u32>,
}

#[derive(Default, Clone)]
struct Row {
    position: Option<Position>,
    generation: u64,
    owner: Option<String>,
    epoch: u64,
    expires_at: Option<Timestamp>,
    asked_until: Option<Timestamp>,
}

impl MemoryTable {
    pub fn position(&self) -> Option<Position> {
        self.0.row.borrow().position
    }

    pub fn set_position(&self, commit_num: u64, op_num: u64) {
        self.0.row.borrow_mut().position = Some(Position::new(commit_num, op_num));
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

    /// As if so much time had passed.
    pub fn expire(&self) {
        self.0.row.borrow_mut().expires_at = Some(Timestamp::MIN);
    }

    /// So many of the next accesses fail, and may be tried again.
    pub fn fail(&self, number: u32) {
        self.0.failures.set(number);
    }

    async fn access(&self) -> Result<(), Failure> {
        // A crash may come before the table has it, and after.
        yield_now().await;
        match self.0.failures.get() {
            0 => Ok(()),
            left => {
                self.0.failures.set(left - 1);
                Err(Failure::transient("reach the table", "later"))
            }
        }
    }

    fn standing(&self, lease: &Lease, now: Timestamp) -> LeaseStatus {
        let row = self.0.row.borrow();
        match row.owner.as_ref() == Some(&lease.owner) && row.epoch == lease.epoch {
            false => LeaseStatus::Lost,
            true if row.asked_until.is_some_and(|until| until > now) => LeaseStatus::HandoverRequested,
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
        self.access().await?;
        let taken = {
            let mut row = self.0.row.borrow_mut();
            let is_free = row.owner.is_none() || row.expires_at.is_some_and(|at| at <= now);
            if !is_free {
                return Ok(None);
            }
            let (epoch, position, generation) = (row.epoch + 1, row.position, row.generation);
            *row = Row {
                owner: Some(owner.to_owned()),
                epoch,
                expires_at: Some(expires_at),
                position,
                generation,
                asked_until: None,
            };
            AcquiredLease { lease: Lease { owner: owner.to_owned(), epoch }, position, generation }
        };
        yield_now().await;
        Ok(Some(taken))
    }

    async fn request_handover(&self, _: &str, until: Timestamp) -> Result<(), Failure> {
        self.access().await?;
        self.0.row.borrow_mut().asked_until = Some(until);
        Ok(())
    }

    async fn advance(&self, lease: &Lease, position: Position, now: Timestamp) -> Result<LeaseStatus, Failure> {
        self.access().await?;
        let standing = self.standing(lease, now);
        if standing == LeaseStatus::Lost || self.position().is_some_and(|old| old > position) {
            return Ok(LeaseStatus::Lost);
        }
        self.0.row.borrow_mut().position = Some(position);
        self.0.writes.borrow_mut().push((lease.epoch, position));
        yield_now().await;
        Ok(standing)
    }

    async fn lease_status(&self, lease: &Lease, now: Timestamp) -> Result<LeaseStatus, Failure> {
        self.access().await?;
        Ok(self.standing(lease, now))
    }

    async fn start_generation(&self, lease: &Lease, old: u64) -> Result<Option<u64>, Failure> {
        self.access().await?;
        if self.standing(lease, Timestamp::MAX) == LeaseStatus::Lost {
            return Ok(None);
        }
        let mut row = self.0.row.borrow_mut();
        row.generation = old + 1;
        row.position = None;
        Ok(Some(row.generation))
    }

    async fn generation(&self) -> Result<u64, Failure> {
        Ok(self.0.row.borrow().generation)
    }

    async fn release(&self, lease: &Lease) -> Result<(), Failure> {
        self.access().await?;
        if self.standing(lease, Timestamp::MAX) != LeaseStatus::Lost {
            let mut row = self.0.row.borrow_mut();
            row.owner = None;
            row.expires_at = None;
        }
        Ok(())
    }
}

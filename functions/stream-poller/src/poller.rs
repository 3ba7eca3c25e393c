//! One invocation: follows the stream under the lease, or replays a range of it.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    time::{Duration, Instant},
};

use domain::graph::Position;
use function_kit::{failure::Failure, metrics::Metrics};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use neptune_streams::{Client, Read, Start, TransactionAssembler};
use store::checkpoint::{AcquiredLease, Lease, LeaseStatus};
use tokio::{pin, select, sync::mpsc};
use tracing::{info, warn};

use crate::{
    bus::Bus,
    checkpoints::{Checkpoints, Guard},
    lease,
    message::{self, EventIdPrefix},
    policy::{Mode, Policy, StartAt},
    settings::Settings,
    source::{DataLoss, Source},
    stop::{RunError, RunOutcome},
    worker::{Done, Task, Worker},
};

/// What an invocation works with.
#[derive(Debug)]
pub struct Poller<B, C> {
    /// The stream.
    pub stream: Client,
    /// Where changes go.
    pub bus: B,
    /// Where lease and checkpoint are kept.
    pub checkpoints: C,
    /// What the cluster is called in the ids of changes.
    pub cluster: String,
    /// What the template decides.
    pub policy: Policy,
    /// Times and bounds.
    pub settings: Settings,
    /// Where numbers go.
    pub metrics: Metrics,
}

/// What an invocation has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ending: RunOutcome,
    /// What it published.
    pub done: Done,
}

/// From where, and how, one run reads.
struct Reading {
    start: Start,
    assembler: TransactionAssembler,
    policy: Policy,
}

impl<B: Bus, C: Checkpoints> Poller<B, C> {
    /// Takes the lease as `owner` and publishes until the time is up, a successor asks, or, if it
    /// only drains, the stream is idle.
    ///
    /// # Errors
    /// If somebody has to decide or to put something right; what was accepted until then stays so.
    pub async fn follow(&self, owner: &str, time: Duration) -> Result<Outcome, RunError> {
        let (deadline, now) = (Instant::now() + time, Timestamp::now());
        let lifetime = SignedDuration::try_from(time + self.settings.lease_margin).unwrap_or(SignedDuration::MAX);
        let expires_at = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
        let give_up = deadline.checked_sub(self.settings.margin).unwrap_or(deadline);
        let Some(taken) = lease::acquire(&self.checkpoints, owner, expires_at, give_up, &self.settings).await? else {
            warn!("the lease is held, and its holder does not hand over");
            return Ok(Outcome { ending: RunOutcome::NoLease, done: Done::default() });
        };
        info!(epoch = taken.lease.epoch, position = taken.position.map(|at| at.to_string()), "lease taken");
        self.metrics.count("LeaseChanges", 1);
        // Also after a panic: nobody is to wait until the lease expires.
        let outcome = AssertUnwindSafe(self.hold(&taken, deadline)).catch_unwind().await;
        if let Err(failure) = self.checkpoints.release(&taken.lease).await {
            warn!(kind = failure.kind.as_str(), %failure, "the lease will expire by itself");
        }
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Publishes the transactions of the commits from `from` to `to` once more, whole ones, without
    /// lease and checkpoint.
    ///
    /// # Errors
    /// As for [`follow`](Self::follow); also if records of the range have expired.
    pub async fn replay(&self, from: Position, to: Position, time: Duration) -> Result<Outcome, RunError> {
        let naming = EventIdPrefix::of(&self.cluster, self.checkpoints.generation().await?).replayed(&lease::unique());
        let deadline = Instant::now() + time;
        let task = Task { naming, mode: Mode::Drain, last_commit: Some(to.commit_num), deadline };
        let start = Start::AtSequenceNumber(neptune_streams::Position::new(from.commit_num, 1));
        let assembler = TransactionAssembler::new(self.settings.bounds);
        // Nothing is skipped that was asked for.
        let policy = Policy { mode: Mode::Drain, ..Policy::default() };
        let (outcome, _) = self.run(Guard::none(), task, Reading { start, assembler, policy }).await?;
        Ok(outcome)
    }

    async fn hold(&self, taken: &AcquiredLease, deadline: Instant) -> Result<Outcome, RunError> {
        let (lease, mut generation, mut changes) = (&taken.lease, taken.generation, 0);
        let mut start = match taken.position {
            Some(position) => Start::AfterSequenceNumber(message::stream_position(position)),
            None => self.first_start(lease).await?,
        };
        loop {
            let assembler = match start {
                Start::AfterSequenceNumber(last) => TransactionAssembler::resume_after(self.settings.bounds, last),
                _ => TransactionAssembler::new(self.settings.bounds),
            };
            let naming = EventIdPrefix::of(&self.cluster, generation);
            let task = Task { naming, mode: self.policy.mode, last_commit: None, deadline };
            let reading = Reading { start, assembler, policy: self.policy };
            let (outcome, lost) = self.run(Guard::lease(&self.checkpoints, lease), task, reading).await?;
            changes += outcome.done.changes;
            let done = Done { changes, ..outcome.done };
            match (outcome.ending, lost) {
                (RunOutcome::SourceEnded, Some(DataLoss::Records)) => {}
                (RunOutcome::SourceEnded, Some(DataLoss::Stream)) => {
                    match self.checkpoints.start_generation(lease, generation).await? {
                        Some(new) => generation = new,
                        None => return Ok(Outcome { ending: RunOutcome::LeaseLost, done }),
                    }
                }
                (ending, _) => return Ok(Outcome { ending, done }),
            }
            start = Start::TrimHorizon;
        }
    }

    /// Where to begin when nothing was ever published.
    async fn first_start(&self, lease: &Lease) -> Result<Start, RunError> {
        if self.policy.start_at == StartAt::Oldest {
            return Ok(Start::TrimHorizon);
        }
        let head = match self.stream.head().await.map_err(RunError::stream)? {
            Some(head) => Some(head),
            // Neptune's text is not what it was.
            None => match self.stream.read(Start::Latest, 1).await.map_err(RunError::stream)? {
                Read::Page(page) => page.last_position(),
                Read::Idle { head } => head,
            },
        };
        let Some(head) = head else { return Ok(Start::TrimHorizon) };
        // Kept at once: what comes from now on is published, also if nothing comes before the deadline.
        match self.checkpoints.advance(lease, message::position(head), Timestamp::now()).await? {
            LeaseStatus::Lost => {
                Err(RunError::Checkpoint(Failure::transient("keep where to begin", "the lease is lost")))
            }
            LeaseStatus::Held | LeaseStatus::HandoverRequested => Ok(Start::AfterSequenceNumber(head)),
        }
    }

    async fn run(
        &self,
        guard: Guard<'_, C>,
        task: Task,
        reading: Reading,
    ) -> Result<(Outcome, Option<DataLoss>), RunError> {
        let Reading { start, assembler, policy } = reading;
        let (sender, mut found) = mpsc::channel(1);
        let source = Source::new(self.stream.clone(), start, policy, &self.settings, &self.metrics).run(sender);
        let mut worker = Worker::new(&self.bus, guard, task, assembler, &self.settings, &self.metrics);
        let (ending, source) = {
            let work = worker.run(&mut found);
            pin!(source, work);
            let mut ended = None;
            loop {
                select! {
                    biased;
                    // The channel closes with it, and the worker comes to its end.
                    verdict = &mut source, if ended.is_none() => ended = Some(verdict),
                    ending = &mut work => break (ending, ended),
                }
            }
        };
        worker.report();
        let (ending, lost) = (ending?, source.transpose()?.flatten());
        Ok((Outcome { ending, done: worker.done() }, lost))
    }
}

//! One invocation: follows the stream under the lease, or replays a range of it.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    time::{Duration, Instant},
};

use domain::graph::Position;
use function_kit::{
    failure::{Failure, Kind},
    metrics::Metrics,
};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use neptune_streams::{Client, Read, Start, TransactionAssembler};
use store::checkpoint::{AcquiredLease, Checkpoint, Lease, LeaseStatus, Progress};
use tokio::{pin, select, sync::mpsc, time::sleep};
use tracing::{info, warn};

use crate::{
    checkpoints::{Checkpoints, LeaseGuard},
    event_bus::Bus,
    generation::{current_progress, known_commit},
    lease,
    message::EventIdPrefix,
    page_source::{DataLoss, PageSource},
    policy::{Mode, OnLoss, Policy, StartAt},
    run_error::RunError,
    run_outcome::{Published, RunOutcome, RunReport},
    settings::Settings,
    stream_identity::{self, Identity, KnownCommit},
    worker::{Task, Worker},
};

/// Publishes the stream to the bus.
#[derive(Debug)]
pub struct Poller<B, C> {
    /// The client of the stream.
    pub stream: Client,
    /// The event bus.
    pub bus: B,
    /// The lease and the checkpoint.
    pub checkpoints: C,
    /// The cluster's name in event ids.
    pub cluster: String,
    /// The policy of the template.
    pub policy: Policy,
    /// Times and bounds.
    pub settings: Settings,
    /// The metrics.
    pub metrics: Metrics,
}

/// The start of a run, its assembler and its policy.
struct ReadPlan {
    start: Start,
    /// A commit of this stream: the one before the start, or the last one published.
    last: Option<KnownCommit>,
    assembler: TransactionAssembler,
    policy: Policy,
}

/// How a reset was resolved.
enum ResetResolution {
    /// It was none.
    SameStream,
    /// A generation was started; `None` if the lease was lost.
    Generation(Option<u64>),
}

fn is_reset(result: &Result<Option<DataLoss>, RunError>) -> bool {
    matches!(result, Ok(Some(DataLoss::Stream)) | Err(RunError::Reset { .. } | RunError::Replaced { .. }))
}

impl<B: Bus, C: Checkpoints> Poller<B, C> {
    /// Acquires the lease as `owner` and publishes until the deadline, the handover, or, in mode `Drain`, until the
    /// stream is idle.
    ///
    /// # Errors
    /// If an operator must act. Messages accepted before remain published.
    pub async fn follow(&self, owner: &str, time: Duration) -> Result<RunReport, RunError> {
        let (deadline, now) = (Instant::now() + time, Timestamp::now());
        let lifetime = SignedDuration::try_from(time + self.settings.lease_margin).unwrap_or(SignedDuration::MAX);
        let expires_at = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
        let give_up = deadline.checked_sub(self.settings.margin).unwrap_or(deadline);
        let Some(acquired) = lease::acquire(&self.checkpoints, owner, expires_at, give_up, &self.settings).await?
        else {
            warn!("the holder of the lease does not hand over");
            return Ok(RunReport { outcome: RunOutcome::NoLease, published: Published::default() });
        };
        let position = acquired.checkpoint.map(|checkpoint| checkpoint.position.to_string());
        info!(epoch = acquired.lease.epoch, position, "lease taken");
        self.metrics.count("LeaseChanges", 1);
        // The lease is released after a panic too. Otherwise the successor would wait until it expires.
        let report = AssertUnwindSafe(self.run_under_lease(&acquired, deadline)).catch_unwind().await;
        if let Err(failure) = self.checkpoints.release(&acquired.lease).await {
            warn!(kind = failure.kind.as_str(), %failure, "the lease is not released and will expire");
        }
        report.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Publishes the whole transactions of the commits from `from` to `to` again, without lease and checkpoint.
    ///
    /// # Errors
    /// As for [`follow`](Self::follow); also if records of the range have expired, or if the stream was reset and the next
    /// generation has not started.
    pub async fn replay(&self, from: Position, to: Position, time: Duration) -> Result<RunReport, RunError> {
        let Progress { checkpoint, generation, .. } = self.current_progress().await?;
        let id_prefix = EventIdPrefix::new(&self.cluster, generation).for_replay(&lease::unique_id());
        let deadline = Instant::now() + time;
        let task = Task { id_prefix, mode: Mode::Drain, last_commit: Some(to.commit_num), deadline };
        let start = Start::AtSequenceNumber(neptune_streams::Position::new(from.commit_num, 1));
        let assembler = TransactionAssembler::new(self.settings.bounds);
        // The default policy fails on any loss, so the replayed range is complete.
        let policy = Policy { mode: Mode::Drain, ..Policy::default() };
        // The stream is compared with the checkpoint again before the first read.
        let plan = ReadPlan { start, last: checkpoint.and_then(known_commit), assembler, policy };
        let (report, _) = self.run(LeaseGuard::none(), task, plan).await?;
        Ok(report)
    }

    /// How far the stream is published, for a run without the lease.
    ///
    /// # Errors
    /// See [`current_progress`].
    pub async fn current_progress(&self) -> Result<Progress, RunError> {
        current_progress(&self.stream, &self.checkpoints, &self.settings).await
    }

    async fn run_under_lease(&self, acquired: &AcquiredLease, deadline: Instant) -> Result<RunReport, RunError> {
        let (lease, mut generation, mut changes) = (&acquired.lease, acquired.generation, 0);
        let mut checkpoint = acquired.checkpoint;
        // Before the first checkpoint, which would be taken from the new stream.
        if acquired.is_stopped_by_reset {
            match self.resolve_reset(lease, generation, checkpoint).await? {
                ResetResolution::SameStream => {}
                ResetResolution::Generation(Some(new)) => (generation, checkpoint) = (new, None),
                ResetResolution::Generation(None) => {
                    return Ok(RunReport { outcome: RunOutcome::LeaseLost, published: Published::default() });
                }
            }
        }
        if checkpoint.is_none() {
            checkpoint = self.first_checkpoint(lease, generation).await?;
        }
        let position = checkpoint.map(|checkpoint| checkpoint.position);
        let mut start = position.map_or(Start::TrimHorizon, Start::AfterSequenceNumber);
        let mut last = checkpoint.and_then(known_commit);
        loop {
            let assembler = match start {
                Start::AfterSequenceNumber(last) => TransactionAssembler::resume_after(self.settings.bounds, last),
                _ => TransactionAssembler::new(self.settings.bounds),
            };
            let id_prefix = EventIdPrefix::new(&self.cluster, generation);
            let task = Task { id_prefix, mode: self.policy.mode, last_commit: None, deadline };
            let plan = ReadPlan { start, last, assembler, policy: self.policy };
            let (report, loss) = self.run(LeaseGuard::lease(&self.checkpoints, lease), task, plan).await?;
            changes += report.published.changes;
            let published = Published { changes, ..report.published };
            match (report.outcome, loss) {
                (RunOutcome::SourceEnded, Some(DataLoss::Records)) => {}
                (RunOutcome::SourceEnded, Some(DataLoss::Stream)) => {
                    match self.checkpoints.start_generation(lease, generation).await? {
                        Some(new) => generation = new,
                        None => return Ok(RunReport { outcome: RunOutcome::LeaseLost, published }),
                    }
                }
                (outcome, _) => return Ok(RunReport { outcome, published }),
            }
            (start, last) = (Start::TrimHorizon, None);
        }
    }

    /// Resolves a reset that an earlier run detected: it was none if the stream still has the checkpointed commit, else
    /// the policy decides.
    async fn resolve_reset(
        &self,
        lease: &Lease,
        generation: u64,
        checkpoint: Option<Checkpoint>,
    ) -> Result<ResetResolution, RunError> {
        if let Some(known) = checkpoint.and_then(known_commit)
            && stream_identity::compare(&self.stream, known).await.map_err(RunError::stream)? == Identity::Same
        {
            warn!("the stream still has the checkpointed commit, so it was not reset");
            self.checkpoints.clear_reset(lease).await?;
            return Ok(ResetResolution::SameStream);
        }
        if self.policy.on_reset == OnLoss::Fail {
            return Err(RunError::UnresolvedReset);
        }
        warn!("continuing with the oldest record after a reset, as configured");
        self.metrics.count_kind("Losses", ("Kind", RunError::UnresolvedReset.kind()), 1);
        Ok(ResetResolution::Generation(self.checkpoints.start_generation(lease, generation).await?))
    }

    /// The checkpoint where a stream without one starts; `None` is the oldest record. After a reset that is always the
    /// oldest record: the consumers have nothing of the new graph.
    async fn first_checkpoint(&self, lease: &Lease, generation: u64) -> Result<Option<Checkpoint>, RunError> {
        if self.policy.start_at == StartAt::Oldest || generation > 0 {
            return Ok(None);
        }
        let (head, committed_at_ms) = match self.stream.read(Start::Latest, 1).await.map_err(RunError::stream)? {
            Read::Page(page) => (page.last_position(), page.records.last().map(|record| record.commit_timestamp)),
            Read::Idle { head } => (head, None),
        };
        let Some(position) = head else { return Ok(None) };
        let checkpoint = Checkpoint { position, committed_at_ms };
        // Stored now, so that the next invocation starts here even if no record arrives before the deadline.
        match self.checkpoints.advance(lease, checkpoint, Timestamp::now()).await? {
            LeaseStatus::Lost => {
                Err(RunError::Checkpoint(Failure::transient("store the start position", "the lease is lost")))
            }
            LeaseStatus::Held | LeaseStatus::HandoverRequested => Ok(Some(checkpoint)),
        }
    }

    async fn run(
        &self,
        guard: LeaseGuard<'_, C>,
        task: Task,
        plan: ReadPlan,
    ) -> Result<(RunReport, Option<DataLoss>), RunError> {
        let ReadPlan { start, last, assembler, policy } = plan;
        let last_attempt = task.deadline.checked_sub(self.settings.margin).unwrap_or(task.deadline);
        let (sender, mut events) = mpsc::channel(1);
        let source = PageSource::new(self.stream.clone(), start, last, policy, &self.settings, &self.metrics);
        let source = source.run(sender);
        let mut worker = Worker::new(&self.stream, &self.bus, guard, task, assembler, &self.settings, &self.metrics);
        let (outcome, source_result) = {
            let work = worker.run(&mut events);
            pin!(source, work);
            let mut source_result = None;
            loop {
                select! {
                    biased;
                    // The end of the source closes the channel, which ends the worker.
                    result = &mut source, if source_result.is_none() => {
                        // Stored at once: when the new stream is longer than the old one was, only this shows the reset.
                        if is_reset(&result) {
                            self.mark_reset(guard, last_attempt).await?;
                        }
                        source_result = Some(result);
                    }
                    outcome = &mut work => break (outcome, source_result),
                }
            }
        };
        worker.report_metrics();
        let (outcome, loss) = (outcome?, source_result.transpose()?.flatten());
        Ok((RunReport { outcome, published: worker.published() }, loss))
    }

    /// Stores the reset; tries again while the table fails. Without the mark and a checkpoint, the next holder would take
    /// the new stream for the old one.
    async fn mark_reset(&self, guard: LeaseGuard<'_, C>, last_attempt: Instant) -> Result<(), RunError> {
        let mut backoff = self.settings.backoff;
        loop {
            match guard.mark_reset().await {
                Ok(()) => return Ok(()),
                Err(failure) if failure.kind == Kind::Transient && Instant::now() < last_attempt => {
                    warn!(kind = failure.kind.as_str(), %failure, "will be tried again");
                    sleep(backoff.next_delay()).await;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

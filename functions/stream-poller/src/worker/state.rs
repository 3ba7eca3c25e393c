//! The state of a run.

use std::time::{Duration, Instant};

use domain::graph::{LaterRecords, Position};
use function_kit::{
    failure::Failure,
    metrics::{Metrics, Unit},
};
use futures_util::{future::LocalBoxFuture, stream::FuturesUnordered};
use jiff::Timestamp;
use neptune_streams::{Client, Part, TransactionAssembler};
use store::checkpoint::LeaseStatus;

use crate::{
    checkpoints::LeaseGuard,
    event_bus::PublishOutcome,
    message::EventIdPrefix,
    outbox::{Entry, Outbox},
    policy::Mode,
    run_error::RunError,
    run_outcome::{Published, RunOutcome},
    settings::Settings,
};

/// The task of a run.
#[derive(Debug)]
pub struct Task {
    /// The prefix of its event ids.
    pub id_prefix: EventIdPrefix,
    /// Whether it ends when the stream is idle.
    pub mode: Mode,
    /// The last commit to publish, for a replay.
    pub last_commit: Option<u64>,
    /// The deadline of the invocation. The run ends a margin earlier.
    pub deadline: Instant,
}

/// One run.
pub struct Worker<'a, B, C> {
    pub(super) stream: &'a Client,
    pub(super) bus: &'a B,
    pub(super) guard: LeaseGuard<'a, C>,
    pub(super) task: Task,
    pub(super) settings: &'a Settings,
    pub(super) metrics: &'a Metrics,
    pub(super) assembler: TransactionAssembler,
    pub(super) look_ahead: LookAhead<'a>,
    pub(super) outbox: Outbox,
    pub(super) calls: FuturesUnordered<LocalBoxFuture<'a, FinishedCall>>,
    /// At most one call to the checkpoint table is in flight.
    pub(super) checkpoint_call: Option<LocalBoxFuture<'a, CheckpointResult>>,
    pub(super) closing: Closing,
    /// The checkpoint in the table, if this run has written it.
    pub(super) written: Option<Position>,
    pub(super) last_checkpoint_call: Instant,
    pub(super) last_write: Option<Instant>,
    /// After a failed write, the time of the retry.
    pub(super) retry_write_at: Option<Instant>,
    /// Everything committed before this time has been read; milliseconds since 1970.
    pub(super) read_until_ms: Option<i64>,
    pub(super) head: Option<neptune_streams::Position>,
    pub(super) consecutive_rejections: u32,
    pub(super) last_publish_error: Option<String>,
    pub(super) changes: u64,
    pub(super) metrics_written: Instant,
    pub(super) latency_sampled: Instant,
}

/// What is known of the records behind a part that does not end its transaction.
#[derive(Default)]
pub(super) enum LookAhead<'a> {
    #[default]
    Nothing,
    /// The part waits while they are read.
    Running(Part, LocalBoxFuture<'a, Result<LaterRecords, RunError>>),
    /// They are known for this commit.
    Done(u64, LaterRecords),
}

/// Whether the run is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    No,
    /// Everything read is published first.
    Finish(RunOutcome),
    /// Calls in flight are completed, and no more are started.
    Halt(RunOutcome),
}

/// A finished call to the bus or the dead-letter queue.
pub(super) enum FinishedCall {
    Published(Vec<Entry>, Vec<PublishOutcome>),
    SentToDlq(Entry, Result<(), Failure>),
}

/// The result of a call to the checkpoint table.
pub(super) struct CheckpointResult {
    /// The position to write, if the call was a write.
    pub position: Option<Position>,
    pub lease_status: Result<LeaseStatus, Failure>,
}

impl<'a, B, C> Worker<'a, B, C> {
    /// A run that continues the stream with `assembler`.
    pub fn new(
        stream: &'a Client,
        bus: &'a B,
        guard: LeaseGuard<'a, C>,
        task: Task,
        assembler: TransactionAssembler,
        settings: &'a Settings,
        metrics: &'a Metrics,
    ) -> Self {
        let now = Instant::now();
        Self {
            stream,
            bus,
            guard,
            task,
            settings,
            metrics,
            assembler,
            look_ahead: LookAhead::default(),
            outbox: Outbox::default(),
            calls: FuturesUnordered::new(),
            checkpoint_call: None,
            closing: Closing::No,
            written: None,
            last_checkpoint_call: now,
            last_write: None,
            retry_write_at: None,
            read_until_ms: None,
            head: None,
            consecutive_rejections: 0,
            last_publish_error: None,
            changes: 0,
            metrics_written: now,
            latency_sampled: now,
        }
    }

    /// The changes published so far.
    pub fn published(&self) -> Published {
        Published { position: self.outbox.accepted(), changes: self.changes }
    }

    /// Ends the run after the calls in flight.
    pub(super) fn halt(&mut self, outcome: RunOutcome) {
        if !matches!(self.closing, Closing::Halt(_)) {
            self.closing = Closing::Halt(outcome);
        }
    }

    /// Writes the metrics.
    pub fn report_metrics(&mut self) {
        self.metrics_written = Instant::now();
        if let Some(age) = self.oldest_age() {
            self.metrics.observe("OldestRecordAge", Unit::Milliseconds, age.as_secs_f64() * 1e3);
            let left = self.settings.retention.saturating_sub(age);
            self.metrics.observe("TimeToExpiry", Unit::Seconds, left.as_secs_f64());
        }
        if let (Some(head), Some(accepted)) = (self.head, self.outbox.accepted()) {
            let backlog = head.commit_num.saturating_sub(accepted.commit_num);
            self.metrics.observe("BacklogCommits", Unit::Count, backlog as f64);
        }
        self.metrics.flush();
    }

    /// The age of the oldest unpublished record. While the stream cannot be read, this is an upper bound. `None` before
    /// the first read.
    fn oldest_age(&self) -> Option<Duration> {
        self.outbox.oldest_ms().or(self.read_until_ms).map(since)
    }
}

/// The time since a commit, by this machine's clock.
pub(super) fn since(committed_at_ms: i64) -> Duration {
    let millis = Timestamp::now().as_millisecond().saturating_sub(committed_at_ms);
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// `instant` minus `margin`, or `instant` if that is before the start of the clock.
pub(super) fn before(instant: Instant, margin: Duration) -> Instant {
    instant.checked_sub(margin).unwrap_or(instant)
}

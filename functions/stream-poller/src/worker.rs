//! Pages in, changes on the bus, and the checkpoint behind them.

mod access;
mod calls;

use std::time::{Duration, Instant};

use domain::graph::Position;
use function_kit::metrics::{Metrics, Unit};
use futures_util::{
    FutureExt, StreamExt,
    future::{LocalBoxFuture, OptionFuture},
    stream::FuturesUnordered,
};
use jiff::Timestamp;
use neptune_streams::{Part, TransactionAssembler};
use store::checkpoint::LeaseStatus;
use tokio::{sync::mpsc, task::yield_now, time::sleep_until};

use self::{access::Access, calls::Call};
use crate::{
    bus::Bus,
    checkpoints::{Checkpoints, Guard},
    message::{EventIdPrefix, messages, position},
    outbox::Outbox,
    policy::Mode,
    settings::Settings,
    source::Found,
    stop::{RunError, RunOutcome},
};

/// What a run is about.
#[derive(Debug)]
pub struct Task {
    /// How its messages are called.
    pub naming: EventIdPrefix,
    /// Whether it ends where the stream is idle.
    pub mode: Mode,
    /// The last commit to publish, if there is one.
    pub last_commit: Option<u64>,
    /// When the invocation is over; a margin before it, the run is.
    pub deadline: Instant,
}

/// What a run has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Up to where everything is on the bus.
    pub position: Option<Position>,
    /// How many changes are, or are with the dead letters.
    pub changes: u64,
}

/// One run: works until its source, its time, or its lease ends.
pub struct Worker<'a, B, C> {
    bus: &'a B,
    guard: Guard<'a, C>,
    task: Task,
    settings: &'a Settings,
    metrics: &'a Metrics,
    assembler: TransactionAssembler,
    outbox: Outbox,
    calls: FuturesUnordered<LocalBoxFuture<'a, Call>>,
    /// The one access to the checkpoint that is under way.
    access: Option<LocalBoxFuture<'a, Access>>,
    closing: Closing,
    /// Up to where the checkpoint is known to be.
    written: Option<Position>,
    last_access: Instant,
    last_write: Option<Instant>,
    /// After a failed write, when to try again.
    write_again: Option<Instant>,
    /// Everything that was committed before, in milliseconds since 1970, has been read.
    read_until_ms: Option<i64>,
    head: Option<neptune_streams::Position>,
    refused_in_a_row: u32,
    failure: Option<String>,
    changes: u64,
    measured: Instant,
    sampled: Instant,
}

/// Whether the run is coming to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// Everything that was read is published first.
    Finish(RunOutcome),
    /// What is under way is waited for, no more is begun.
    Halt(RunOutcome),
}

impl<'a, B: Bus, C: Checkpoints> Worker<'a, B, C> {
    /// A run that goes on with what `assembler` is for.
    pub fn new(
        bus: &'a B,
        guard: Guard<'a, C>,
        task: Task,
        assembler: TransactionAssembler,
        settings: &'a Settings,
        metrics: &'a Metrics,
    ) -> Self {
        let now = Instant::now();
        Self {
            bus,
            guard,
            task,
            settings,
            metrics,
            assembler,
            outbox: Outbox::default(),
            calls: FuturesUnordered::new(),
            access: None,
            closing: Closing::No,
            written: None,
            last_access: now,
            last_write: None,
            write_again: None,
            read_until_ms: None,
            head: None,
            refused_in_a_row: 0,
            failure: None,
            changes: 0,
            measured: now,
            sampled: now,
        }
    }

    /// Works. When this returns, nothing is under way any more.
    ///
    /// # Errors
    /// If the bus or the table of checkpoints does not do what must be done.
    pub async fn run(&mut self, found: &mut mpsc::Receiver<Found>) -> Result<RunOutcome, RunError> {
        loop {
            self.fill();
            self.close_in_time();
            self.call();
            self.access();
            self.measure();
            if let Some(ending) = self.ended()? {
                // What is late is left to whoever comes next, and repeats it.
                self.calls.clear();
                return Ok(ending);
            }
            // The source asks for the next page before this one is worked on.
            yield_now().await;
            let may_take = self.closing == Closing::No && self.outbox.bytes() < self.settings.max_outbox_bytes;
            let wake = self.wake();
            tokio::select! {
                biased;
                Some(call) = self.calls.next(), if !self.calls.is_empty() => {
                    self.settle(call)?;
                    // Those that have ended meanwhile, too.
                    while let Some(Some(call)) = self.calls.next().now_or_never() {
                        self.settle(call)?;
                    }
                }
                Some(access) = OptionFuture::from(self.access.as_mut()), if self.access.is_some() => {
                    self.access = None;
                    if self.learn(access)? == LeaseStatus::Lost {
                        // Nothing more may be begun, and what is under way is the new holder's to repeat.
                        self.calls.clear();
                        return Ok(RunOutcome::LeaseLost);
                    }
                }
                found = found.recv(), if may_take => self.take(found),
                () = sleep_until(wake.into()) => {}
            }
        }
    }

    /// What was done.
    pub fn done(&self) -> Done {
        Done { position: self.outbox.accepted(), changes: self.changes }
    }

    /// Writes metrics, also of what is not finished.
    pub fn report(&mut self) {
        self.measured = Instant::now();
        if let Some(age) = self.oldest_age() {
            self.metrics.observe("OldestRecordAge", Unit::Milliseconds, age.as_secs_f64() * 1e3);
            let left = self.settings.retention.saturating_sub(age);
            self.metrics.observe("TimeToExpiry", Unit::Seconds, left.as_secs_f64());
        }
        if let (Some(head), Some(accepted)) = (self.head, self.outbox.accepted()) {
            let backlog = position(head).commit_num.saturating_sub(accepted.commit_num);
            self.metrics.observe("BacklogCommits", Unit::Count, backlog as f64);
        }
        self.metrics.flush();
    }

    /// How long the oldest record that is not on the bus has been in the stream. While it cannot be
    /// read, it is no older than this; before anything was read, nothing is known.
    fn oldest_age(&self) -> Option<Duration> {
        self.outbox.oldest_ms().or(self.read_until_ms).map(since)
    }

    fn take(&mut self, found: Option<Found>) {
        match found {
            Some(Found::Page(page)) => {
                self.metrics.count("Records", page.records.len() as u64);
                self.read_until_ms = page.records.last().map(|record| record.commit_timestamp);
                self.assembler.push(page);
            }
            Some(Found::Head(head)) => self.head = Some(head),
            Some(Found::Idle) => {
                if let Some(part) = self.assembler.idle() {
                    self.push(part);
                }
                self.read_until_ms = Some(Timestamp::now().as_millisecond());
                self.head = None;
                if self.task.mode == Mode::Drain && self.closing == Closing::No {
                    self.closing = Closing::Finish(RunOutcome::Drained);
                }
            }
            None => self.closing = Closing::Finish(RunOutcome::SourceEnded),
        }
    }

    /// Moves transactions to the outbox while there is room.
    fn fill(&mut self) {
        while !matches!(self.closing, Closing::Halt(_)) && self.outbox.bytes() < self.settings.max_outbox_bytes {
            let Some(part) = self.assembler.next_part() else { break };
            if self.task.last_commit.is_some_and(|last| part.commit_num > last) {
                self.closing = Closing::Finish(RunOutcome::Replayed);
                break;
            }
            self.push(part);
        }
    }

    fn push(&mut self, part: Part) {
        // A part is never empty.
        let Some(last) = part.records.last() else { return };
        let (end, committed_at) = (position(last.position), last.commit_timestamp);
        if part.end.is_some() {
            self.metrics.count("Transactions", 1);
        }
        let messages = messages(part.records, &self.task.naming);
        self.metrics.count("Changes", messages.len() as u64);
        self.outbox.push(end, committed_at, messages);
    }

    fn close_in_time(&mut self) {
        if Instant::now() >= before(self.task.deadline, self.settings.margin) {
            self.halt(RunOutcome::Deadline);
        }
    }

    fn halt(&mut self, ending: RunOutcome) {
        if !matches!(self.closing, Closing::Halt(_)) {
            self.closing = Closing::Halt(ending);
        }
    }

    /// How the run has ended, if it has.
    fn ended(&self) -> Result<Option<RunOutcome>, RunError> {
        let (ending, is_done) = match self.closing {
            Closing::No => return Ok(None),
            // There was room, so nothing waits in the assembler either.
            Closing::Finish(ending) => (ending, self.outbox.is_empty()),
            Closing::Halt(ending) => (ending, self.calls.is_empty()),
        };
        let is_written = self.access.is_none() && self.outbox.accepted() == self.written;
        let is_late = Instant::now() >= before(self.task.deadline, self.settings.last_margin);
        if !(is_done && is_written || is_late) {
            return Ok(None);
        }
        match &self.failure {
            // The invocation must not look well.
            Some(why) if ending == RunOutcome::Deadline && self.outbox.next_retry().is_some() => {
                Err(RunError::Unpublished(why.clone()))
            }
            _ => Ok(Some(ending)),
        }
    }

    fn wake(&self) -> Instant {
        let margin = match self.closing {
            Closing::Halt(_) => self.settings.last_margin,
            Closing::No | Closing::Finish(_) => self.settings.margin,
        };
        let lease_status = self.access.is_none().then(|| self.last_access + self.settings.look_every);
        let write = self.write_at().filter(|_| self.access.is_none());
        let may_call = !matches!(self.closing, Closing::Halt(_)) && self.calls.len() < self.settings.max_calls;
        let retry = self.outbox.next_retry().filter(|_| may_call);
        let times = [Some(before(self.task.deadline, margin)), lease_status, write, retry];
        let measure = self.measured + self.settings.measure_every;
        times.into_iter().flatten().fold(measure, Instant::min)
    }

    fn measure(&mut self) {
        if self.measured.elapsed() >= self.settings.measure_every {
            self.report();
        }
    }
}

/// How long ago it was, by this machine's clock.
fn since(committed_at_ms: i64) -> Duration {
    let millis = Timestamp::now().as_millisecond().saturating_sub(committed_at_ms);
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// An instant can be no earlier than the clock's beginning.
fn before(instant: Instant, margin: Duration) -> Instant {
    instant.checked_sub(margin).unwrap_or(instant)
}

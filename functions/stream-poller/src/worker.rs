//! Assembles transactions from pages, publishes their messages, and moves the checkpoint.

mod assemble;
mod checkpoint;
mod publish;
mod state;

use std::time::Instant;

use futures_util::{FutureExt, StreamExt, future::OptionFuture};
use jiff::Timestamp;
use store::checkpoint::LeaseStatus;
use tokio::{sync::mpsc, task::yield_now, time::sleep_until};

pub use self::state::{Task, Worker};
use self::{
    assemble::look_ahead,
    state::{Closing, before},
};
use crate::{
    checkpoints::Checkpoints, event_bus::Bus, page_source::SourceEvent, policy::Mode, run_error::RunError,
    run_outcome::RunOutcome,
};

impl<B: Bus, C: Checkpoints> Worker<'_, B, C> {
    /// Runs until the source, the time or the lease ends. When it returns, no call is in flight.
    ///
    /// # Errors
    /// If the bus or the checkpoint table fails permanently.
    pub async fn run(&mut self, events: &mut mpsc::Receiver<SourceEvent>) -> Result<RunOutcome, RunError> {
        loop {
            self.fill_outbox();
            self.halt_at_deadline();
            self.start_calls();
            self.start_checkpoint_call();
            self.report_metrics_if_due();
            if let Some(outcome) = self.outcome_if_ended()? {
                // Cancels late calls. The next invocation repeats them.
                self.calls.clear();
                return Ok(outcome);
            }
            // Lets the source request the next page before this one is processed.
            yield_now().await;
            let may_receive = self.closing == Closing::No
                && !self.is_looking_ahead()
                && self.outbox.bytes() < self.settings.max_outbox_bytes;
            let wake_at = self.next_wake();
            tokio::select! {
                biased;
                Some(call) = self.calls.next(), if !self.calls.is_empty() => {
                    self.handle_call(call)?;
                    // Handles all other finished calls.
                    while let Some(Some(call)) = self.calls.next().now_or_never() {
                        self.handle_call(call)?;
                    }
                }
                Some(result) = OptionFuture::from(self.checkpoint_call.as_mut()), if self.checkpoint_call.is_some() => {
                    self.checkpoint_call = None;
                    if self.handle_checkpoint(result)? == LeaseStatus::Lost {
                        // Cancels calls in flight. The new holder repeats them.
                        self.calls.clear();
                        return Ok(RunOutcome::LeaseLost);
                    }
                }
                result = look_ahead(&mut self.look_ahead), if self.is_looking_ahead() => self.finish_look_ahead(result)?,
                event = events.recv(), if may_receive => self.handle_event(event),
                () = sleep_until(wake_at.into()) => {}
            }
        }
    }

    fn handle_event(&mut self, event: Option<SourceEvent>) {
        match event {
            Some(SourceEvent::Page(page)) => {
                self.metrics.count("Records", page.records.len() as u64);
                self.read_until_ms = page.records.last().map(|record| record.commit_timestamp);
                self.assembler.push(page);
            }
            Some(SourceEvent::Head(head)) => self.head = Some(head),
            Some(SourceEvent::Idle) => {
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

    fn halt_at_deadline(&mut self) {
        if Instant::now() >= before(self.task.deadline, self.settings.margin) {
            self.halt(RunOutcome::Deadline);
        }
    }

    /// The outcome, if the run has ended.
    fn outcome_if_ended(&self) -> Result<Option<RunOutcome>, RunError> {
        let (outcome, is_done) = match self.closing {
            Closing::No => return Ok(None),
            // If the outbox is empty, it had room, so the assembler is empty too.
            Closing::Finish(outcome) => (outcome, self.outbox.is_empty() && !self.is_looking_ahead()),
            Closing::Halt(outcome) => (outcome, self.calls.is_empty()),
        };
        let is_written = self.checkpoint_call.is_none() && self.outbox.accepted() == self.written;
        let is_late = Instant::now() >= before(self.task.deadline, self.settings.final_margin);
        if !(is_done && is_written || is_late) {
            return Ok(None);
        }
        match &self.last_publish_error {
            // The invocation must fail, so that the alarm is raised.
            Some(error) if outcome == RunOutcome::Deadline && self.outbox.next_retry().is_some() => {
                Err(RunError::Unpublished(error.clone()))
            }
            _ => Ok(Some(outcome)),
        }
    }

    /// The latest time for the next iteration of the loop.
    fn next_wake(&self) -> Instant {
        let margin = match self.closing {
            Closing::Halt(_) => self.settings.final_margin,
            Closing::No | Closing::Finish(_) => self.settings.margin,
        };
        let lease_check =
            self.checkpoint_call.is_none().then(|| self.last_checkpoint_call + self.settings.lease_check_interval);
        let write = self.next_write().filter(|_| self.checkpoint_call.is_none());
        let may_call = !matches!(self.closing, Closing::Halt(_)) && self.calls.len() < self.settings.max_calls;
        let retry = self.outbox.next_retry().filter(|_| may_call);
        let times = [Some(before(self.task.deadline, margin)), lease_check, write, retry];
        let metrics = self.metrics_written + self.settings.metrics_interval;
        times.into_iter().flatten().fold(metrics, Instant::min)
    }

    fn report_metrics_if_due(&mut self) {
        if self.metrics_written.elapsed() >= self.settings.metrics_interval {
            self.report_metrics();
        }
    }
}

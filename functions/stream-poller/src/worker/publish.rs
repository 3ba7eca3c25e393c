//! Calls to the bus and the dead-letter queue.

use std::time::{Duration, Instant};

use function_kit::metrics::Unit;
use tracing::{error, warn};

use super::state::{Closing, FinishedCall, Worker, since};
use crate::{
    event_bus::{Bus, PublishOutcome},
    outbox::{Entry, NextAction},
    run_error::RunError,
};

/// The interval between two measurements of the time from commit to bus.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);

impl<B: Bus, C> Worker<'_, B, C> {
    /// Starts calls up to the limit.
    pub(super) fn start_calls(&mut self) {
        if matches!(self.closing, Closing::Halt(_)) {
            return;
        }
        let bus = self.bus;
        while self.calls.len() < self.settings.max_calls {
            let Some(action) = self.outbox.next(Instant::now()) else { break };
            self.calls.push(match action {
                NextAction::Publish(entries) => Box::pin(async move {
                    let outcomes = bus.publish(&entries).await;
                    FinishedCall::Published(entries, outcomes)
                }),
                NextAction::SendToDlq(entry) => Box::pin(async move {
                    let reason = entry.message.rejection.clone().unwrap_or_default();
                    let result = bus.send_to_dlq(&entry, &reason).await;
                    FinishedCall::SentToDlq(entry, result)
                }),
            });
        }
    }

    pub(super) fn handle_call(&mut self, call: FinishedCall) -> Result<(), RunError> {
        match call {
            FinishedCall::Published(entries, outcomes) => {
                let mut outcomes = outcomes.into_iter();
                for mut entry in entries {
                    match outcomes.next() {
                        Some(PublishOutcome::Accepted) => {
                            self.consecutive_rejections = 0;
                            self.accept(entry);
                        }
                        Some(PublishOutcome::Rejected(code)) => {
                            self.consecutive_rejections += 1;
                            if self.consecutive_rejections > self.settings.max_consecutive_rejections {
                                return Err(RunError::Bus(code));
                            }
                            entry.message.rejection = Some(code);
                            self.outbox.retry(entry, Instant::now());
                        }
                        Some(PublishOutcome::Retry(code)) => self.retry(entry, code),
                        None => self.retry(entry, "no outcome".to_owned()),
                    }
                }
            }
            FinishedCall::SentToDlq(entry, Ok(())) => {
                let reason = entry.message.rejection.as_deref();
                error!(
                    change = entry.message.deduplication_id,
                    reason, "sent to the dead-letter queue instead of the bus"
                );
                self.metrics.count_kind("Failures", ("Kind", "refused"), 1);
                self.accept(entry);
            }
            FinishedCall::SentToDlq(entry, Err(failure)) => self.retry(entry, failure.to_string()),
        }
        Ok(())
    }

    fn accept(&mut self, entry: Entry) {
        self.changes += 1;
        let committed = self.outbox.oldest_ms();
        self.outbox.settle(entry);
        // Only samples, because a backlog has thousands of similar values per second.
        if committed != self.outbox.oldest_ms() && self.latency_sampled.elapsed() >= SAMPLE_INTERVAL {
            self.latency_sampled = Instant::now();
            let age = committed.map(since).unwrap_or_default();
            self.metrics.observe("CommitToBus", Unit::Milliseconds, age.as_secs_f64() * 1e3);
        }
    }

    fn retry(&mut self, entry: Entry, why: String) {
        let delay = self.settings.backoff.delay_after(entry.attempts);
        warn!(change = entry.message.deduplication_id, attempts = entry.attempts + 1, why, "will be published again");
        self.metrics.count_kind("Failures", ("Kind", "publish"), 1);
        self.last_publish_error = Some(why);
        self.outbox.retry(entry, Instant::now() + delay);
    }
}

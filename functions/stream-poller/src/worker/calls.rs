//! What is under way to the bus.

use std::time::{Duration, Instant};

use function_kit::{failure::Failure, metrics::Unit};
use tracing::{error, warn};

use super::{Closing, Worker, since};
use crate::{
    bus::{Bus, PublishOutcome},
    checkpoints::Checkpoints,
    outbox::{Entry, NextAction},
    stop::RunError,
};

/// How often the time from a commit to the bus is noted.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// A call that has ended.
pub(super) enum Call {
    Published(Vec<Entry>, Vec<PublishOutcome>),
    Buried(Entry, Result<(), Failure>),
}

impl<B: Bus, C: Checkpoints> Worker<'_, B, C> {
    /// Begins as many calls as may be under way.
    pub(super) fn call(&mut self) {
        if matches!(self.closing, Closing::Halt(_)) {
            return;
        }
        let bus = self.bus;
        while self.calls.len() < self.settings.max_calls {
            let Some(work) = self.outbox.next(Instant::now()) else { break };
            self.calls.push(match work {
                NextAction::Publish(entries) => Box::pin(async move {
                    let verdicts = bus.publish(&entries).await;
                    Call::Published(entries, verdicts)
                }),
                NextAction::Bury(entry) => Box::pin(async move {
                    let reason = entry.message.refused.clone().unwrap_or_default();
                    let result = bus.bury(&entry, &reason).await;
                    Call::Buried(entry, result)
                }),
            });
        }
    }

    pub(super) fn settle(&mut self, call: Call) -> Result<(), RunError> {
        match call {
            Call::Published(entries, verdicts) => {
                let mut verdicts = verdicts.into_iter();
                for mut entry in entries {
                    match verdicts.next() {
                        Some(PublishOutcome::Accepted) => {
                            self.refused_in_a_row = 0;
                            self.accept(entry);
                        }
                        Some(PublishOutcome::Refused(code)) => {
                            self.refused_in_a_row += 1;
                            if self.refused_in_a_row > self.settings.max_refused_in_a_row {
                                return Err(RunError::Bus(code));
                            }
                            entry.message.refused = Some(code);
                            self.outbox.retry(entry, Instant::now());
                        }
                        Some(PublishOutcome::Again(code)) => self.again(entry, code),
                        None => self.again(entry, "no verdict".to_owned()),
                    }
                }
            }
            Call::Buried(entry, Ok(())) => {
                let reason = entry.message.refused.as_deref();
                error!(change = entry.message.deduplication_id, reason, "to the dead letters: the bus refuses it");
                self.metrics.count_kind("Failures", ("Kind", "refused"), 1);
                self.accept(entry);
            }
            Call::Buried(entry, Err(failure)) => self.again(entry, failure.to_string()),
        }
        Ok(())
    }

    fn accept(&mut self, entry: Entry) {
        self.changes += 1;
        let committed = self.outbox.oldest_ms();
        self.outbox.settle(entry);
        // Samples: in a backlog there are thousands a second, all alike.
        if committed != self.outbox.oldest_ms() && self.sampled.elapsed() >= SAMPLE_EVERY {
            self.sampled = Instant::now();
            let age = committed.map(since).unwrap_or_default();
            self.metrics.observe("CommitToBus", Unit::Milliseconds, age.as_secs_f64() * 1e3);
        }
    }

    fn again(&mut self, entry: Entry, why: String) {
        let wait = self.settings.backoff.after(entry.attempts);
        warn!(change = entry.message.deduplication_id, attempts = entry.attempts + 1, why, "will be published again");
        self.metrics.count_kind("Failures", ("Kind", "publish"), 1);
        self.failure = Some(why);
        self.outbox.retry(entry, Instant::now() + wait);
    }
}

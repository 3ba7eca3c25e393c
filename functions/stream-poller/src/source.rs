//! The stream's pages, one ahead of who works on them.

use std::time::{Duration, Instant};

use function_kit::{failure::Failure, metrics::Metrics};
use neptune_streams::{Client, Error, Page, Position, Read, Start, StreamReader};
use tokio::{sync::mpsc, time::sleep};
use tracing::warn;

use crate::{
    message,
    policy::{OnGap, OnLoss, Policy},
    settings::Settings,
    stop::{RunError, kind_of},
};

/// What the source has found.
#[derive(Debug)]
pub enum Found {
    /// The next page.
    Page(Page),
    /// There is nothing behind the last page.
    Idle,
    /// Where the stream ends.
    Head(Position),
}

/// The source has ended for good, and the policy says to begin with the oldest record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataLoss {
    /// What had to be read has expired.
    Records,
    /// The stream was deleted and has begun anew.
    Stream,
}

/// Reads a stream.
#[derive(Debug)]
pub struct Source<'a> {
    client: Client,
    reader: StreamReader,
    policy: Policy,
    settings: &'a Settings,
    metrics: &'a Metrics,
    trouble: Option<Outage>,
    probed: Instant,
    head: Option<Position>,
}

/// Something that may pass by itself, and since when it has not.
#[derive(Debug, Clone, Copy)]
struct Outage {
    kind: &'static str,
    since: Instant,
}

impl<'a> Source<'a> {
    /// A source that begins at `start`.
    pub fn new(client: Client, start: Start, policy: Policy, settings: &'a Settings, metrics: &'a Metrics) -> Self {
        let reader = StreamReader::new(client.clone(), start).with_max_limit(settings.page_limit);
        let probed = Instant::now();
        Self { client, reader, policy, settings, metrics, trouble: None, probed, head: None }
    }

    /// Reads until nobody listens, or the stream cannot be read on.
    ///
    /// A page is asked for as soon as the one before it was taken: one waits while one is worked on.
    ///
    /// # Errors
    /// If somebody has to decide, or to put something right.
    pub async fn run(mut self, found: mpsc::Sender<Found>) -> Result<Option<DataLoss>, RunError> {
        let Settings { mut idle, mut backoff, .. } = *self.settings;
        loop {
            if let Some(head) = self.probe().await
                && found.send(Found::Head(head)).await.is_err()
            {
                return Ok(None);
            }
            // Before the page is read: none is read that has no place to wait.
            let Ok(place) = found.reserve().await else { return Ok(None) };
            let wait = match self.reader.read().await {
                Ok(Read::Page(page)) => {
                    self.trouble = None;
                    idle.reset();
                    backoff.reset();
                    place.send(Found::Page(page));
                    continue;
                }
                Ok(Read::Idle { head }) => match self.beyond(head) {
                    None => {
                        self.trouble = None;
                        backoff.reset();
                        place.send(Found::Idle);
                        idle.wait()
                    }
                    Some(last) => {
                        drop(place);
                        if self.lasts("expired", self.settings.hold_expiry) {
                            return self.lost(DataLoss::Records, RunError::Expired { after: message::position(last) });
                        }
                        backoff.wait()
                    }
                },
                Err(error) => {
                    drop(place);
                    if let Some(lost) = self.endure(error)? {
                        return Ok(Some(lost));
                    }
                    backoff.wait()
                }
            };
            sleep(wait).await;
        }
    }

    /// Where reading goes on after `last`, if the stream has more than it shows: what lies between
    /// has been seen to be answered as idleness after it expired.
    fn beyond(&self, head: Option<Position>) -> Option<Position> {
        let Start::AfterSequenceNumber(last) = self.reader.start() else { return None };
        head.or(self.head).is_some_and(|head| head > last).then_some(last)
    }

    /// What cannot be helped ends the run; all else is tried again, for a time.
    fn endure(&mut self, error: Error) -> Result<Option<DataLoss>, RunError> {
        let kind = kind_of(&error);
        self.metrics.count_kind("Failures", ("Kind", kind), 1);
        match error {
            Error::Expired(_) => {
                let after = match self.reader.start() {
                    Start::AfterSequenceNumber(last) | Start::AtSequenceNumber(last) => message::position(last),
                    Start::TrimHorizon | Start::Latest => return Err(RunError::stream(error)),
                };
                self.lost(DataLoss::Records, RunError::Expired { after })
            }
            Error::Gap { expected, got } => {
                if self.lasts(kind, self.settings.hold_gap) {
                    let gap = RunError::Gap { expected: message::position(expected), got: message::position(got) };
                    if self.policy.on_gap == OnGap::RunError {
                        return Err(gap);
                    }
                    warn!(%gap, "commits are skipped, as the policy says");
                    self.metrics.count_kind("Losses", ("Kind", kind), 1);
                    self.trouble = None;
                    self.reader.seek(Start::AtSequenceNumber(got));
                }
                Ok(None)
            }
            Error::Reset { head } => {
                if self.lasts(kind, self.settings.hold_reset) {
                    return self.lost(DataLoss::Stream, RunError::Reset { head: message::position(head) });
                }
                Ok(None)
            }
            error if error.is_transient() => {
                warn!(kind, failure = %Failure::transient("read the stream", error), "will be tried again");
                Ok(None)
            }
            error => Err(RunError::stream(error)),
        }
    }

    /// Whether there has been no page and no idleness since, and this trouble, for so long.
    fn lasts(&mut self, kind: &'static str, limit: Duration) -> bool {
        let now = Instant::now();
        let trouble = self.trouble.filter(|trouble| trouble.kind == kind).unwrap_or_else(|| {
            warn!(kind, "the stream is held");
            Outage { kind, since: now }
        });
        self.trouble = Some(trouble);
        now.duration_since(trouble.since) >= limit
    }

    fn lost(&self, lost: DataLoss, stop: RunError) -> Result<Option<DataLoss>, RunError> {
        let policy = match lost {
            DataLoss::Records => self.policy.on_expiry,
            DataLoss::Stream => self.policy.on_reset,
        };
        match policy {
            OnLoss::RunError => Err(stop),
            OnLoss::Oldest => {
                warn!(%stop, "the oldest record is next, as the policy says");
                self.metrics.count_kind("Losses", ("Kind", stop.kind()), 1);
                Ok(Some(lost))
            }
        }
    }

    /// Where the stream ends, now and then.
    async fn probe(&mut self) -> Option<Position> {
        if self.probed.elapsed() < self.settings.probe_every {
            return None;
        }
        self.probed = Instant::now();
        // What is wrong with the endpoint, the next read will say.
        self.head = self.client.head().await.ok().flatten();
        self.head
    }
}

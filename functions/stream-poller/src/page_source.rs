//! Reads the stream's pages, one ahead of the worker.

use std::time::{Duration, Instant};

use function_kit::{failure::Failure, metrics::Metrics};
use neptune_streams::{Client, Error, Page, Position, Read, Start, StreamReader};
use tokio::{sync::mpsc, time::sleep};
use tracing::warn;

use crate::{
    policy::{OnGap, OnLoss, Policy},
    run_error::{RunError, kind_of},
    settings::Settings,
    stream_identity::{self, Identity, KnownCommit},
    transaction_end::{Behind, read_at},
};

/// An event for the worker.
#[derive(Debug)]
pub enum SourceEvent {
    /// The next page.
    Page(Page),
    /// The stream has no record after the last page.
    Idle,
    /// The stream's last position.
    Head(Position),
}

/// Data was lost, and the policy says to continue with the oldest record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataLoss {
    /// Records expired before they were read.
    Records,
    /// A fast reset deleted the stream.
    Stream,
}

/// Reads a stream and sends its pages to a channel.
#[derive(Debug)]
pub struct PageSource<'a> {
    client: Client,
    reader: StreamReader,
    policy: Policy,
    settings: &'a Settings,
    metrics: &'a Metrics,
    /// The last commit that was read.
    last: Option<KnownCommit>,
    /// The last record that was read, if it is not known to end its transaction.
    unended: Option<Position>,
    /// Whether the stream may have been replaced since the last response.
    must_compare: bool,
    responded: Instant,
    outage: Option<Outage>,
    head_requested: Instant,
    head: Option<Position>,
}

/// The result of a read.
enum Step {
    Read(Read),
    /// The stream is idle within a transaction: a replica that lags behind has responded.
    Incomplete,
    /// The stream has another commit of this number than the one that was read.
    Replaced(u64),
}

/// A condition that may pass without action.
#[derive(Debug, Clone, Copy)]
struct Outage {
    kind: &'static str,
    since: Instant,
}

impl<'a> PageSource<'a> {
    /// A source that starts at `start`, behind the commit `last`.
    pub fn new(
        client: Client,
        start: Start,
        last: Option<KnownCommit>,
        policy: Policy,
        settings: &'a Settings,
        metrics: &'a Metrics,
    ) -> Self {
        let reader = StreamReader::new(client.clone(), start).with_max_limit(settings.page_limit);
        let now = Instant::now();
        Self {
            client,
            reader,
            policy,
            settings,
            metrics,
            last,
            unended: None,
            must_compare: true,
            responded: now,
            outage: None,
            head_requested: now,
            head: None,
        }
    }

    /// Reads until the receiver is closed or data is lost.
    ///
    /// It requests a page as soon as the previous one is received. One page waits while another is processed.
    ///
    /// # Errors
    /// If an operator must act.
    pub async fn run(mut self, events: mpsc::Sender<SourceEvent>) -> Result<Option<DataLoss>, RunError> {
        let Settings { mut idle, mut backoff, .. } = *self.settings;
        loop {
            if let Some(head) = self.request_head().await
                && events.send(SourceEvent::Head(head)).await.is_err()
            {
                return Ok(None);
            }
            // Before the read, so that a page is requested only if the channel has room for it.
            let Ok(permit) = events.reserve().await else { return Ok(None) };
            let delay = match self.read().await {
                Ok(Step::Replaced(commit_num)) => {
                    return self.apply_policy(DataLoss::Stream, RunError::Replaced { commit_num });
                }
                Ok(Step::Read(Read::Page(page))) => {
                    self.outage = None;
                    idle.reset();
                    backoff.reset();
                    self.last = page.records.last().and_then(KnownCommit::of);
                    self.unended = page.records.last().filter(|last| !last.is_last_op).map(|last| last.position);
                    permit.send(SourceEvent::Page(page));
                    continue;
                }
                Ok(Step::Incomplete) => {
                    drop(permit);
                    backoff.next_delay()
                }
                Ok(Step::Read(Read::Idle { head })) => match self.last_read_before(head) {
                    None => {
                        self.outage = None;
                        backoff.reset();
                        permit.send(SourceEvent::Idle);
                        idle.next_delay()
                    }
                    Some(last) => {
                        drop(permit);
                        if self.has_lasted("expired", self.settings.expiry_grace) {
                            let error = RunError::Expired { after: last };
                            return self.apply_policy(DataLoss::Records, error);
                        }
                        backoff.next_delay()
                    }
                },
                Err(error) => {
                    drop(permit);
                    if let Some(loss) = self.handle_error(error)? {
                        return Ok(Some(loss));
                    }
                    backoff.next_delay()
                }
            };
            sleep(delay).await;
        }
    }

    /// Reads the next page. Compares the stream with the last commit first, if it may have been replaced.
    async fn read(&mut self) -> Result<Step, Error> {
        self.must_compare |= self.responded.elapsed() >= self.settings.compare_after;
        if let Some(last) = self.last.filter(|_| self.must_compare)
            && stream_identity::compare(&self.client, last).await? == Identity::Replaced
        {
            return Ok(Step::Replaced(last.commit_num));
        }
        let read = self.reader.read().await;
        self.must_compare = read.is_err();
        self.responded = Instant::now();
        let read = read?;
        if let (Read::Idle { .. }, Some(last)) = (&read, self.unended) {
            if Behind::of(last, &read_at(&self.client, last).await?) == Behind::Unknown {
                return Ok(Step::Incomplete);
            }
            self.unended = None;
        }
        Ok(Step::Read(read))
    }

    /// The last position read, if the head is after it although the stream is idle. Neptune has sent such responses for
    /// expired records.
    fn last_read_before(&self, head: Option<Position>) -> Option<Position> {
        let Start::AfterSequenceNumber(last) = self.reader.start() else { return None };
        head.or(self.head).is_some_and(|head| head > last).then_some(last)
    }

    /// Returns an error that ends the run, or a loss after which the policy continues. All else is retried.
    fn handle_error(&mut self, error: Error) -> Result<Option<DataLoss>, RunError> {
        let kind = kind_of(&error);
        self.metrics.count_kind("Failures", ("Kind", kind), 1);
        match error {
            Error::Expired(_) => {
                let after = match self.reader.start() {
                    Start::AfterSequenceNumber(last) | Start::AtSequenceNumber(last) => last,
                    Start::TrimHorizon | Start::Latest => return Err(RunError::stream(error)),
                };
                self.apply_policy(DataLoss::Records, RunError::Expired { after })
            }
            Error::Gap { expected, got } => {
                if self.has_lasted(kind, self.settings.gap_grace) {
                    let gap = RunError::Gap { expected, got };
                    if self.policy.on_gap == OnGap::Fail {
                        return Err(gap);
                    }
                    warn!(%gap, "skipping commits, as configured");
                    self.metrics.count_kind("Losses", ("Kind", kind), 1);
                    self.outage = None;
                    self.reader.seek(Start::AtSequenceNumber(got));
                }
                Ok(None)
            }
            Error::Reset { head } => {
                if self.has_lasted(kind, self.settings.reset_grace) {
                    let error = RunError::Reset { head };
                    return self.apply_policy(DataLoss::Stream, error);
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

    /// Records an outage of this kind. Returns whether it has lasted for `limit` without a page or idleness.
    fn has_lasted(&mut self, kind: &'static str, limit: Duration) -> bool {
        let now = Instant::now();
        let outage = self.outage.filter(|outage| outage.kind == kind).unwrap_or_else(|| {
            warn!(kind, "reading is paused until this passes");
            Outage { kind, since: now }
        });
        self.outage = Some(outage);
        now.duration_since(outage.since) >= limit
    }

    fn apply_policy(&self, loss: DataLoss, error: RunError) -> Result<Option<DataLoss>, RunError> {
        let policy = match loss {
            DataLoss::Records => self.policy.on_expiry,
            DataLoss::Stream => self.policy.on_reset,
        };
        match policy {
            OnLoss::Fail => Err(error),
            OnLoss::Oldest => {
                warn!(%error, "continuing with the oldest record, as configured");
                self.metrics.count_kind("Losses", ("Kind", error.kind()), 1);
                Ok(Some(loss))
            }
        }
    }

    /// Requests the stream's last position once per interval.
    async fn request_head(&mut self) -> Option<Position> {
        if self.head_requested.elapsed() < self.settings.head_interval {
            return None;
        }
        self.head_requested = Instant::now();
        // An error is ignored here. The next read reports it.
        self.head = self.client.head().await.ok().flatten();
        self.head
    }
}

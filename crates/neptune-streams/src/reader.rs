use domain::graph::Position;

use crate::{
    client::{Client, Read},
    continuity::{self, Continuity},
    error::Error,
    limit::{Limit, MAX_LIMIT},
    start::Start,
};

/// Reads a stream page by page and detects missing records.
///
/// A reader sends one request at a time and advances when a page arrives. To prefetch, process a page
/// while the next [`read`](Self::read) runs (`tokio::join!`). The caller keeps the checkpoint.
#[derive(Debug, Clone)]
pub struct StreamReader {
    client: Client,
    start: Start,
    limit: Limit,
}

impl StreamReader {
    /// A reader that starts at `start`.
    pub fn new(client: Client, start: Start) -> Self {
        Self { client, start, limit: Limit::new(MAX_LIMIT) }
    }

    /// Requests at most `limit` records at a time. The maximum and default is [`MAX_LIMIT`].
    #[must_use]
    pub fn with_max_limit(mut self, limit: u32) -> Self {
        self.limit = Limit::new(limit);
        self
    }

    /// The start of the next page.
    pub fn start(&self) -> Start {
        self.start
    }

    /// The limit of the next request, in records.
    pub fn limit(&self) -> u32 {
        self.limit.get()
    }

    /// Continues from another position.
    ///
    /// To skip a permanent gap, seek to [`Start::AtSequenceNumber`] of the error's `got`.
    pub fn seek(&mut self, start: Start) {
        self.start = start;
    }

    /// Reads the next page.
    ///
    /// After a timeout it retries at once with half the limit. The limit grows back with each page.
    /// Dropping the future skips nothing.
    ///
    /// # Errors
    /// See [`enum@Error`]. The reader keeps its position: call again to retry.
    pub async fn read(&mut self) -> Result<Read, Error> {
        let read = loop {
            match self.client.read(self.start, self.limit.get()).await {
                Err(Error::TimedOut(_)) if self.limit.halve() => {}
                other => break other?,
            }
        };
        let last = match self.start {
            Start::AfterSequenceNumber(last) => Some(last),
            Start::AtSequenceNumber(_) | Start::TrimHorizon | Start::Latest => None,
        };
        let read = check(last, read)?;
        if let Read::Page(page) = &read {
            self.limit.grow();
            if let Some(position) = page.last_position() {
                self.start = Start::AfterSequenceNumber(position);
            }
        }
        Ok(read)
    }
}

/// Returns the part of `read` that follows `last`, the last record returned before.
///
/// A page with a gap is cut before the gap, so that a caller that skips the gap loses no valid records.
/// The next page then starts with the gap.
fn check(last: Option<Position>, mut read: Read) -> Result<Read, Error> {
    let continuity = match (&read, last) {
        (Read::Page(page), _) => continuity::of_page(last, page),
        (Read::Idle { head: Some(head) }, Some(last)) => continuity::of_head(last, *head),
        (Read::Idle { .. }, _) => Continuity::Continuous,
    };
    match continuity {
        Continuity::Continuous => Ok(read),
        Continuity::Gap { expected, got } => {
            if let Read::Page(page) = &mut read {
                let before = page.records.iter().take_while(|record| record.position != got).count();
                page.records.truncate(before);
                if let Some(last) = page.records.last() {
                    page.last_event_id = Some(last.position);
                    page.last_transaction_timestamp = Some(last.commit_timestamp);
                    return Ok(read);
                }
            }
            Err(Error::Gap { expected, got })
        }
        Continuity::Reset { head } => Err(Error::Reset { head }),
    }
}

use crate::{
    client::{Client, MAX_LIMIT, Read},
    continuity::{self, Continuity},
    error::Error,
    limit::Limit,
    position::{Position, Start},
};

/// Reads a stream page by page, and sees to it that nothing is missing in between.
///
/// A reader has one request under way at a time, and moves on when a page has arrived, not when it
/// was dealt with: to read ahead, deal with a page while the next [`read`](Self::read) runs
/// (`tokio::join!`). The position up to which all is done is for the caller to keep.
#[derive(Debug, Clone)]
pub struct StreamReader {
    client: Client,
    start: Start,
    limit: Limit,
}

impl StreamReader {
    /// A reader that begins at `start`.
    pub fn new(client: Client, start: Start) -> Self {
        Self { client, start, limit: Limit::new(MAX_LIMIT) }
    }

    /// Asks for at most `limit` records at a time, of the [`MAX_LIMIT`] that Neptune allows.
    #[must_use]
    pub fn with_max_limit(mut self, limit: u32) -> Self {
        self.limit = Limit::new(limit);
        self
    }

    /// Where the next page is read.
    pub fn start(&self) -> Start {
        self.start
    }

    /// How many records the next request asks for.
    pub fn limit(&self) -> u32 {
        self.limit.get()
    }

    /// Reads on from elsewhere.
    ///
    /// To pass a gap that lasts, once that is decided, go to
    /// [`Start::AtSequenceNumber`] of the position that the error says it got.
    pub fn seek(&mut self, start: Start) {
        self.start = start;
    }

    /// The next page, or that there is none yet.
    ///
    /// A page that takes too long is asked for again at once with half the limit; the limit grows
    /// back from page to page. The future may be dropped at any time, nothing is skipped then.
    ///
    /// # Errors
    /// See [`enum@Error`]. The reader stays where it is: to try again is to call again.
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

/// What was read, as far as it follows `last`, the last record that the reader has handed out.
///
/// A page with a gap is handed out up to the gap: it says nothing against the records before it, and
/// who leaps over the gap must not lose them. The next page then begins with the gap.
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

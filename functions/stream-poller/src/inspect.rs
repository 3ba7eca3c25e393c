//! What an operator asks before anything is done: where the stream stands, and what a replay would publish.

use std::time::{Duration, Instant};

use domain::graph::Position;
use jiff::Timestamp;
use neptune_streams::{Client, Page, Part, Read, Start, StreamReader, TransactionAssembler};
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    message,
    poller::Outcome,
    settings::Settings,
    stop::{RunError, RunOutcome, kind_of},
    worker::Done,
};

/// Where the stream stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamStatus {
    /// Its last record, if Neptune says so.
    pub head: Option<Position>,
    /// The oldest record that it still has; `None` if it has none.
    pub oldest: Option<Mark>,
    /// The first record after the position that was asked about; `None` if there is none.
    pub next: Option<Mark>,
    /// Why that one cannot be read, as it stands in metrics: `expired` means that it is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<&'static str>,
    /// For how long the stream keeps records.
    pub retention_seconds: u64,
}

/// A record of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// Where.
    pub position: Position,
    /// Of which time, by the clock of Neptune.
    pub committed_at: Timestamp,
}

/// Where the stream stands, seen from `after`: up to there, all is published.
///
/// # Errors
/// If the stream cannot be read at all.
pub async fn stream_status(
    stream: &Client,
    after: Option<Position>,
    retention: Duration,
) -> Result<StreamStatus, neptune_streams::Error> {
    let oldest = first(&stream.read(Start::TrimHorizon, 1).await?);
    let next = match after {
        None => Ok(oldest),
        Some(after) => {
            let start = Start::AfterSequenceNumber(message::stream_position(after));
            stream.read(start, 1).await.map(|read| first(&read))
        }
    };
    let (next, unreadable) = match next {
        Ok(next) => (next, None),
        Err(error) => (None, Some(kind_of(&error))),
    };
    let head = stream.head().await?.map(message::position);
    Ok(StreamStatus { head, oldest, next, unreadable, retention_seconds: retention.as_secs() })
}

fn first(read: &Read) -> Option<Mark> {
    let Read::Page(Page { records, .. }) = read else { return None };
    let record = records.first()?;
    let committed_at = Timestamp::from_millisecond(record.commit_timestamp).ok()?;
    Some(Mark { position: message::position(record.position), committed_at })
}

/// Counts what a replay of the commits from `from` to `to` would publish, and publishes nothing.
///
/// # Errors
/// As for a replay.
pub async fn count(
    stream: &Client,
    from: Position,
    to: Position,
    time: Duration,
    settings: &Settings,
) -> Result<Outcome, RunError> {
    let deadline = Instant::now() + time.saturating_sub(settings.margin);
    let start = Start::AtSequenceNumber(neptune_streams::Position::new(from.commit_num, 1));
    let mut reader = StreamReader::new(stream.clone(), start).with_max_limit(settings.page_limit);
    let mut assembler = TransactionAssembler::new(settings.bounds);
    let mut backoff = settings.backoff;
    let mut done = Done::default();
    let add = |done: &mut Done, part: Part| {
        done.position = part.records.last().map(|record| message::position(record.position)).or(done.position);
        done.changes += message::changes(part.records).len() as u64;
    };
    loop {
        if Instant::now() >= deadline {
            return Ok(Outcome { ending: RunOutcome::Deadline, done });
        }
        match reader.read().await {
            Ok(Read::Page(page)) => {
                backoff.reset();
                assembler.push(page);
                while let Some(part) = assembler.next_part() {
                    if part.commit_num > to.commit_num {
                        return Ok(Outcome { ending: RunOutcome::Replayed, done });
                    }
                    add(&mut done, part);
                }
            }
            Ok(Read::Idle { .. }) => {
                if let Some(part) = assembler.idle().filter(|part| part.commit_num <= to.commit_num) {
                    add(&mut done, part);
                }
                return Ok(Outcome { ending: RunOutcome::Drained, done });
            }
            Err(neptune_streams::Error::Expired(_)) => return Err(RunError::Expired { after: from }),
            Err(error) if error.is_transient() => sleep(backoff.wait()).await,
            Err(error) => return Err(RunError::stream(error)),
        }
    }
}

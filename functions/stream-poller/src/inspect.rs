//! Read-only requests of an operator: the status of the stream, and what a replay would publish.

use std::time::{Duration, Instant};

use domain::graph::Position;
use jiff::Timestamp;
use neptune_streams::{Client, Page, Part, Read, Start, StreamReader, TransactionAssembler};
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    message,
    run_error::{RunError, kind_of},
    run_outcome::{Published, RunOutcome, RunReport},
    settings::Settings,
};

/// The status of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamStatus {
    /// The last position, if Neptune names it.
    pub head: Option<Position>,
    /// The oldest record; `None` if the stream is empty.
    pub oldest: Option<RecordInfo>,
    /// The first record after the position in the request; `None` if there is none.
    pub next: Option<RecordInfo>,
    /// The reason that `next` cannot be read: the kind as in metrics. `expired` means that it is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<&'static str>,
    /// The time for which the stream keeps records.
    pub retention_seconds: u64,
}

/// The position and time of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordInfo {
    /// The position.
    pub position: Position,
    /// The commit time, by Neptune's clock.
    pub committed_at: Timestamp,
}

/// Returns the status of the stream. `after` is the checkpoint.
///
/// # Errors
/// If the stream cannot be read.
pub async fn stream_status(
    stream: &Client,
    after: Option<Position>,
    retention: Duration,
) -> Result<StreamStatus, neptune_streams::Error> {
    let oldest = first(&stream.read(Start::TrimHorizon, 1).await?);
    let next = match after {
        None => Ok(oldest),
        Some(after) => {
            let start = Start::AfterSequenceNumber(after);
            stream.read(start, 1).await.map(|read| first(&read))
        }
    };
    let (next, unreadable) = match next {
        Ok(next) => (next, None),
        Err(error) => (None, Some(kind_of(&error))),
    };
    let head = stream.head().await?;
    Ok(StreamStatus { head, oldest, next, unreadable, retention_seconds: retention.as_secs() })
}

fn first(read: &Read) -> Option<RecordInfo> {
    let Read::Page(Page { records, .. }) = read else { return None };
    let record = records.first()?;
    let committed_at = Timestamp::from_millisecond(record.commit_timestamp).ok()?;
    Some(RecordInfo { position: record.position, committed_at })
}

/// Counts what a replay of the commits from `from` to `to` would publish.
///
/// # Errors
/// As for a replay.
pub async fn count(
    stream: &Client,
    from: Position,
    to: Position,
    time: Duration,
    settings: &Settings,
) -> Result<RunReport, RunError> {
    let deadline = Instant::now() + time.saturating_sub(settings.margin);
    let start = Start::AtSequenceNumber(neptune_streams::Position::new(from.commit_num, 1));
    let mut reader = StreamReader::new(stream.clone(), start).with_max_limit(settings.page_limit);
    let mut assembler = TransactionAssembler::new(settings.bounds);
    let mut backoff = settings.backoff;
    let mut published = Published::default();
    let add = |published: &mut Published, part: Part| {
        published.position = part.records.last().map(|record| record.position).or(published.position);
        published.changes += message::changes(part.records).len() as u64;
    };
    loop {
        if Instant::now() >= deadline {
            return Ok(RunReport { outcome: RunOutcome::Deadline, published });
        }
        match reader.read().await {
            Ok(Read::Page(page)) => {
                backoff.reset();
                assembler.push(page);
                while let Some(part) = assembler.next_part() {
                    if part.commit_num > to.commit_num {
                        return Ok(RunReport { outcome: RunOutcome::Replayed, published });
                    }
                    add(&mut published, part);
                }
            }
            Ok(Read::Idle { .. }) => {
                if let Some(part) = assembler.idle().filter(|part| part.commit_num <= to.commit_num) {
                    add(&mut published, part);
                }
                return Ok(RunReport { outcome: RunOutcome::Drained, published });
            }
            Err(neptune_streams::Error::Expired(_)) => return Err(RunError::Expired { after: from }),
            Err(error) if error.is_transient() => sleep(backoff.next_delay()).await,
            Err(error) => return Err(RunError::stream(error)),
        }
    }
}

//! Reads ahead to the end of a transaction that is published in parts, see [`LaterRecords`]. Only a transaction that
//! exceeds the bounds is read twice.

use domain::graph::LaterRecords;
use function_kit::failure::Failure;
use neptune_streams::{Client, Error, Position, Read, Start, StreamReader};
use tokio::time::sleep;
use tracing::warn;

use crate::{
    message,
    run_error::{RunError, kind_of},
    settings::Settings,
};

/// The records behind `after` that belong to the same transaction.
///
/// # Errors
/// If the stream fails permanently. Other failures are retried without end: the caller has a deadline.
pub async fn later_records(stream: &Client, after: Position, settings: &Settings) -> Result<LaterRecords, RunError> {
    let mut reader =
        StreamReader::new(stream.clone(), Start::AfterSequenceNumber(after)).with_max_limit(settings.page_limit);
    let (mut later, mut backoff) = (LaterRecords::default(), settings.backoff);
    loop {
        match reader.read().await {
            Ok(Read::Page(page)) => {
                backoff.reset();
                for record in page.records {
                    if record.position.commit_num != after.commit_num {
                        return Ok(later);
                    }
                    let is_last_op = record.is_last_op;
                    let kind = message::record_kind(record.data.kind);
                    if kind.is_some_and(|kind| LaterRecords::matters(kind, &record.data.key))
                        && let Some(record) = message::record(record)
                    {
                        later.add(&record);
                    }
                    if is_last_op {
                        return Ok(later);
                    }
                }
            }
            // Neptune shows transactions atomically, so this one ends before.
            Ok(Read::Idle { .. }) | Err(Error::Gap { .. }) => return Ok(later),
            Err(Error::Expired(_)) => return Err(RunError::Expired { after: message::position(after) }),
            Err(error) if error.is_transient() => {
                let kind = kind_of(&error);
                warn!(kind, failure = %Failure::transient("read ahead", error), "will be tried again");
                sleep(backoff.next_delay()).await;
            }
            Err(error) => return Err(RunError::stream(error)),
        }
    }
}

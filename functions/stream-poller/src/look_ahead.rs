//! Reads ahead to the end of a transaction that is published in parts, see [`LaterRecords`]. Only a transaction that
//! exceeds the bounds is read twice.
//!
//! Two reads may reach two replicas, one of which lags behind. So the end is the marked record; or else the last record of
//! a response that has the record before it, too: Neptune shows transactions atomically.

use domain::graph::LaterRecords;
use function_kit::failure::Failure;
use neptune_streams::{Client, Error, Position, Read, Record, Start, StreamReader};
use tokio::time::sleep;
use tracing::warn;

use crate::{
    message,
    run_error::{RunError, kind_of},
    settings::Settings,
    transaction_end::{Behind, read_at},
};

/// The records behind `after` that belong to the same transaction. The stream must have at least one.
///
/// `has_marks`: whether the stream marks the ends of transactions.
///
/// # Errors
/// If the stream fails permanently. Other failures, and responses without these records, are retried without end: the
/// caller has a deadline.
pub async fn later_records(
    stream: &Client,
    after: Position,
    has_marks: bool,
    settings: &Settings,
) -> Result<LaterRecords, RunError> {
    let reader =
        StreamReader::new(stream.clone(), Start::AfterSequenceNumber(after)).with_max_limit(settings.page_limit);
    read_to_end(&mut Replicas { stream, reader }, Tail::new(after, has_marks), settings).await
}

/// The reads of the stream.
trait Reads {
    /// The records after `position`.
    async fn after(&mut self, position: Position) -> Result<Read, Error>;
    /// The record at `position` and at least the next one.
    async fn at(&mut self, position: Position) -> Result<Read, Error>;
}

struct Replicas<'a> {
    stream: &'a Client,
    reader: StreamReader,
}

impl Reads for Replicas<'_> {
    async fn after(&mut self, position: Position) -> Result<Read, Error> {
        self.reader.seek(Start::AfterSequenceNumber(position));
        self.reader.read().await
    }

    async fn at(&mut self, position: Position) -> Result<Read, Error> {
        read_at(self.stream, position).await
    }
}

async fn read_to_end(reads: &mut impl Reads, mut tail: Tail, settings: &Settings) -> Result<LaterRecords, RunError> {
    let mut backoff = settings.backoff;
    loop {
        match step(reads, &mut tail).await {
            Ok(Step::End) => return Ok(tail.later),
            Ok(Step::Progress) => {
                backoff.reset();
                continue;
            }
            Ok(Step::Missing) => {
                warn!(after = %tail.last, "the rest of the transaction is missing, will be read again")
            }
            Err(Error::Expired(_)) => return Err(RunError::Expired { after: tail.last }),
            Err(error) if error.is_transient() => {
                let kind = kind_of(&error);
                warn!(kind, failure = %Failure::transient("read ahead", error), "will be tried again");
            }
            Err(error) => return Err(RunError::stream(error)),
        }
        sleep(backoff.next_delay()).await;
    }
}

/// The result of one step.
enum Step {
    /// The transaction ends with the last record read.
    End,
    Progress,
    /// The replica may lack records.
    Missing,
}

async fn step(reads: &mut impl Reads, tail: &mut Tail) -> Result<Step, Error> {
    match reads.after(tail.last).await {
        Ok(Read::Page(page)) => match tail.add(page.records) {
            Step::Missing => {}
            step => return Ok(step),
        },
        Ok(Read::Idle { .. }) | Err(Error::Gap { .. }) => {}
        Err(error) => return Err(error),
    }
    let is_end = tail.has_records && tail.ends(&reads.at(tail.last).await?);
    Ok(if is_end { Step::End } else { Step::Missing })
}

/// The rest of a transaction, as far as it was read.
struct Tail {
    last: Position,
    later: LaterRecords,
    has_marks: bool,
    /// Whether a record was read. A part that does not end its transaction is followed by one.
    has_records: bool,
}

impl Tail {
    fn new(after: Position, has_marks: bool) -> Self {
        Self { last: after, later: LaterRecords::default(), has_marks, has_records: false }
    }

    /// Adds the records after the last one. [`Step::Missing`]: other transactions follow instead, but the replica may lack
    /// records of this one.
    fn add(&mut self, records: Vec<Record>) -> Step {
        for record in records {
            if record.position.commit_num != self.last.commit_num {
                return Step::Missing;
            }
            (self.last, self.has_records) = (record.position, true);
            let is_last_op = record.is_last_op;
            let kind = message::record_kind(record.data.kind);
            if kind.is_some_and(|kind| LaterRecords::matters(kind, &record.data.key))
                && let Some(record) = message::record(record)
            {
                self.later.add(&record);
            }
            if is_last_op {
                return Step::End;
            }
        }
        Step::Progress
    }

    /// Whether the transaction ends with the last record, by what a replica has from that record on.
    fn ends(&self, found: &Read) -> bool {
        match Behind::of(self.last, found) {
            Behind::AnotherTransaction => true,
            // Without marks, nothing else shows the end of the newest transaction.
            Behind::Nothing => !self.has_marks,
            Behind::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::graph::{Change, Op, Value};
    use neptune_streams::{Data, Kind, Page};
    use proptest::prelude::*;

    use super::*;
    use crate::retry_delay::Backoff;

    const COMMIT: u64 = 7;

    /// What one replica shows when it is read.
    #[derive(Debug, Clone, Copy)]
    enum Replica {
        Current,
        /// It has no record of the transaction yet.
        Lagging,
        /// It lacks the transaction, but has the next one.
        Hole,
        Throttled,
    }

    /// A stream that ends with the transaction, or has another one behind it.
    #[derive(Debug)]
    struct Stream {
        records: Vec<Record>,
        limit: usize,
        /// The replicas of the next reads. Later ones are current.
        replicas: Vec<Replica>,
        reads: usize,
    }

    impl Stream {
        fn read(&mut self, from: Position, limit: usize) -> Result<Read, Error> {
            self.reads += 1;
            assert!(self.reads < 1_000, "no end");
            let replica = self.replicas.pop().unwrap_or(Replica::Current);
            let is_shown = |record: &&Record| match replica {
                Replica::Current => true,
                Replica::Lagging | Replica::Throttled => record.position.commit_num < COMMIT,
                Replica::Hole => record.position.commit_num != COMMIT,
            };
            if matches!(replica, Replica::Throttled) {
                return Err(Error::Transport("throttled".into()));
            }
            let records = self.records.iter().filter(is_shown).filter(|record| record.position >= from);
            let records: Vec<_> = records.take(limit).cloned().collect();
            Ok(match records.is_empty() {
                // The message of the response does not name the head.
                true => Read::Idle { head: None },
                false => Read::Page(Page { records, last_event_id: None, last_transaction_timestamp: None }),
            })
        }
    }

    impl Reads for Stream {
        async fn after(&mut self, position: Position) -> Result<Read, Error> {
            self.read(Position::new(position.commit_num, position.op_num + 1), self.limit)
        }

        async fn at(&mut self, position: Position) -> Result<Read, Error> {
            self.read(position, 2)
        }
    }

    fn record(commit_num: u64, op_num: u64, is_last_op: bool) -> Record {
        let data = Data {
            id: format!("s{op_num}"),
            kind: Kind::VertexProperty,
            key: "visibility".to_owned(),
            value: Value::String("private".to_owned()),
            from: None,
            to: None,
        };
        let position = Position::new(commit_num, op_num);
        Record { position, commit_timestamp: 5, op: Op::Add, data, is_last_op }
    }

    /// The vertices whose visibility `later` decides, of those that a part shows.
    fn decided(later: &LaterRecords, records: u64, end: Position) -> Vec<String> {
        let mut changes: Vec<Change> =
            (1..=records).flat_map(|number| message::changes(vec![record(COMMIT, number, false)])).collect();
        later.mark_partial(&mut changes, end);
        changes.into_iter().filter(|change| change.is_partial).map(|change| change.entity_id).collect()
    }

    proptest! {
        /// With lagging replicas anywhere, every record to the end of the transaction is read.
        #[test]
        fn end_is_found_on_any_replicas(
            (total, after) in (2_u64..9).prop_flat_map(|total| (Just(total), 1..total)),
            limit in 1_usize..5,
            marks in any::<bool>(),
            has_seen_marks in any::<bool>(),
            has_next in any::<bool>(),
            replicas in prop::collection::vec(prop::sample::select(
                &[Replica::Current, Replica::Current, Replica::Lagging, Replica::Hole, Replica::Throttled][..],
            ), 0..12),
        ) {
            let mut records: Vec<_> = (1..=total).map(|number| record(COMMIT, number, marks && number == total)).collect();
            records.extend(has_next.then(|| record(COMMIT + 1, 1, marks)));
            let settings = Settings {
                backoff: Backoff::new(Duration::from_micros(1), Duration::from_micros(1), 1.0),
                ..Settings::default()
            };
            let after = Position::new(COMMIT, after);
            let mut stream = Stream { records, limit, replicas, reads: 0 };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
            let tail = Tail::new(after, marks && has_seen_marks);
            let later = runtime.block_on(read_to_end(&mut stream, tail, &settings)).expect("the records");
            let expected: Vec<_> = (after.op_num + 1..=total).map(|number| format!("s{number}")).collect();
            prop_assert_eq!(decided(&later, total, after), expected);
        }
    }
}

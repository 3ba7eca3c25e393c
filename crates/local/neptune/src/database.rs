use std::{borrow::Cow, time::Duration};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::{
    commit::Commit,
    commit_error::InvalidCommit,
    faults::{ExpiredStatus, Failure, Faults},
    graph::Graph,
    journal::{Entry, Journal},
    options::Options,
    record::{EventId, Record},
    stream::{Log, MAX_COMMIT_NUM, NoRecords, RecordFormat, Request, Start},
};

/// The graph, its stream, the injected faults, and the journal. The current time is a parameter, in milliseconds since
/// 1970.
#[derive(Debug)]
pub struct Database {
    graph: Graph,
    log: Log,
    /// The injected faults.
    pub faults: Faults,
    journal: Option<Journal>,
    retention: Duration,
    expired_as: ExpiredStatus,
}

/// The result of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Committed {
    /// Commit number. `None` if the commit changed nothing or is not in the stream.
    pub commit_num: Option<u64>,
    /// Commit time in milliseconds since 1970.
    pub commit_timestamp: i64,
    /// Number of records in the stream.
    pub records: u64,
}

/// Why a commit failed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A write is invalid.
    #[error(transparent)]
    Invalid(#[from] InvalidCommit),
    /// The journal could not be written.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

/// The bounds of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StreamBounds {
    /// The last record ever written; before the first commit, operation 0 of the commit before it.
    pub head: EventId,
    /// The oldest unexpired record.
    pub oldest: Option<EventId>,
}

/// A response to a reader.
#[derive(Debug)]
pub struct ReadResponse {
    /// The page, serialized.
    pub page: Result<Vec<u8>, ReadError>,
    /// Injected delay before the response is sent.
    pub delay: Duration,
}

/// Why a read returns no page.
#[derive(Debug)]
pub enum ReadError {
    /// No record exists at or after the position. Carries the last visible record.
    Idle(EventId),
    /// No record exists at or after the position, and the message does not name the last one.
    NotFound,
    /// The records at the position have expired.
    Expired,
    /// An injected fault.
    Injected(Failure),
    /// The emulator itself failed.
    Internal(anyhow::Error),
}

impl Database {
    /// Opens the database, and replays the journal if `options` name one.
    pub fn open(options: &Options) -> Result<Self> {
        ensure!(
            (1..=MAX_COMMIT_NUM).contains(&options.first_commit_num),
            "the number of the first commit must be between 1 and {MAX_COMMIT_NUM}"
        );
        let format = RecordFormat { marks_last_op: options.marks_last_op, values_as_text: options.values_as_text };
        let mut database = Self {
            graph: Graph::default(),
            log: Log::new(format, options.first_commit_num),
            faults: Faults::default(),
            journal: None,
            retention: options.retention,
            expired_as: options.expired_as,
        };
        if let Some(path) = &options.state {
            database.journal = Some(Journal::open(path, |entry| database.replay(entry))?);
        }
        Ok(database)
    }

    /// Applies all writes of a commit, or none.
    pub fn commit(&mut self, commit: &Commit, now: i64) -> Result<Committed, CommitError> {
        let commit_timestamp = commit.commit_timestamp.unwrap_or(now);
        let records = self.graph.apply(commit)?;
        if commit.unstreamed && !records.is_empty() {
            if let Err(error) = self.append_to_journal(&Entry::Unstreamed { writes: Cow::Borrowed(&commit.writes) }) {
                self.graph.undo(&records);
                return Err(error.into());
            }
            return Ok(Committed { commit_num: None, commit_timestamp, records: 0 });
        }
        if records.is_empty() {
            return Ok(Committed { commit_num: None, commit_timestamp, records: 0 });
        }
        let commit_num = self.log.head().commit_num + 1;
        if let Err(error) = self.persist(commit, commit_num, commit_timestamp, &records) {
            self.graph.undo(&records);
            return Err(error.into());
        }
        Ok(Committed { commit_num: Some(commit_num), commit_timestamp, records: records.len() as u64 })
    }

    /// Serves a read of the stream.
    pub fn read(&mut self, request: &Request, now: i64) -> ReadResponse {
        let delay = self.faults.take_delay();
        if let Some(failure) = self.faults.take_error() {
            return ReadResponse { page: Err(ReadError::Injected(failure)), delay };
        }
        if let Err(error) = self.expire(now) {
            return ReadResponse { page: Err(ReadError::Internal(error)), delay };
        }
        let view = self.faults.view();
        let page = self.log.read(request, &view);
        let has_position = matches!(request.start, Start::At(_) | Start::After(_));
        if page.is_ok()
            && has_position
            && let Some(status) = self.faults.take_expired()
        {
            return ReadResponse { page: Err(self.expired(status)), delay };
        }
        self.faults.count(&view, page.as_ref().ok());
        let page = page.map(|page| page.json).map_err(|error| match error {
            NoRecords::Idle(head) => ReadError::Idle(head),
            NoRecords::Expired => self.expired(self.expired_as),
        });
        ReadResponse { page, delay }
    }

    fn expired(&self, status: ExpiredStatus) -> ReadError {
        match status {
            ExpiredStatus::Expired => ReadError::Expired,
            ExpiredStatus::NotFound => ReadError::Idle(self.log.head()),
            ExpiredStatus::NotFoundWithoutHead => ReadError::NotFound,
        }
    }

    /// Expires all commits up to and including the number `through`.
    pub fn trim(&mut self, through: u64) -> Result<()> {
        self.append_to_journal(&Entry::Trim { through })?;
        self.log.trim(through);
        Ok(())
    }

    /// A fast reset: deletes the graph and the stream. Commit numbers restart.
    pub fn reset(&mut self) -> Result<()> {
        self.append_to_journal(&Entry::Reset {})?;
        self.graph = Graph::default();
        self.log.reset();
        Ok(())
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The bounds of the stream.
    pub fn bounds(&mut self, now: i64) -> Result<StreamBounds> {
        self.expire(now)?;
        Ok(StreamBounds { head: self.log.head(), oldest: self.log.oldest() })
    }

    fn expire(&mut self, now: i64) -> Result<()> {
        let retention = i64::try_from(self.retention.as_millis()).unwrap_or(i64::MAX);
        match self.log.expired_through(now.saturating_sub(retention)) {
            Some(through) => self.trim(through),
            None => Ok(()),
        }
    }

    fn persist(&mut self, commit: &Commit, commit_num: u64, timestamp: i64, records: &[Record]) -> Result<()> {
        ensure!(commit_num <= MAX_COMMIT_NUM, "the commit numbers are exhausted");
        let stored = self.log.write(commit_num, timestamp, records)?;
        self.append_to_journal(&Entry::Commit { commit_num, timestamp, writes: Cow::Borrowed(&commit.writes) })?;
        self.log.append(stored);
        Ok(())
    }

    fn append_to_journal(&mut self, entry: &Entry<'_>) -> Result<()> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.append(entry))
    }

    fn replay(&mut self, entry: Entry<'_>) -> Result<()> {
        match entry {
            Entry::Commit { commit_num, timestamp, writes } => {
                let head = self.log.head();
                // The numbers in the journal win over `first_commit_num`.
                let is_next = head.op_num == 0 || commit_num > head.commit_num;
                ensure!(is_next, "commit {commit_num} follows commit {} in the journal", head.commit_num);
                let records = self.graph.apply(&Commit { writes: writes.into_owned(), ..Commit::new() })?;
                self.log.append(self.log.write(commit_num, timestamp, &records)?);
            }
            Entry::Unstreamed { writes } => {
                self.graph.apply(&Commit { writes: writes.into_owned(), ..Commit::new() })?;
            }
            Entry::Trim { through } => self.log.trim(through),
            Entry::Reset {} => {
                self.graph = Graph::default();
                self.log.reset();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use crate::faults::{Fault, FaultRequest};

    use tempfile::NamedTempFile;

    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn at(commit_num: u64) -> Request {
        Request { start: Start::At(EventId { commit_num, op_num: 1 }), limit: 100 }
    }

    /// The number of records from this commit on.
    fn count(database: &mut Database, commit_num: u64, now: i64) -> Result<u64, ReadError> {
        let page = database.read(&at(commit_num), now).page?;
        let json: serde_json::Value = serde_json::from_slice(&page).unwrap();
        Ok(json["totalRecords"].as_u64().unwrap())
    }

    fn add(database: &mut Database, id: &str, now: i64) -> Option<u64> {
        database.commit(&Commit::new().add_vertex(id, ["person"]), now).unwrap().commit_num
    }

    fn open(state: &NamedTempFile) -> Database {
        Database::open(&Options { state: Some(state.path().into()), ..Options::default() }).unwrap()
    }

    #[test]
    fn commit_without_changes_gets_no_number() {
        let mut database = Database::open(&Options::default()).unwrap();
        assert_eq!(add(&mut database, "p1", 5), Some(1));
        let nothing = database.commit(&Commit::new().add_label("p1", "person"), 6).unwrap();
        assert_eq!(nothing, Committed { commit_num: None, commit_timestamp: 6, records: 0 });
        assert!(database.commit(&Commit::new().remove_vertex("p2"), 7).is_err());
        assert_eq!(add(&mut database, "p2", 8), Some(2));
    }

    #[test]
    fn reopened_database_has_the_same_graph_and_stream() {
        let file = NamedTempFile::new().unwrap();
        let mut database = open(&file);
        add(&mut database, "ghost", 0);
        database.reset().unwrap();
        for id in ["p1", "p2", "p3"] {
            add(&mut database, id, 1);
        }
        database.commit(&Commit::new().remove_vertex("p2").set("p1", "name", "미나"), 2).unwrap();
        let unstreamed = database.commit(&Commit::new().unstreamed().add_vertex("old", ["person"]), 2).unwrap();
        assert_eq!(unstreamed.commit_num, None);
        database.trim(2).unwrap();
        let page = database.read(&at(3), 3).page.unwrap();
        let graph = database.graph().clone();
        drop(database);

        let mut database = open(&file);
        assert_eq!(*database.graph(), graph);
        assert_eq!(database.read(&at(3), 3).page.unwrap(), page, "the same bytes");
        assert!(matches!(database.read(&at(1), 3).page, Err(ReadError::Expired)));
        assert_eq!(add(&mut database, "p5", 4), Some(5));
    }

    #[test]
    fn journal_takes_precedence_over_the_first_commit_number() {
        let file = NamedTempFile::new().unwrap();
        add(&mut open(&file), "p1", 1);
        let options = Options { state: Some(file.path().into()), first_commit_num: 1000, ..Options::default() };
        let mut database = Database::open(&options).unwrap();
        assert_eq!(add(&mut database, "p2", 2), Some(2));
        database.reset().unwrap();
        assert_eq!(add(&mut database, "p2", 2), Some(1000));
    }

    #[test]
    fn expired_commit_stays_expired_after_a_restart() {
        let file = NamedTempFile::new().unwrap();
        let mut database = open(&file);
        add(&mut database, "p1", 0);
        add(&mut database, "p2", DAY);
        assert_eq!(count(&mut database, 1, 7 * DAY).unwrap(), 2);
        assert!(matches!(count(&mut database, 1, 7 * DAY + 1), Err(ReadError::Expired)));
        drop(database);
        let mut database = open(&file);
        assert!(matches!(count(&mut database, 1, 0), Err(ReadError::Expired)));
        assert_eq!(count(&mut database, 2, 0).unwrap(), 1);
        assert_eq!(database.graph().vertices().len(), 2, "the graph does not expire");
    }

    #[test]
    fn expired_record_is_reported_as_missing_if_configured() {
        let options = Options { expired_as: ExpiredStatus::NotFound, ..Options::default() };
        let mut database = Database::open(&options).unwrap();
        add(&mut database, "p1", 0);
        add(&mut database, "p2", 0);
        database.trim(1).unwrap();
        let head = EventId { commit_num: 2, op_num: 1 };
        assert!(matches!(database.read(&at(1), 0).page, Err(ReadError::Idle(shown)) if shown == head));
    }

    #[test]
    fn injected_expiry_affects_positions_with_records_only() {
        let mut database = Database::open(&Options::default()).unwrap();
        add(&mut database, "p1", 0);
        for status in [ExpiredStatus::Expired, ExpiredStatus::NotFound] {
            database.faults.inject(FaultRequest { fault: Fault::Expired { status }, times: NonZeroU32::new(1) });
        }
        assert!(matches!(count(&mut database, 2, 0), Err(ReadError::Idle(_))), "no record at the position");
        let horizon = Request { start: Start::TrimHorizon, limit: 1 };
        assert!(database.read(&horizon, 0).page.is_ok(), "the horizon never expires");
        assert!(matches!(count(&mut database, 1, 0), Err(ReadError::Expired)));
        assert!(matches!(count(&mut database, 1, 0), Err(ReadError::Idle(_))));
        assert_eq!(count(&mut database, 1, 0).unwrap(), 1);
    }

    #[test]
    fn gap_closes_when_its_count_is_exhausted() {
        let mut database = Database::open(&Options::default()).unwrap();
        for id in ["p1", "p2", "p3"] {
            add(&mut database, id, 0);
        }
        database.faults.inject(FaultRequest { fault: Fault::Gap { commit_num: 2 }, times: NonZeroU32::new(2) });
        assert_eq!(count(&mut database, 3, 0).unwrap(), 1, "the page does not include the gap");
        let counts: Vec<_> = (0..3).map(|_| count(&mut database, 1, 0).unwrap()).collect();
        assert_eq!(counts, [2, 2, 3]);
    }

    #[test]
    fn commit_beyond_the_last_number_fails() {
        let options = Options { first_commit_num: MAX_COMMIT_NUM, ..Options::default() };
        let mut database = Database::open(&options).unwrap();
        assert_eq!(add(&mut database, "p1", 0), Some(MAX_COMMIT_NUM));
        let before = database.graph().clone();
        assert!(database.commit(&Commit::new().add_vertex("p2", ["x"]), 0).is_err());
        assert_eq!(*database.graph(), before);
        for first_commit_num in [0, MAX_COMMIT_NUM + 1] {
            assert!(Database::open(&Options { first_commit_num, ..Options::default() }).is_err());
        }
    }
}

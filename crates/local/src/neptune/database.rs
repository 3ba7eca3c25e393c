use std::{borrow::Cow, time::Duration};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::{
    commit::Commit,
    faults::{ExpiredStatus, Failure, Faults},
    graph::Graph,
    invalid::InvalidCommit,
    journal::{Entry, Journal},
    log::{Log, MAX_COMMIT_NUM, NoPage, Request, Start, Style},
    options::Options,
    record::{EventId, Record},
};

/// The graph, its stream, its faults, and where they are kept. It has no clock: `now` is told, in
/// milliseconds since 1970.
#[derive(Debug)]
pub struct Database {
    graph: Graph,
    log: Log,
    /// What is to go wrong.
    pub faults: Faults,
    journal: Option<Journal>,
    retention: Duration,
    expired_as: ExpiredStatus,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Committed {
    /// Its number; none if it changed nothing, or is not in the stream.
    pub commit_num: Option<u64>,
    /// When it was requested.
    pub commit_timestamp: i64,
    /// How many records it wrote.
    pub records: u64,
}

/// Why a commit was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotCommitted {
    /// It cannot be done.
    #[error(transparent)]
    Invalid(#[from] InvalidCommit),
    /// It could not be kept.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

/// The ends of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EdgeEndpoints {
    /// The last record ever written; before the first commit, the place before it.
    pub head: EventId,
    /// The oldest record that has not expired.
    pub oldest: Option<EventId>,
}

/// An answer to a reader and how late it is.
#[derive(Debug)]
pub struct Answer {
    /// The page, or why there is none.
    pub page: Result<Vec<u8>, Refusal>,
    /// How long to wait before it is sent.
    pub delay: Duration,
}

/// Why a reader gets no page.
#[derive(Debug)]
pub enum Refusal {
    /// Nothing is there yet. The last record that the reader could have.
    Idle(EventId),
    /// It was there.
    Expired,
    /// It was ordered so.
    Failure(Failure),
    /// The emulator itself failed.
    Broken(anyhow::Error),
}

impl Database {
    /// Opens what is kept, if anything is.
    pub fn open(options: &Options) -> Result<Self> {
        ensure!(
            (1..=MAX_COMMIT_NUM).contains(&options.first_commit_num),
            "the first commit's number must be from 1 to {MAX_COMMIT_NUM}"
        );
        let style = Style { marks_last_op: options.marks_last_op, values_as_text: options.values_as_text };
        let mut database = Self {
            graph: Graph::default(),
            log: Log::new(style, options.first_commit_num),
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

    /// Does all of a commit or nothing.
    pub fn commit(&mut self, commit: &Commit, now: i64) -> Result<Committed, NotCommitted> {
        let commit_timestamp = commit.commit_timestamp.unwrap_or(now);
        let records = self.graph.apply(commit)?;
        if commit.unstreamed && !records.is_empty() {
            if let Err(error) = self.note(&Entry::Unstreamed { writes: Cow::Borrowed(&commit.writes) }) {
                self.graph.take_back(&records);
                return Err(error.into());
            }
            return Ok(Committed { commit_num: None, commit_timestamp, records: 0 });
        }
        if records.is_empty() {
            return Ok(Committed { commit_num: None, commit_timestamp, records: 0 });
        }
        let commit_num = self.log.head().commit_num + 1;
        if let Err(error) = self.keep(commit, commit_num, commit_timestamp, &records) {
            self.graph.take_back(&records);
            return Err(error.into());
        }
        Ok(Committed { commit_num: Some(commit_num), commit_timestamp, records: records.len() as u64 })
    }

    /// Answers a reader.
    pub fn read(&mut self, request: &Request, now: i64) -> Answer {
        let delay = self.faults.take_delay();
        if let Some(failure) = self.faults.take_error() {
            return Answer { page: Err(Refusal::Failure(failure)), delay };
        }
        if let Err(error) = self.expire(now) {
            return Answer { page: Err(Refusal::Broken(error)), delay };
        }
        let view = self.faults.view();
        let found = self.log.read(request, &view);
        let has_position = matches!(request.start, Start::At(_) | Start::After(_));
        if found.is_ok()
            && has_position
            && let Some(status) = self.faults.take_expired()
        {
            return Answer { page: Err(self.expired(status)), delay };
        }
        self.faults.count(&view, found.as_ref().ok());
        let page = found.map(|page| page.json).map_err(|no_page| match no_page {
            NoPage::Idle(head) => Refusal::Idle(head),
            NoPage::Expired => self.expired(self.expired_as),
        });
        Answer { page, delay }
    }

    fn expired(&self, status: ExpiredStatus) -> Refusal {
        match status {
            ExpiredStatus::Expired => Refusal::Expired,
            ExpiredStatus::NotFound => Refusal::Idle(self.log.head()),
        }
    }

    /// Drops commits up to and including the number `through`, as if they had expired.
    pub fn trim(&mut self, through: u64) -> Result<()> {
        self.note(&Entry::Trim { through })?;
        self.log.trim(through);
        Ok(())
    }

    /// A fast reset: deletes the graph and its stream; numbers start again.
    pub fn reset(&mut self) -> Result<()> {
        self.note(&Entry::Reset {})?;
        self.graph = Graph::default();
        self.log.reset();
        Ok(())
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The ends of the stream.
    pub fn ends(&mut self, now: i64) -> Result<EdgeEndpoints> {
        self.expire(now)?;
        Ok(EdgeEndpoints { head: self.log.head(), oldest: self.log.oldest() })
    }

    fn expire(&mut self, now: i64) -> Result<()> {
        let retention = i64::try_from(self.retention.as_millis()).unwrap_or(i64::MAX);
        match self.log.expired_through(now.saturating_sub(retention)) {
            Some(through) => self.trim(through),
            None => Ok(()),
        }
    }

    fn keep(&mut self, commit: &Commit, commit_num: u64, timestamp: i64, records: &[Record]) -> Result<()> {
        ensure!(commit_num <= MAX_COMMIT_NUM, "there is no number left for another commit");
        let stored = self.log.write(commit_num, timestamp, records)?;
        self.note(&Entry::Commit { commit_num, timestamp, writes: Cow::Borrowed(&commit.writes) })?;
        self.log.append(stored);
        Ok(())
    }

    fn note(&mut self, entry: &Entry<'_>) -> Result<()> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.append(entry))
    }

    fn replay(&mut self, entry: Entry<'_>) -> Result<()> {
        match entry {
            Entry::Commit { commit_num, timestamp, writes } => {
                let head = self.log.head();
                // An empty stream goes on with what is kept, whatever its first number was to be.
                let is_next = head.op_num == 0 || commit_num > head.commit_num;
                ensure!(is_next, "commit {commit_num} stands behind commit {}", head.commit_num);
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

    use super::*;
    use crate::neptune::{
        faults::{Fault, Order},
        testing::TemporaryFile,
    };

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn at(commit_num: u64) -> Request {
        Request { start: Start::At(EventId { commit_num, op_num: 1 }), limit: 100 }
    }

    /// How many records there are from a commit on.
    fn count(database: &mut Database, commit_num: u64, now: i64) -> Result<u64, Refusal> {
        let page = database.read(&at(commit_num), now).page?;
        let json: serde_json::Value = serde_json::from_slice(&page).unwrap();
        Ok(json["totalRecords"].as_u64().unwrap())
    }

    fn add(database: &mut Database, id: &str, now: i64) -> Option<u64> {
        database.commit(&Commit::new().add_vertex(id, ["person"]), now).unwrap().commit_num
    }

    fn open(state: &TemporaryFile) -> Database {
        Database::open(&Options { state: Some(state.path().into()), ..Options::default() }).unwrap()
    }

    #[test]
    fn what_changes_nothing_takes_no_number() {
        let mut database = Database::open(&Options::default()).unwrap();
        assert_eq!(add(&mut database, "p1", 5), Some(1));
        let nothing = database.commit(&Commit::new().add_label("p1", "person"), 6).unwrap();
        assert_eq!(nothing, Committed { commit_num: None, commit_timestamp: 6, records: 0 });
        assert!(database.commit(&Commit::new().remove_vertex("p2"), 7).is_err());
        assert_eq!(add(&mut database, "p2", 8), Some(2));
    }

    #[test]
    fn all_comes_back_after_a_restart() {
        let file = TemporaryFile::new();
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
        assert_eq!(database.read(&at(3), 3).page.unwrap(), page, "byte by byte");
        assert!(matches!(database.read(&at(1), 3).page, Err(Refusal::Expired)));
        assert_eq!(add(&mut database, "p5", 4), Some(5));
    }

    #[test]
    fn what_is_kept_has_its_numbers_already() {
        let file = TemporaryFile::new();
        add(&mut open(&file), "p1", 1);
        let options = Options { state: Some(file.path().into()), first_commit_num: 1000, ..Options::default() };
        let mut database = Database::open(&options).unwrap();
        assert_eq!(add(&mut database, "p2", 2), Some(2));
        database.reset().unwrap();
        assert_eq!(add(&mut database, "p2", 2), Some(1000));
    }

    #[test]
    fn commits_expire_and_stay_expired_after_a_restart() {
        let file = TemporaryFile::new();
        let mut database = open(&file);
        add(&mut database, "p1", 0);
        add(&mut database, "p2", DAY);
        assert_eq!(count(&mut database, 1, 7 * DAY).unwrap(), 2);
        assert!(matches!(count(&mut database, 1, 7 * DAY + 1), Err(Refusal::Expired)));
        drop(database);
        let mut database = open(&file);
        assert!(matches!(count(&mut database, 1, 0), Err(Refusal::Expired)));
        assert_eq!(count(&mut database, 2, 0).unwrap(), 1);
        assert_eq!(database.graph().vertices().len(), 2, "the graph does not expire");
    }

    #[test]
    fn expired_records_may_be_answered_as_not_there() {
        let options = Options { expired_as: ExpiredStatus::NotFound, ..Options::default() };
        let mut database = Database::open(&options).unwrap();
        add(&mut database, "p1", 0);
        add(&mut database, "p2", 0);
        database.trim(1).unwrap();
        let head = EventId { commit_num: 2, op_num: 1 };
        assert!(matches!(database.read(&at(1), 0).page, Err(Refusal::Idle(shown)) if shown == head));
    }

    #[test]
    fn expiry_can_be_ordered_for_positions_that_hold_records() {
        let mut database = Database::open(&Options::default()).unwrap();
        add(&mut database, "p1", 0);
        for status in [ExpiredStatus::Expired, ExpiredStatus::NotFound] {
            database.faults.order(Order { fault: Fault::Expired { status }, times: NonZeroU32::new(1) });
        }
        assert!(matches!(count(&mut database, 2, 0), Err(Refusal::Idle(_))), "as always");
        let horizon = Request { start: Start::TrimHorizon, limit: 1 };
        assert!(database.read(&horizon, 0).page.is_ok(), "the horizon never expires");
        assert!(matches!(count(&mut database, 1, 0), Err(Refusal::Expired)));
        assert!(matches!(count(&mut database, 1, 0), Err(Refusal::Idle(_))));
        assert_eq!(count(&mut database, 1, 0).unwrap(), 1);
    }

    #[test]
    fn a_gap_heals_when_its_count_is_used_up() {
        let mut database = Database::open(&Options::default()).unwrap();
        for id in ["p1", "p2", "p3"] {
            add(&mut database, id, 0);
        }
        database.faults.order(Order { fault: Fault::Gap { commit_num: 2 }, times: NonZeroU32::new(2) });
        assert_eq!(count(&mut database, 3, 0).unwrap(), 1, "not in its way");
        let counts: Vec<_> = (0..3).map(|_| count(&mut database, 1, 0).unwrap()).collect();
        assert_eq!(counts, [2, 2, 3]);
    }

    #[test]
    fn numbers_end() {
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

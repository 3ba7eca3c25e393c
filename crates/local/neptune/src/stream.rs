use std::collections::VecDeque;

use super::{
    page::{Page, PageBuilder},
    record::{EventId, Record, RecordContext},
};

/// The largest commit number: Neptune's are signed 64-bit integers.
pub const MAX_COMMIT_NUM: u64 = i64::MAX as u64;
/// A page ends with the record that exceeds this many bytes.
pub const MAX_PAGE_BYTES: usize = 10 * 1024 * 1024;
/// Records per page by default.
pub const DEFAULT_LIMIT: usize = 10;
/// Maximum of records per page.
pub const MAX_LIMIT: usize = 100_000;

/// The stream: the unexpired commits, serialized.
#[derive(Debug)]
pub struct Log {
    format: RecordFormat,
    first_commit_num: u64,
    commits: VecDeque<StoredCommit>,
    /// The last record ever written; before the first commit, operation 0 of the commit before it.
    head: EventId,
    /// The last expired record.
    trimmed: Option<EventId>,
    max_page_bytes: usize,
}

/// The format of records.
#[derive(Debug, Clone, Copy)]
pub struct RecordFormat {
    /// Whether the last record of a commit has `isLastOp`, as since engine 1.1.1.0.
    pub marks_last_op: bool,
    /// Whether numbers and booleans are written as strings.
    pub values_as_text: bool,
}

/// A serialized commit: its records, separated by commas.
#[derive(Debug)]
pub struct StoredCommit {
    commit_num: u64,
    timestamp: i64,
    json: Vec<u8>,
    /// End offsets of the records in `json`.
    ends: Vec<usize>,
}

/// A request for records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The first record.
    pub start: Start,
    /// Maximum number of records.
    pub limit: usize,
}

/// The four iterator types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// `AT_SEQUENCE_NUMBER`: this record.
    At(EventId),
    /// `AFTER_SEQUENCE_NUMBER`: the record after this one.
    After(EventId),
    /// `TRIM_HORIZON`: the oldest unexpired record.
    TrimHorizon,
    /// `LATEST`: only the newest record.
    Latest,
}

/// Restrictions, by injected faults, on what readers see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Number of newest commits that the replica does not have.
    pub lag: usize,
    /// Numbers of missing commits.
    pub hidden: Vec<u64>,
    /// Pages end after this operation of a commit that has more.
    pub truncate_at_op: Option<usize>,
}

/// Why a read has no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRecords {
    /// No record exists at or after the position. Carries the last visible record.
    Idle(EventId),
    /// The records at the position have expired.
    Expired,
}

impl Log {
    /// An empty stream. `first_commit_num` is the number of its first commit.
    pub fn new(format: RecordFormat, first_commit_num: u64) -> Self {
        let head = before(first_commit_num);
        let commits = VecDeque::new();
        Self { format, first_commit_num, commits, head, trimmed: None, max_page_bytes: MAX_PAGE_BYTES }
    }

    /// The last record ever written; before the first commit, operation 0 of the commit before it.
    pub fn head(&self) -> EventId {
        self.head
    }

    /// The oldest unexpired record.
    pub fn oldest(&self) -> Option<EventId> {
        self.commits.front().map(|stored| EventId { commit_num: stored.commit_num, op_num: 1 })
    }

    /// Serializes a commit without appending it. [`Self::append`] then cannot fail.
    pub fn write(&self, commit_num: u64, timestamp: i64, records: &[Record]) -> serde_json::Result<StoredCommit> {
        let mut json = Vec::with_capacity(records.len() * 256);
        let mut ends = Vec::with_capacity(records.len());
        for (op_num, record) in (1..).zip(records) {
            if op_num > 1 {
                json.push(b',');
            }
            let context = RecordContext {
                event_id: EventId { commit_num, op_num },
                commit_timestamp: timestamp,
                is_last_op: self.format.marks_last_op && op_num == records.len() as u64,
                values_as_text: self.format.values_as_text,
            };
            record.write_json(&context, &mut json)?;
            ends.push(json.len());
        }
        json.shrink_to_fit();
        Ok(StoredCommit { commit_num, timestamp, json, ends })
    }

    /// Appends a commit. A commit without records is ignored.
    pub fn append(&mut self, stored: StoredCommit) {
        if !stored.ends.is_empty() {
            self.head = stored.last();
            self.commits.push_back(stored);
        }
    }

    /// The number of the last commit that retention removes: the end of the leading commits with a time before `cutoff`
    /// (milliseconds since 1970).
    pub fn expired_through(&self, cutoff: i64) -> Option<u64> {
        let expired = self.commits.iter().take_while(|stored| stored.timestamp < cutoff);
        expired.last().map(|stored| stored.commit_num)
    }

    /// Expires all commits up to and including the number `through`.
    pub fn trim(&mut self, through: u64) {
        while let Some(stored) = self.commits.pop_front_if(|stored| stored.commit_num <= through) {
            self.trimmed = Some(stored.last());
        }
    }

    /// Deletes the stream. Commit numbers restart.
    pub fn reset(&mut self) {
        self.commits.clear();
        self.head = before(self.first_commit_num);
        self.trimmed = None;
    }

    /// Reads a page.
    pub fn read(&self, request: &Request, view: &View) -> Result<Page, NoRecords> {
        let visible = self.commits.len().saturating_sub(view.lag);
        let (index, mut skip, limit) = self.start(request, visible, view)?;
        let mut page = PageBuilder::default();
        let mut skipping = Vec::new();
        let mut skipped_commits = Vec::new();
        let mut was_truncated = false;
        for stored in self.commits.range(index.min(visible)..visible) {
            let skipped = std::mem::take(&mut skip).min(stored.ends.len());
            if view.hidden.contains(&stored.commit_num) {
                skipping.push(stored.commit_num);
                continue;
            }
            let fits = stored.count_within(skipped, self.max_page_bytes.saturating_sub(page.bytes));
            let mut take = fits.min(limit - page.total);
            if let Some(cut) = view.truncate_at_op.filter(|cut| skipped < *cut && skipped + take > *cut) {
                take = cut - skipped;
                was_truncated = true;
            }
            if take > 0 {
                skipped_commits.append(&mut skipping);
                let (slice, last) = stored.slice(skipped, take);
                page.push(slice, take, last, stored.timestamp);
            }
            if was_truncated || page.total == limit || page.bytes > self.max_page_bytes {
                break;
            }
        }
        match page.end {
            Some(end) => {
                Ok(Page { json: page.json(end), last: end.0, total: page.total, skipped_commits, was_truncated })
            }
            None => Err(NoRecords::Idle(self.visible_head(visible))),
        }
    }

    /// The index of the first commit, the number of its records to skip, and the limit.
    fn start(&self, request: &Request, visible: usize, view: &View) -> Result<(usize, usize, usize), NoRecords> {
        let (id, skip) = match request.start {
            Start::TrimHorizon => return Ok((0, 0, request.limit)),
            Start::Latest => {
                let newest =
                    self.commits.range(..visible).rposition(|stored| !view.hidden.contains(&stored.commit_num));
                let index = newest.unwrap_or(visible);
                let count = self.commits.get(index).map_or(0, |stored| stored.ends.len());
                return Ok((index, count.saturating_sub(1), 1));
            }
            Start::At(id) => (id, id.op_num.saturating_sub(1)),
            Start::After(id) => (id, id.op_num),
        };
        // After the last expired record, no record is missing.
        let is_after = matches!(request.start, Start::After(_));
        if self.trimmed.is_some_and(|trimmed| id < trimmed || (id == trimmed && !is_after)) {
            return Err(NoRecords::Expired);
        }
        let index = self.commits.partition_point(|stored| stored.commit_num < id.commit_num);
        let exists = self.commits.get(index).is_some_and(|stored| stored.commit_num == id.commit_num);
        let skip = if exists { usize::try_from(skip).unwrap_or(usize::MAX) } else { 0 };
        Ok((index, skip, request.limit))
    }

    fn visible_head(&self, visible: usize) -> EventId {
        match visible.checked_sub(1).and_then(|last| self.commits.get(last)) {
            Some(stored) => stored.last(),
            None => self.trimmed.unwrap_or(before(self.first_commit_num)),
        }
    }
}

impl StoredCommit {
    fn last(&self) -> EventId {
        EventId { commit_num: self.commit_num, op_num: self.ends.len() as u64 }
    }

    /// Start offset of the record in `json`.
    fn begin(&self, index: usize) -> usize {
        index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| end + 1)
    }

    /// The bytes of `take` records after the first `skipped`, and the position of the last one.
    fn slice(&self, skipped: usize, take: usize) -> (&[u8], EventId) {
        let last = skipped + take;
        let end = last.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or_default();
        let slice = self.json.get(self.begin(skipped)..end).unwrap_or_default();
        (slice, EventId { commit_num: self.commit_num, op_num: last as u64 })
    }

    /// The number of records after the first `skipped` that fit into `bytes`, plus the one that exceeds it.
    fn count_within(&self, skipped: usize, bytes: usize) -> usize {
        let rest = self.ends.get(skipped..).unwrap_or_default();
        let limit = self.begin(skipped) + bytes;
        rest.len().min(rest.partition_point(|end| *end <= limit) + 1)
    }
}

/// The position before the first record.
fn before(first_commit_num: u64) -> EventId {
    EventId { commit_num: first_commit_num.saturating_sub(1), op_num: 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Data, Op};

    const FORMAT: RecordFormat = RecordFormat { marks_last_op: true, values_as_text: false };

    fn id(commit_num: u64, op_num: u64) -> EventId {
        EventId { commit_num, op_num }
    }

    fn append(log: &mut Log, timestamp: i64, records: usize) {
        let record = |n| Record { op: Op::Add, id: format!("v{n}"), data: Data::VertexLabel("person".into()) };
        let records: Vec<_> = (0..records).map(record).collect();
        let stored = log.write(log.head().commit_num + 1, timestamp, &records).unwrap();
        log.append(stored);
    }

    /// Commits 1, 2, … with these numbers of records, at 1,000, 2,000, … milliseconds.
    fn log(sizes: &[usize]) -> Log {
        let mut log = Log::new(FORMAT, 1);
        for (timestamp, size) in (1..).zip(sizes) {
            append(&mut log, timestamp * 1000, *size);
        }
        log
    }

    fn read(log: &Log, start: Start, limit: usize) -> Result<Vec<(u64, u64)>, NoRecords> {
        view(log, start, limit, &View::default())
    }

    fn view(log: &Log, start: Start, limit: usize, view: &View) -> Result<Vec<(u64, u64)>, NoRecords> {
        log.read(&Request { start, limit }, view).map(|page| ids(&page))
    }

    /// The positions in a page. Asserts that the page's metadata match.
    fn ids(page: &Page) -> Vec<(u64, u64)> {
        let json: serde_json::Value = serde_json::from_slice(&page.json).unwrap();
        let id = |value: &serde_json::Value| (value["commitNum"].as_u64().unwrap(), value["opNum"].as_u64().unwrap());
        let records = json["records"].as_array().unwrap();
        let ids: Vec<_> = records.iter().map(|record| id(&record["eventId"])).collect();
        assert_eq!(json["format"], "PG_JSON");
        assert_eq!(json["totalRecords"], records.len());
        assert_eq!(page.total, records.len());
        assert_eq!(ids.last(), Some(&id(&json["lastEventId"])));
        assert_eq!(ids.last(), Some(&(page.last.commit_num, page.last.op_num)));
        assert_eq!(records.last().unwrap()["commitTimestamp"], json["lastTrxTimestamp"]);
        ids
    }

    #[test]
    fn at_includes_the_position_and_after_excludes_it() {
        let log = log(&[2, 3]);
        assert_eq!(read(&log, Start::At(id(1, 2)), 2), Ok(vec![(1, 2), (2, 1)]));
        assert_eq!(read(&log, Start::After(id(1, 2)), 2), Ok(vec![(2, 1), (2, 2)]));
        assert_eq!(read(&log, Start::After(id(1, 1)), 10), Ok(vec![(1, 2), (2, 1), (2, 2), (2, 3)]));
        assert_eq!(read(&log, Start::At(id(1, 3)), 1), Ok(vec![(2, 1)]), "the operation does not exist");
        assert_eq!(read(&log, Start::At(id(0, 7)), 1), Ok(vec![(1, 1)]), "no record precedes the first");
        assert_eq!(read(&log, Start::At(id(1, 0)), 1), Ok(vec![(1, 1)]));
    }

    #[test]
    fn trim_horizon_is_the_oldest_record_and_latest_only_the_newest() {
        let mut log = log(&[2, 3]);
        assert_eq!(read(&log, Start::TrimHorizon, 3), Ok(vec![(1, 1), (1, 2), (2, 1)]));
        assert_eq!(read(&log, Start::Latest, 100), Ok(vec![(2, 3)]));
        log.trim(1);
        assert_eq!(read(&log, Start::TrimHorizon, 1), Ok(vec![(2, 1)]));
        assert_eq!(log.oldest(), Some(id(2, 1)));
    }

    #[test]
    fn read_after_the_head_returns_the_head() {
        let idle = |log: &Log, start| read(log, start, 1) == Err(NoRecords::Idle(log.head()));
        let log = log(&[2, 3]);
        assert_eq!(log.head(), id(2, 3));
        assert!(idle(&log, Start::After(id(2, 3))));
        assert!(idle(&log, Start::At(id(2, 4))));
        assert!(idle(&log, Start::At(id(MAX_COMMIT_NUM, 1))));
        assert!(idle(&log, Start::After(id(2, u64::MAX))));
        let empty = Log::new(FORMAT, 1);
        assert_eq!(empty.head(), id(0, 0));
        for start in [Start::At(id(1, 1)), Start::After(id(0, 0)), Start::TrimHorizon, Start::Latest] {
            assert!(idle(&empty, start));
        }
    }

    #[test]
    fn positions_in_expired_commits_are_expired() {
        let mut log = log(&[2, 3, 1]);
        assert_eq!(log.expired_through(1000), None);
        assert_eq!(log.expired_through(2001), Some(2));
        log.trim(2);
        assert_eq!(read(&log, Start::At(id(1, 1)), 1), Err(NoRecords::Expired));
        assert_eq!(read(&log, Start::At(id(2, 3)), 1), Err(NoRecords::Expired));
        assert_eq!(read(&log, Start::After(id(2, 2)), 1), Err(NoRecords::Expired));
        assert_eq!(read(&log, Start::After(id(2, 3)), 9), Ok(vec![(3, 1)]), "no record is missing");
        log.trim(3);
        assert_eq!(log.head(), id(3, 1), "the head does not change");
        assert_eq!(read(&log, Start::TrimHorizon, 1), Err(NoRecords::Idle(id(3, 1))));
        assert_eq!(read(&log, Start::Latest, 1), Err(NoRecords::Idle(id(3, 1))));
        assert_eq!(read(&log, Start::After(id(3, 1)), 1), Err(NoRecords::Idle(id(3, 1))));
        append(&mut log, 4000, 1);
        assert_eq!(read(&log, Start::After(id(3, 1)), 1), Ok(vec![(4, 1)]));
    }

    #[test]
    fn commit_numbers_restart_after_reset() {
        let mut log = log(&[2, 3]);
        log.trim(1);
        log.reset();
        assert_eq!(read(&log, Start::After(id(2, 3)), 1), Err(NoRecords::Idle(id(0, 0))));
        append(&mut log, 1, 1);
        assert_eq!(read(&log, Start::TrimHorizon, 9), Ok(vec![(1, 1)]));
        assert_eq!(read(&log, Start::After(id(2, 3)), 1), Err(NoRecords::Idle(id(1, 1))));
    }

    #[test]
    fn only_the_last_record_of_a_commit_has_is_last_op() {
        let mut log = log(&[2]);
        let marks = |log: &Log| {
            let page = log.read(&Request { start: Start::TrimHorizon, limit: 10 }, &View::default()).unwrap();
            let json: serde_json::Value = serde_json::from_slice(&page.json).unwrap();
            json["records"].as_array().unwrap().iter().map(|record| record.get("isLastOp").cloned()).collect::<Vec<_>>()
        };
        assert_eq!(marks(&log), [None, Some(true.into())]);
        log = Log::new(RecordFormat { marks_last_op: false, ..FORMAT }, 1);
        append(&mut log, 1, 2);
        assert_eq!(marks(&log), [None, None]);
    }

    #[test]
    fn page_ends_with_the_record_that_exceeds_the_cap() {
        let mut log = log(&[1, 1, 4, 1]);
        let record = log.commits.front().map(|stored| stored.json.len()).unwrap();
        let lengths: Vec<_> = (0..4 * record)
            .map(|cap| {
                log.max_page_bytes = cap;
                read(&log, Start::TrimHorizon, 100).unwrap().len()
            })
            .collect();
        assert_eq!(lengths.first(), Some(&1), "at least one record");
        assert_eq!(lengths.get(record - 1), Some(&1));
        assert_eq!(lengths.get(record), Some(&2), "a record that just fits does not end the page");
        assert_eq!(lengths.get(2 * record), Some(&3), "the cap can be reached inside a commit");
        assert!(lengths.is_sorted());
        log.max_page_bytes = 0;
        assert_eq!(read(&log, Start::At(id(3, 2)), 100), Ok(vec![(3, 2)]));
    }

    #[test]
    fn cap_is_ten_mebibytes() {
        let mut log = Log::new(FORMAT, 1);
        let value = "x".repeat(1024 * 1024).into();
        let record = Record { op: Op::Add, id: "v".into(), data: Data::VertexProperty("k".into(), value) };
        let stored = log.write(1, 0, &vec![record; 20]).unwrap();
        log.append(stored);
        let page = log.read(&Request { start: Start::TrimHorizon, limit: MAX_LIMIT }, &View::default()).unwrap();
        // Ten records have slightly more than 10 MiB: the tenth exceeds the cap.
        assert_eq!(page.total, 10);
        assert!(page.json.len() > MAX_PAGE_BYTES);
    }

    #[test]
    fn lagging_replica_has_an_older_head() {
        let log = log(&[2, 3, 1]);
        let lag = |lag| View { lag, ..View::default() };
        assert_eq!(view(&log, Start::At(id(2, 3)), 9, &lag(1)), Ok(vec![(2, 3)]));
        assert_eq!(view(&log, Start::After(id(2, 3)), 9, &lag(1)), Err(NoRecords::Idle(id(2, 3))));
        assert_eq!(view(&log, Start::Latest, 9, &lag(2)), Ok(vec![(1, 2)]));
        assert_eq!(view(&log, Start::At(id(3, 1)), 9, &lag(2)), Err(NoRecords::Idle(id(1, 2))));
        assert_eq!(view(&log, Start::TrimHorizon, 9, &lag(7)), Err(NoRecords::Idle(id(0, 0))));
    }

    #[test]
    fn hidden_commit_is_skipped_if_records_follow() {
        let log = log(&[1, 2, 1]);
        let hide = |hidden: &[u64]| View { hidden: hidden.to_vec(), ..View::default() };
        let page = log.read(&Request { start: Start::TrimHorizon, limit: 9 }, &hide(&[2])).unwrap();
        assert_eq!((ids(&page), page.skipped_commits), (vec![(1, 1), (3, 1)], vec![2]));
        let page = log.read(&Request { start: Start::TrimHorizon, limit: 1 }, &hide(&[2])).unwrap();
        assert_eq!((ids(&page), page.skipped_commits), (vec![(1, 1)], vec![]), "the page ends before the commit");
        let page = log.read(&Request { start: Start::At(id(2, 2)), limit: 9 }, &hide(&[2])).unwrap();
        assert_eq!((ids(&page), page.skipped_commits), (vec![(3, 1)], vec![2]));
        let page = log.read(&Request { start: Start::At(id(2, 1)), limit: 9 }, &hide(&[3])).unwrap();
        assert_eq!((ids(&page), page.skipped_commits), (vec![(2, 1), (2, 2)], vec![]), "no records follow");
        assert_eq!(view(&log, Start::After(id(2, 2)), 9, &hide(&[3])), Err(NoRecords::Idle(id(3, 1))));
        assert_eq!(view(&log, Start::Latest, 9, &hide(&[3])), Ok(vec![(2, 2)]));
    }

    #[test]
    fn page_is_truncated_inside_a_commit() {
        let log = log(&[1, 3, 1]);
        let cut = View { truncate_at_op: Some(2), ..View::default() };
        let page = |start, limit| {
            let page = log.read(&Request { start, limit }, &cut).unwrap();
            (ids(&page), page.was_truncated)
        };
        assert_eq!(page(Start::TrimHorizon, 9), (vec![(1, 1), (2, 1), (2, 2)], true));
        assert_eq!(page(Start::After(id(2, 2)), 9), (vec![(2, 3), (3, 1)], false), "the next page continues");
        assert_eq!(page(Start::TrimHorizon, 3), (vec![(1, 1), (2, 1), (2, 2)], false), "ended by the limit");
    }

    proptest! {
        #[test]
        fn paging_from_any_position_returns_all_records(
            sizes in prop::collection::vec(1..6_usize, 1..12),
            limits in prop::collection::vec(1..9_usize, 1..9),
            cap in prop_oneof![Just(MAX_PAGE_BYTES), 1..3000_usize],
            start in any::<prop::sample::Index>(),
            trimmed in 0..3_u64,
        ) {
            let mut log = log(&sizes);
            log.trim(trimmed);
            log.max_page_bytes = cap;
            let all: Vec<_> = (1..).zip(&sizes)
                .flat_map(|(commit, size)| (1..=*size as u64).map(move |op| (commit, op)))
                .filter(|(commit, _)| *commit > trimmed)
                .collect();
            prop_assume!(!all.is_empty());
            let begin = start.index(all.len());
            let (commit, op) = all[begin];
            let mut next = Start::At(id(commit, op));
            let mut seen = Vec::new();
            for limit in limits.iter().cycle() {
                match read(&log, next, *limit) {
                    Ok(page) => {
                        prop_assert!(!page.is_empty() && page.len() <= *limit);
                        seen.extend(page);
                    }
                    Err(end) => {
                        prop_assert_eq!(end, NoRecords::Idle(log.head()));
                        break;
                    }
                }
                let (commit, op) = *seen.last().expect("a page is never empty");
                next = Start::After(id(commit, op));
            }
            prop_assert_eq!(&seen[..], &all[begin..]);
        }
    }
}

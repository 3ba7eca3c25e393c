use std::collections::VecDeque;

use super::{
    page::{Page, Slices},
    record::{EventId, Place, Record},
};

/// Ids are signed 64-bit numbers in Neptune.
pub const MAX_COMMIT_NUM: u64 = i64::MAX as u64;
/// A page ends with the record that takes it beyond this many bytes.
pub const MAX_PAGE_BYTES: usize = 10 * 1024 * 1024;
/// Records per page where the request does not say.
pub const DEFAULT_LIMIT: usize = 10;
/// The most records that a request may ask for.
pub const MAX_LIMIT: usize = 100_000;

/// The stream: what was committed and has not expired, as the bytes that pages are made of.
#[derive(Debug)]
pub struct Log {
    style: Style,
    first_commit_num: u64,
    commits: VecDeque<Stored>,
    /// The last record ever written; before the first, the place before it.
    head: EventId,
    /// The last record that has expired.
    trimmed: Option<EventId>,
    max_page_bytes: usize,
}

/// How records are written.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether `isLastOp` marks a commit's last record: engines before 1.1.1.0 did not.
    pub marks_last_op: bool,
    /// Whether numbers and truth values are written as text.
    pub values_as_text: bool,
}

/// A commit, written once: its records with a comma between each two.
#[derive(Debug)]
pub struct Stored {
    commit_num: u64,
    timestamp: i64,
    json: Vec<u8>,
    /// Where in `json` each record ends.
    ends: Vec<usize>,
}

/// A reader's question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Where to begin.
    pub start: Start,
    /// The most records to answer.
    pub limit: usize,
}

/// The four iterator types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// `AT_SEQUENCE_NUMBER`: with this record.
    At(EventId),
    /// `AFTER_SEQUENCE_NUMBER`: with the one behind it.
    After(EventId),
    /// `TRIM_HORIZON`: with the oldest that has not expired.
    TrimHorizon,
    /// `LATEST`: with the newest, and only that.
    Latest,
}

/// What a reader sees, where that is not the whole stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The newest commits that have not reached this replica.
    pub lag: usize,
    /// Commits that are missing.
    pub hidden: Vec<u64>,
    /// Pages end behind this operation of a commit that has more.
    pub cut_at_op: Option<usize>,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPage {
    /// Nothing is there yet. The last record that the reader could have.
    Idle(EventId),
    /// It was there.
    Expired,
}

impl Log {
    /// An empty stream whose first commit will have this number.
    pub fn new(style: Style, first_commit_num: u64) -> Self {
        let head = before(first_commit_num);
        let commits = VecDeque::new();
        Self { style, first_commit_num, commits, head, trimmed: None, max_page_bytes: MAX_PAGE_BYTES }
    }

    /// The last record ever written, or the place before the first.
    pub fn head(&self) -> EventId {
        self.head
    }

    /// The oldest record that has not expired.
    pub fn oldest(&self) -> Option<EventId> {
        self.commits.front().map(|stored| EventId { commit_num: stored.commit_num, op_num: 1 })
    }

    /// Writes a commit's records without appending them: what can fail has failed then.
    pub fn write(&self, commit_num: u64, timestamp: i64, records: &[Record]) -> serde_json::Result<Stored> {
        let mut json = Vec::with_capacity(records.len() * 256);
        let mut ends = Vec::with_capacity(records.len());
        for (op_num, record) in (1..).zip(records) {
            if op_num > 1 {
                json.push(b',');
            }
            let place = Place {
                event_id: EventId { commit_num, op_num },
                commit_timestamp: timestamp,
                is_last_op: self.style.marks_last_op && op_num == records.len() as u64,
                values_as_text: self.style.values_as_text,
            };
            record.write_json(&place, &mut json)?;
            ends.push(json.len());
        }
        json.shrink_to_fit();
        Ok(Stored { commit_num, timestamp, json, ends })
    }

    /// Appends a commit. One without records is none.
    pub fn append(&mut self, stored: Stored) {
        if !stored.ends.is_empty() {
            self.head = stored.last();
            self.commits.push_back(stored);
        }
    }

    /// The newest of the oldest commits that were requested before `cutoff` (in epoch milliseconds),
    /// if there are any: what retention takes.
    pub fn expired_through(&self, cutoff: i64) -> Option<u64> {
        let expired = self.commits.iter().take_while(|stored| stored.timestamp < cutoff);
        expired.last().map(|stored| stored.commit_num)
    }

    /// Drops commits, whole, up to and including the number `through`.
    pub fn trim(&mut self, through: u64) {
        while let Some(stored) = self.commits.pop_front_if(|stored| stored.commit_num <= through) {
            self.trimmed = Some(stored.last());
        }
    }

    /// Deletes the stream: numbers start again.
    pub fn reset(&mut self) {
        self.commits.clear();
        self.head = before(self.first_commit_num);
        self.trimmed = None;
    }

    /// Answers a reader.
    pub fn read(&self, request: &Request, view: &View) -> Result<Page, NoPage> {
        let seen = self.commits.len().saturating_sub(view.lag);
        let (index, mut skip, limit) = self.start(request, seen, view)?;
        let mut page = Slices::default();
        let mut leaping = Vec::new();
        let mut leapt = Vec::new();
        let mut was_cut = false;
        for stored in self.commits.range(index.min(seen)..seen) {
            let skipped = std::mem::take(&mut skip).min(stored.ends.len());
            if view.hidden.contains(&stored.commit_num) {
                leaping.push(stored.commit_num);
                continue;
            }
            let fits = stored.count_within(skipped, self.max_page_bytes.saturating_sub(page.bytes));
            let mut take = fits.min(limit - page.total);
            if let Some(cut) = view.cut_at_op.filter(|cut| skipped < *cut && skipped + take > *cut) {
                take = cut - skipped;
                was_cut = true;
            }
            if take > 0 {
                leapt.append(&mut leaping);
                let (piece, last) = stored.piece(skipped, take);
                page.push(piece, take, last, stored.timestamp);
            }
            if was_cut || page.total == limit || page.bytes > self.max_page_bytes {
                break;
            }
        }
        match page.end {
            Some(end) => Ok(Page { json: page.json(end), last: end.0, total: page.total, leapt, was_cut }),
            None => Err(NoPage::Idle(self.head_seen(seen))),
        }
    }

    /// The commit to begin with, how many of its records to skip, and the most to answer.
    fn start(&self, request: &Request, seen: usize, view: &View) -> Result<(usize, usize, usize), NoPage> {
        let (id, skip) = match request.start {
            Start::TrimHorizon => return Ok((0, 0, request.limit)),
            Start::Latest => {
                let newest = self.commits.range(..seen).rposition(|stored| !view.hidden.contains(&stored.commit_num));
                let index = newest.unwrap_or(seen);
                let count = self.commits.get(index).map_or(0, |stored| stored.ends.len());
                return Ok((index, count.saturating_sub(1), 1));
            }
            Start::At(id) => (id, id.op_num.saturating_sub(1)),
            Start::After(id) => (id, id.op_num),
        };
        // Behind the very last record that has expired nothing is missing.
        let is_after = matches!(request.start, Start::After(_));
        if self.trimmed.is_some_and(|trimmed| id < trimmed || (id == trimmed && !is_after)) {
            return Err(NoPage::Expired);
        }
        let index = self.commits.partition_point(|stored| stored.commit_num < id.commit_num);
        let is_there = self.commits.get(index).is_some_and(|stored| stored.commit_num == id.commit_num);
        let skip = if is_there { usize::try_from(skip).unwrap_or(usize::MAX) } else { 0 };
        Ok((index, skip, request.limit))
    }

    fn head_seen(&self, seen: usize) -> EventId {
        match seen.checked_sub(1).and_then(|last| self.commits.get(last)) {
            Some(stored) => stored.last(),
            None => self.trimmed.unwrap_or(before(self.first_commit_num)),
        }
    }
}

impl Stored {
    fn last(&self) -> EventId {
        EventId { commit_num: self.commit_num, op_num: self.ends.len() as u64 }
    }

    /// Where in `json` the record with this index begins.
    fn begin(&self, index: usize) -> usize {
        index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| end + 1)
    }

    /// The bytes of `take` records behind the first `skipped`, and the last one's id.
    fn piece(&self, skipped: usize, take: usize) -> (&[u8], EventId) {
        let last = skipped + take;
        let end = last.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or_default();
        let piece = self.json.get(self.begin(skipped)..end).unwrap_or_default();
        (piece, EventId { commit_num: self.commit_num, op_num: last as u64 })
    }

    /// How many records behind the first `skipped` fit into `bytes`, with the one that no longer does.
    fn count_within(&self, skipped: usize, bytes: usize) -> usize {
        let rest = self.ends.get(skipped..).unwrap_or_default();
        let limit = self.begin(skipped) + bytes;
        rest.len().min(rest.partition_point(|end| *end <= limit) + 1)
    }
}

/// The place before the first record.
fn before(first_commit_num: u64) -> EventId {
    EventId { commit_num: first_commit_num.saturating_sub(1), op_num: 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Data, Op};

    const STYLE: Style = Style { marks_last_op: true, values_as_text: false };

    fn id(commit_num: u64, op_num: u64) -> EventId {
        EventId { commit_num, op_num }
    }

    fn append(log: &mut Log, timestamp: i64, records: usize) {
        let record = |n| Record { op: Op::Add, id: format!("v{n}"), data: Data::VertexLabel("person".into()) };
        let records: Vec<_> = (0..records).map(record).collect();
        let stored = log.write(log.head().commit_num + 1, timestamp, &records).unwrap();
        log.append(stored);
    }

    /// Commits 1, 2, … with that many records each, requested at 1,000, 2,000, …
    fn log(sizes: &[usize]) -> Log {
        let mut log = Log::new(STYLE, 1);
        for (timestamp, size) in (1..).zip(sizes) {
            append(&mut log, timestamp * 1000, *size);
        }
        log
    }

    fn read(log: &Log, start: Start, limit: usize) -> Result<Vec<(u64, u64)>, NoPage> {
        view(log, start, limit, &View::default())
    }

    fn view(log: &Log, start: Start, limit: usize, view: &View) -> Result<Vec<(u64, u64)>, NoPage> {
        log.read(&Request { start, limit }, view).map(|page| ids(&page))
    }

    /// What a client sees of a page, checked against what the page says of itself.
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
    fn at_is_inclusive_after_is_not() {
        let log = log(&[2, 3]);
        assert_eq!(read(&log, Start::At(id(1, 2)), 2), Ok(vec![(1, 2), (2, 1)]));
        assert_eq!(read(&log, Start::After(id(1, 2)), 2), Ok(vec![(2, 1), (2, 2)]));
        assert_eq!(read(&log, Start::After(id(1, 1)), 10), Ok(vec![(1, 2), (2, 1), (2, 2), (2, 3)]));
        assert_eq!(read(&log, Start::At(id(1, 3)), 1), Ok(vec![(2, 1)]), "there is no such operation");
        assert_eq!(read(&log, Start::At(id(0, 7)), 1), Ok(vec![(1, 1)]), "nothing is missing before the first");
        assert_eq!(read(&log, Start::At(id(1, 0)), 1), Ok(vec![(1, 1)]));
    }

    #[test]
    fn the_horizon_is_the_oldest_and_latest_is_one() {
        let mut log = log(&[2, 3]);
        assert_eq!(read(&log, Start::TrimHorizon, 3), Ok(vec![(1, 1), (1, 2), (2, 1)]));
        assert_eq!(read(&log, Start::Latest, 100), Ok(vec![(2, 3)]));
        log.trim(1);
        assert_eq!(read(&log, Start::TrimHorizon, 1), Ok(vec![(2, 1)]));
        assert_eq!(log.oldest(), Some(id(2, 1)));
    }

    #[test]
    fn where_nothing_follows_the_reader_learns_the_head() {
        let idle = |log: &Log, start| read(log, start, 1) == Err(NoPage::Idle(log.head()));
        let log = log(&[2, 3]);
        assert_eq!(log.head(), id(2, 3));
        assert!(idle(&log, Start::After(id(2, 3))));
        assert!(idle(&log, Start::At(id(2, 4))));
        assert!(idle(&log, Start::At(id(MAX_COMMIT_NUM, 1))));
        assert!(idle(&log, Start::After(id(2, u64::MAX))));
        let empty = Log::new(STYLE, 1);
        assert_eq!(empty.head(), id(0, 0));
        for start in [Start::At(id(1, 1)), Start::After(id(0, 0)), Start::TrimHorizon, Start::Latest] {
            assert!(idle(&empty, start));
        }
    }

    #[test]
    fn a_commit_expires_whole_and_what_came_before_is_gone() {
        let mut log = log(&[2, 3, 1]);
        assert_eq!(log.expired_through(1000), None);
        assert_eq!(log.expired_through(2001), Some(2));
        log.trim(2);
        assert_eq!(read(&log, Start::At(id(1, 1)), 1), Err(NoPage::Expired));
        assert_eq!(read(&log, Start::At(id(2, 3)), 1), Err(NoPage::Expired));
        assert_eq!(read(&log, Start::After(id(2, 2)), 1), Err(NoPage::Expired));
        assert_eq!(read(&log, Start::After(id(2, 3)), 9), Ok(vec![(3, 1)]), "nothing is missing");
        log.trim(3);
        assert_eq!(log.head(), id(3, 1), "the head stays");
        assert_eq!(read(&log, Start::TrimHorizon, 1), Err(NoPage::Idle(id(3, 1))));
        assert_eq!(read(&log, Start::Latest, 1), Err(NoPage::Idle(id(3, 1))));
        assert_eq!(read(&log, Start::After(id(3, 1)), 1), Err(NoPage::Idle(id(3, 1))));
        append(&mut log, 4000, 1);
        assert_eq!(read(&log, Start::After(id(3, 1)), 1), Ok(vec![(4, 1)]));
    }

    #[test]
    fn after_a_reset_numbers_start_again() {
        let mut log = log(&[2, 3]);
        log.trim(1);
        log.reset();
        assert_eq!(read(&log, Start::After(id(2, 3)), 1), Err(NoPage::Idle(id(0, 0))));
        append(&mut log, 1, 1);
        assert_eq!(read(&log, Start::TrimHorizon, 9), Ok(vec![(1, 1)]));
        assert_eq!(read(&log, Start::After(id(2, 3)), 1), Err(NoPage::Idle(id(1, 1))));
    }

    #[test]
    fn only_a_commits_last_record_is_marked() {
        let mut log = log(&[2]);
        let marks = |log: &Log| {
            let page = log.read(&Request { start: Start::TrimHorizon, limit: 10 }, &View::default()).unwrap();
            let json: serde_json::Value = serde_json::from_slice(&page.json).unwrap();
            json["records"].as_array().unwrap().iter().map(|record| record.get("isLastOp").cloned()).collect::<Vec<_>>()
        };
        assert_eq!(marks(&log), [None, Some(true.into())]);
        log = Log::new(Style { marks_last_op: false, ..STYLE }, 1);
        append(&mut log, 1, 2);
        assert_eq!(marks(&log), [None, None]);
    }

    #[test]
    fn a_page_ends_with_the_record_that_breaches_the_cap() {
        let mut log = log(&[1, 1, 4, 1]);
        let record = log.commits.front().map(|stored| stored.json.len()).unwrap();
        let lengths: Vec<_> = (0..4 * record)
            .map(|cap| {
                log.max_page_bytes = cap;
                read(&log, Start::TrimHorizon, 100).unwrap().len()
            })
            .collect();
        assert_eq!(lengths.first(), Some(&1), "at least one");
        assert_eq!(lengths.get(record - 1), Some(&1));
        assert_eq!(lengths.get(record), Some(&2), "what just fits breaches nothing");
        assert_eq!(lengths.get(2 * record), Some(&3), "the cap may fall into a commit");
        assert!(lengths.is_sorted());
        log.max_page_bytes = 0;
        assert_eq!(read(&log, Start::At(id(3, 2)), 100), Ok(vec![(3, 2)]));
    }

    #[test]
    fn the_cap_is_ten_megabytes() {
        let mut log = Log::new(STYLE, 1);
        let value = "x".repeat(1024 * 1024).into();
        let record = Record { op: Op::Add, id: "v".into(), data: Data::VertexProperty("k".into(), value) };
        let stored = log.write(1, 0, &vec![record; 20]).unwrap();
        log.append(stored);
        let page = log.read(&Request { start: Start::TrimHorizon, limit: MAX_LIMIT }, &View::default()).unwrap();
        // Ten have a little more than 10 MiB: the tenth breaches.
        assert_eq!(page.total, 10);
        assert!(page.json.len() > MAX_PAGE_BYTES);
    }

    #[test]
    fn a_lagging_replica_has_an_older_head() {
        let log = log(&[2, 3, 1]);
        let lag = |lag| View { lag, ..View::default() };
        assert_eq!(view(&log, Start::At(id(2, 3)), 9, &lag(1)), Ok(vec![(2, 3)]));
        assert_eq!(view(&log, Start::After(id(2, 3)), 9, &lag(1)), Err(NoPage::Idle(id(2, 3))));
        assert_eq!(view(&log, Start::Latest, 9, &lag(2)), Ok(vec![(1, 2)]));
        assert_eq!(view(&log, Start::At(id(3, 1)), 9, &lag(2)), Err(NoPage::Idle(id(1, 2))));
        assert_eq!(view(&log, Start::TrimHorizon, 9, &lag(7)), Err(NoPage::Idle(id(0, 0))));
    }

    #[test]
    fn a_hidden_commit_is_leapt_over_where_something_follows() {
        let log = log(&[1, 2, 1]);
        let hide = |hidden: &[u64]| View { hidden: hidden.to_vec(), ..View::default() };
        let page = log.read(&Request { start: Start::TrimHorizon, limit: 9 }, &hide(&[2])).unwrap();
        assert_eq!((ids(&page), page.leapt), (vec![(1, 1), (3, 1)], vec![2]));
        let page = log.read(&Request { start: Start::TrimHorizon, limit: 1 }, &hide(&[2])).unwrap();
        assert_eq!((ids(&page), page.leapt), (vec![(1, 1)], vec![]), "not reached yet");
        let page = log.read(&Request { start: Start::At(id(2, 2)), limit: 9 }, &hide(&[2])).unwrap();
        assert_eq!((ids(&page), page.leapt), (vec![(3, 1)], vec![2]));
        let page = log.read(&Request { start: Start::At(id(2, 1)), limit: 9 }, &hide(&[3])).unwrap();
        assert_eq!((ids(&page), page.leapt), (vec![(2, 1), (2, 2)], vec![]), "nothing follows");
        assert_eq!(view(&log, Start::After(id(2, 2)), 9, &hide(&[3])), Err(NoPage::Idle(id(3, 1))));
        assert_eq!(view(&log, Start::Latest, 9, &hide(&[3])), Ok(vec![(2, 2)]));
    }

    #[test]
    fn a_page_can_be_cut_inside_a_commit() {
        let log = log(&[1, 3, 1]);
        let cut = View { cut_at_op: Some(2), ..View::default() };
        let page = |start, limit| {
            let page = log.read(&Request { start, limit }, &cut).unwrap();
            (ids(&page), page.was_cut)
        };
        assert_eq!(page(Start::TrimHorizon, 9), (vec![(1, 1), (2, 1), (2, 2)], true));
        assert_eq!(page(Start::After(id(2, 2)), 9), (vec![(2, 3), (3, 1)], false), "the reader goes on");
        assert_eq!(page(Start::TrimHorizon, 3), (vec![(1, 1), (2, 1), (2, 2)], false), "the limit did it");
    }

    proptest! {
        #[test]
        fn any_paging_from_anywhere_yields_the_same_records(
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
                        prop_assert_eq!(end, NoPage::Idle(log.head()));
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

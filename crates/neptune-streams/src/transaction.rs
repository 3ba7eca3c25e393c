//! Assembles whole transactions from pages.

use std::{collections::VecDeque, mem, vec};

use crate::{page::Page, position::Position, record::Record};

/// The most of a transaction that is held in memory. A larger transaction is returned in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most records.
    pub max_records: usize,
    /// The most bytes, by [`Record::text_bytes`]. The memory is about the same.
    pub max_bytes: usize,
}

/// 100,000 records and 64 MiB: the records and about the memory of the largest page.
impl Default for Bounds {
    fn default() -> Self {
        Self { max_records: 100_000, max_bytes: 64 << 20 }
    }
}

/// A transaction, or a part of one that exceeds the [`Bounds`].
///
/// A transaction within the bounds is one part. The parts of a larger one follow each other directly.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The number of the transaction.
    pub commit_num: u64,
    /// In stream order, never empty.
    pub records: Vec<Record>,
    /// Whether this part starts the transaction.
    pub is_first: bool,
    /// The sign of the transaction's end; `None` if more parts follow.
    pub end: Option<End>,
}

impl Part {
    /// Whether this part is the whole transaction.
    pub fn is_whole(&self) -> bool {
        self.is_first && self.end.is_some()
    }
}

/// The sign by which the end of a transaction was detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The last record has `is_last_op`.
    Marked,
    /// The next commit started. Older engines have no other sign. On an engine that marks ends
    /// ([`TransactionAssembler::has_seen_marks`]), records are missing, or an older engine wrote them.
    NextCommit,
    /// The stream is idle: see [`TransactionAssembler::idle`].
    Idle,
}

/// Assembles transactions from pages that are cut anywhere.
///
/// Add a page with [`push`](Self::push), then call [`next_part`](Self::next_part) until it returns `None`.
/// The assembler holds records of an incomplete transaction up to the [`Bounds`], then returns them as a
/// part. Only a single record larger than the bounds exceeds them. Parts do not depend on how the stream
/// is cut into pages.
///
/// A checkpoint may be at the last record of any part. Use [`resume_after`](Self::resume_after) to continue
/// within a transaction.
#[derive(Debug, Default)]
pub struct TransactionAssembler {
    bounds: Bounds,
    /// Pages with unprocessed records.
    pages: VecDeque<vec::IntoIter<Record>>,
    /// Records of one commit.
    held: Vec<Record>,
    held_bytes: usize,
    /// The commit of the last returned part.
    last_commit: Option<u64>,
    has_seen_marks: bool,
}

impl TransactionAssembler {
    /// An empty assembler.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// An assembler for a stream that continues after `position`. A next record of the same commit
    /// continues that transaction.
    pub fn resume_after(bounds: Bounds, position: Position) -> Self {
        Self { bounds, last_commit: Some(position.commit_num), ..Self::default() }
    }

    /// Adds the next page of the stream.
    pub fn push(&mut self, page: Page) {
        self.pages.push_back(page.records.into_iter());
    }

    /// Reports that the stream is idle after the last page, and returns the held transaction if it is
    /// complete.
    ///
    /// Neptune shows transactions atomically, so the held records are complete. Older engines have no
    /// other sign of it before the next commit. If the stream has marks and this transaction has none, a
    /// lagging replica responded, and the assembler waits for more records.
    pub fn idle(&mut self) -> Option<Part> {
        let is_complete = self.pages.iter().all(|page| page.len() == 0) && !self.has_seen_marks;
        if is_complete { self.take_part(Some(End::Idle)) } else { None }
    }

    /// The next transaction, or the next part of one; `None` if another page is needed.
    pub fn next_part(&mut self) -> Option<Part> {
        while let Some(page) = self.pages.front_mut() {
            // Only peeks: the held records may have to be returned before this record is taken.
            let Some(record) = page.as_slice().first() else {
                self.pages.pop_front();
                continue;
            };
            let bytes = record.text_bytes();
            if let Some(last) = self.held.last() {
                if last.position.commit_num != record.position.commit_num {
                    return self.take_part(Some(End::NextCommit));
                }
                let is_full =
                    self.held.len() >= self.bounds.max_records || self.held_bytes + bytes > self.bounds.max_bytes;
                if is_full {
                    return self.take_part(None);
                }
            }
            let is_last_op = record.is_last_op;
            self.held.extend(page.next());
            self.held_bytes += bytes;
            if is_last_op {
                self.has_seen_marks = true;
                return self.take_part(Some(End::Marked));
            }
        }
        None
    }

    /// Whether any record so far had `is_last_op`, which engines set since 1.1.1.0.
    pub fn has_seen_marks(&self) -> bool {
        self.has_seen_marks
    }

    /// The number of held records of an incomplete transaction.
    pub fn held_records(&self) -> usize {
        self.held.len()
    }

    /// The size of the held records, in bytes: see [`Record::text_bytes`].
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    fn take_part(&mut self, end: Option<End>) -> Option<Part> {
        let commit_num = self.held.first()?.position.commit_num;
        let is_first = self.last_commit != Some(commit_num);
        // Not cleared at the end of the transaction: commit numbers are unique.
        self.last_commit = Some(commit_num);
        self.held_bytes = 0;
        Some(Part { commit_num, records: mem::take(&mut self.held), is_first, end })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        record::{Data, Kind},
        testing::{cut_into_pages, history, page, record},
        value::Value,
    };

    const UNBOUNDED: Bounds = Bounds { max_records: usize::MAX, max_bytes: usize::MAX };

    fn parts(assembler: &mut TransactionAssembler, pages: Vec<Page>) -> Vec<Part> {
        let mut parts = Vec::new();
        for page in pages {
            assembler.push(page);
            parts.extend(std::iter::from_fn(|| assembler.next_part()));
        }
        parts
    }

    #[test]
    fn marked_transaction_ends_at_its_mark() {
        let mut assembler = TransactionAssembler::new(UNBOUNDED);
        assembler.push(page(vec![record(1, 1, false)]));
        assert_eq!(assembler.next_part(), None);
        assert_eq!(assembler.held_records(), 1);
        assembler.push(page(vec![record(1, 2, true), record(2, 1, true)]));
        let first = assembler.next_part().expect("a transaction");
        assert_eq!((first.commit_num, first.records.len(), first.end), (1, 2, Some(End::Marked)));
        assert!(first.is_whole());
        assert_eq!(assembler.next_part().expect("another").commit_num, 2);
        assert_eq!(assembler.next_part(), None);
        assert_eq!((assembler.held_records(), assembler.held_bytes()), (0, 0));
    }

    #[test]
    fn unmarked_transaction_ends_at_next_commit_or_idle_stream() {
        let mut assembler = TransactionAssembler::new(UNBOUNDED);
        let pages = vec![page(vec![record(1, 1, false)]), page(vec![record(1, 2, false), record(2, 1, false)])];
        let found = parts(&mut assembler, pages);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].records.len(), found[0].end), (2, Some(End::NextCommit)));
        let last = assembler.idle().expect("the last transaction");
        assert_eq!((last.commit_num, last.end, last.is_whole()), (2, Some(End::Idle), true));
        assert_eq!(assembler.idle(), None);
    }

    #[test]
    fn idle_with_unprocessed_page_or_missing_mark_ends_nothing() {
        let mut assembler = TransactionAssembler::new(UNBOUNDED);
        assembler.push(page(vec![record(1, 1, false)]));
        assert_eq!(assembler.idle(), None);
        assembler.push(page(vec![record(1, 2, true), record(2, 1, false)]));
        assert!(assembler.next_part().is_some_and(|part| part.is_whole()));
        assert_eq!(assembler.next_part(), None);
        // The stream has marks, so commit 2 is incomplete: a lagging replica responded.
        assert_eq!(assembler.idle(), None);
        assert_eq!(assembler.held_records(), 1);
    }

    #[test]
    fn missing_mark_ends_with_next_commit() {
        let mut assembler = TransactionAssembler::new(UNBOUNDED);
        let found =
            parts(&mut assembler, vec![page(vec![record(1, 1, true), record(2, 1, false), record(3, 1, true)])]);
        assert_eq!(found[1].end, Some(End::NextCommit));
        assert!(assembler.has_seen_marks());
    }

    #[test]
    fn resume_within_a_transaction_continues_it() {
        let pages = || vec![page(vec![record(7, 3, true), record(8, 1, true)])];
        let mut assembler = TransactionAssembler::resume_after(UNBOUNDED, Position::new(7, 2));
        let found = parts(&mut assembler, pages());
        assert!(!found[0].is_first);
        assert!(found[1].is_whole());
        let mut assembler = TransactionAssembler::resume_after(UNBOUNDED, Position::new(6, 2));
        assert!(parts(&mut assembler, pages()).iter().all(Part::is_whole));
    }

    #[test]
    fn size_is_counted_from_texts_and_not_from_memory() {
        let mut record = record(1, 1, true);
        record.data = Data {
            id: String::with_capacity(1000) + "v1",
            kind: Kind::Edge,
            key: "label".to_owned(),
            value: Value::String("follows".to_owned()),
            from: Some("mina".to_owned()),
            to: Some("jun".to_owned()),
        };
        // A release that counts otherwise would cut a half-published transaction elsewhere.
        assert_eq!(record.text_bytes(), 192 + 2 + 5 + 7 + 4 + 3);
        record.data.value = Value::Unrecognized { data_type: "Point".to_owned(), json: "[1]".to_owned() };
        assert_eq!(record.text_bytes(), 192 + 2 + 5 + 8 + 4 + 3);
        record.data.value = Value::Long(7);
        assert_eq!(record.text_bytes(), 192 + 2 + 5 + 4 + 3);
    }

    proptest! {
        #[test]
        fn transactions_do_not_depend_on_page_sizes(
            history in any::<bool>().prop_flat_map(history),
            sizes in prop::collection::vec(1_usize..12, 1..6),
        ) {
            let mut assembler = TransactionAssembler::new(UNBOUNDED);
            let mut found = parts(&mut assembler, cut_into_pages(&history, &sizes));
            found.extend(assembler.idle());
            prop_assert!(found.iter().all(Part::is_whole));
            let found: Vec<_> = found.into_iter().map(|part| part.records).collect();
            prop_assert_eq!(found, history);
        }

        #[test]
        fn parts_within_any_bounds_join_to_the_transactions(
            history in any::<bool>().prop_flat_map(history),
            sizes in prop::collection::vec(1_usize..12, 1..6),
            bounds in (0_usize..9, 0_usize..2_000).prop_map(|(max_records, max_bytes)| Bounds { max_records, max_bytes }),
        ) {
            let mut assembler = TransactionAssembler::new(bounds);
            let mut found = Vec::new();
            for page in cut_into_pages(&history, &sizes) {
                assembler.push(page);
                while let Some(part) = assembler.next_part() {
                    found.push(part);
                }
                prop_assert!(assembler.held_records() <= bounds.max_records.max(1));
                prop_assert!(assembler.held_bytes() <= bounds.max_bytes || assembler.held_records() == 1);
            }
            found.extend(assembler.idle());

            let mut joined: Vec<Vec<Record>> = Vec::new();
            let mut is_open = false;
            for part in &found {
                prop_assert!(!part.records.is_empty() && part.records.len() <= bounds.max_records.max(1));
                let bytes: usize = part.records.iter().map(Record::text_bytes).sum();
                prop_assert!(bytes <= bounds.max_bytes || part.records.len() == 1);
                prop_assert_eq!(part.is_first, !is_open);
                is_open = part.end.is_none();
                if part.is_first {
                    joined.push(Vec::new());
                }
                joined.last_mut().expect("a transaction").extend_from_slice(&part.records);
            }
            prop_assert!(!is_open);
            prop_assert_eq!(joined, history.clone());

            // The parts do not depend on the page sizes either.
            let mut assembler = TransactionAssembler::new(bounds);
            let mut uncut = parts(&mut assembler, cut_into_pages(&history, &[usize::MAX]));
            uncut.extend(assembler.idle());
            prop_assert_eq!(uncut, found);
        }
    }
}

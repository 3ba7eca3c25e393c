//! Records into whole transactions.

use std::{collections::VecDeque, mem, vec};

use crate::{page::Page, position::Position, record::Record};

/// How much of a transaction is held before it is handed over in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In records.
    pub max_records: usize,
    /// In bytes of memory, by [`Record::memory_bytes`].
    pub max_bytes: usize,
}

/// 100,000 records and 64 MiB: what the largest page may hold, and what it may take in memory.
impl Default for Bounds {
    fn default() -> Self {
        Self { max_records: 100_000, max_bytes: 64 << 20 }
    }
}

/// A transaction, or a part of one that is too large to be held.
///
/// A transaction within the [`Bounds`] is one part, its first and its last at once. The parts of a
/// larger one follow each other, with nothing between them, and together are the transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The transaction.
    pub commit_num: u64,
    /// In the stream's order, never empty.
    pub records: Vec<Record>,
    /// Whether the transaction begins here.
    pub is_first: bool,
    /// Whether the transaction ends here, and by which sign; `None` if more of it follows.
    pub end: Option<End>,
}

impl Part {
    /// Whether this is a transaction from its beginning to its end.
    pub fn is_whole(&self) -> bool {
        self.is_first && self.end.is_some()
    }
}

/// By which sign a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its last record says so.
    Marked,
    /// The next commit began. All that older engines have; on an engine that marks ends
    /// ([`TransactionAssembler::has_seen_marks`]) it says that records got lost, or that the
    /// engine was older when it wrote them.
    NextCommit,
    /// There is nothing behind it: see [`TransactionAssembler::idle`].
    Idle,
}

/// Puts transactions together from pages that were cut anywhere.
///
/// Hand in a page with [`push`](Self::push), then take [`next_part`](Self::next_part) until there
/// is none. What a transaction lacks is waited for, up to the [`Bounds`]: what is held passes them
/// never (but for a single record that is larger than they are), and whatever the size of a
/// transaction, its parts keep coming. Parts do not depend on how the stream was cut into pages.
///
/// A checkpoint may be taken at the last record of any part. One inside of a transaction leads
/// back to the middle of it: tell [`resume_after`](Self::resume_after).
#[derive(Debug, Default)]
pub struct TransactionAssembler {
    bounds: Bounds,
    /// Pages not yet looked through.
    pages: VecDeque<vec::IntoIter<Record>>,
    /// Records of one commit.
    held: Vec<Record>,
    held_bytes: usize,
    /// The transaction of which some records were handed over.
    begun: Option<u64>,
    has_seen_marks: bool,
}

impl TransactionAssembler {
    /// Without anything held.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// For a stream that is read on from after `position`. If the next record is of the same
    /// commit, it does not begin a transaction, it continues one.
    pub fn resume_after(bounds: Bounds, position: Position) -> Self {
        Self { bounds, begun: Some(position.commit_num), ..Self::default() }
    }

    /// Takes the next page of the stream.
    pub fn push(&mut self, page: Page) {
        self.pages.push_back(page.records.into_iter());
    }

    /// Takes note that there is nothing behind the last page: the endpoint was idle.
    ///
    /// Neptune shows transactions whole, so what is held is whole. Older engines have no other
    /// sign of it before the next commit. If ends are marked, and this one was not, what was asked
    /// was a replica that lags: more is waited for.
    pub fn idle(&mut self) -> Option<Part> {
        let ended = self.pages.iter().all(|page| page.len() == 0) && !self.has_seen_marks;
        if ended { self.hand_over(Some(End::Idle)) } else { None }
    }

    /// The next transaction, or the next part of one; `None` if that takes another page.
    pub fn next_part(&mut self) -> Option<Part> {
        while let Some(page) = self.pages.front_mut() {
            // Looked at before it is taken: it may have to wait until what is held is handed over.
            let Some(record) = page.as_slice().first() else {
                self.pages.pop_front();
                continue;
            };
            let bytes = record.memory_bytes();
            if let Some(last) = self.held.last() {
                if last.position.commit_num != record.position.commit_num {
                    return self.hand_over(Some(End::NextCommit));
                }
                let is_full =
                    self.held.len() >= self.bounds.max_records || self.held_bytes + bytes > self.bounds.max_bytes;
                if is_full {
                    return self.hand_over(None);
                }
            }
            let is_last_op = record.is_last_op;
            self.held.extend(page.next());
            self.held_bytes += bytes;
            if is_last_op {
                self.has_seen_marks = true;
                return self.hand_over(Some(End::Marked));
            }
        }
        None
    }

    /// Whether any record so far was marked as its transaction's last, as engines do since 1.1.1.0.
    pub fn has_seen_marks(&self) -> bool {
        self.has_seen_marks
    }

    /// How many records are held of a transaction whose end is not in sight.
    pub fn held_records(&self) -> usize {
        self.held.len()
    }

    /// The memory that they take, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    fn hand_over(&mut self, end: Option<End>) -> Option<Part> {
        let commit_num = self.held.first()?.position.commit_num;
        let is_first = self.begun != Some(commit_num);
        // Kept beyond the end: commit numbers do not come again.
        self.begun = Some(commit_num);
        self.held_bytes = 0;
        Some(Part { commit_num, records: mem::take(&mut self.held), is_first, end })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{cut, history, page, record};

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
    fn a_marked_transaction_is_whole_at_its_mark() {
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
    fn without_marks_a_transaction_is_whole_when_the_next_one_begins_or_the_stream_is_idle() {
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
    fn idle_does_not_end_what_is_not_looked_through_or_awaits_its_mark() {
        let mut assembler = TransactionAssembler::new(UNBOUNDED);
        assembler.push(page(vec![record(1, 1, false)]));
        assert_eq!(assembler.idle(), None);
        assembler.push(page(vec![record(1, 2, true), record(2, 1, false)]));
        assert!(assembler.next_part().is_some_and(|part| part.is_whole()));
        assert_eq!(assembler.next_part(), None);
        // Ends are marked here, so commit 2 has more to come: a lagging replica was asked.
        assert_eq!(assembler.idle(), None);
        assert_eq!(assembler.held_records(), 1);
    }

    #[test]
    fn a_mark_that_got_lost_shows() {
        let mut assembler = TransactionAssembler::new(UNBOUNDED);
        let found =
            parts(&mut assembler, vec![page(vec![record(1, 1, true), record(2, 1, false), record(3, 1, true)])]);
        assert_eq!(found[1].end, Some(End::NextCommit));
        assert!(assembler.has_seen_marks());
    }

    #[test]
    fn reading_resumed_inside_of_a_transaction_continues_it() {
        let pages = || vec![page(vec![record(7, 3, true), record(8, 1, true)])];
        let mut assembler = TransactionAssembler::resume_after(UNBOUNDED, Position::new(7, 2));
        let found = parts(&mut assembler, pages());
        assert!(!found[0].is_first);
        assert!(found[1].is_whole());
        let mut assembler = TransactionAssembler::resume_after(UNBOUNDED, Position::new(6, 2));
        assert!(parts(&mut assembler, pages()).iter().all(Part::is_whole));
    }

    proptest! {
        #[test]
        fn any_cutting_gives_the_same_transactions(
            history in any::<bool>().prop_flat_map(history),
            sizes in prop::collection::vec(1_usize..12, 1..6),
        ) {
            let mut assembler = TransactionAssembler::new(UNBOUNDED);
            let mut found = parts(&mut assembler, cut(&history, &sizes));
            found.extend(assembler.idle());
            prop_assert!(found.iter().all(Part::is_whole));
            let found: Vec<_> = found.into_iter().map(|part| part.records).collect();
            prop_assert_eq!(found, history);
        }

        #[test]
        fn whatever_the_bounds_the_parts_are_the_transactions(
            history in any::<bool>().prop_flat_map(history),
            sizes in prop::collection::vec(1_usize..12, 1..6),
            bounds in (0_usize..9, 0_usize..2_000).prop_map(|(max_records, max_bytes)| Bounds { max_records, max_bytes }),
        ) {
            let mut assembler = TransactionAssembler::new(bounds);
            let mut found = Vec::new();
            for page in cut(&history, &sizes) {
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
                let bytes: usize = part.records.iter().map(Record::memory_bytes).sum();
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

            // How the stream is cut is of no account for the parts either.
            let mut assembler = TransactionAssembler::new(bounds);
            let mut uncut = parts(&mut assembler, cut(&history, &[usize::MAX]));
            uncut.extend(assembler.idle());
            prop_assert_eq!(uncut, found);
        }
    }
}

//! Whether a page, or the head of the stream, continues the records read before.

use domain::graph::Position;

use crate::page::Page;

/// The relation of new records to the position consumed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// Nothing is missing.
    Continuous,
    /// Commits are missing.
    ///
    /// Such gaps have been observed to heal: keep the position and read again. Neptune does not document
    /// whether permanent gaps exist. The caller decides how long to wait and what to do then. Skipping a
    /// gap loses data.
    Gap {
        /// The first operation of the missing commit.
        expected: Position,
        /// The first position after the gap.
        got: Position,
    },
    /// The stream ends before the position consumed: a fast reset deleted it, and its commit numbers
    /// started again.
    ///
    /// A lagging replica looks the same for a moment. Keep the position and read again, from the cluster
    /// endpoint (the writer) if possible.
    Reset {
        /// The stream's last position now.
        head: Position,
    },
}

/// Checks that `page` follows `last`, the last consumed position, and has no gap within.
///
/// Commit numbers must increase by one. Operation numbers must increase; Neptune does not document that
/// they increase by one.
pub fn of_page(last: Option<Position>, page: &Page) -> Continuity {
    let mut before = last;
    for record in &page.records {
        let got = record.position;
        let Some(last) = before.replace(got) else { continue };
        if got <= last {
            return Continuity::Reset { head: page.records.last().map_or(got, |record| record.position) };
        }
        if got.commit_num - last.commit_num > 1 {
            return Continuity::Gap { expected: Position::new(last.commit_num + 1, 1), got };
        }
    }
    Continuity::Continuous
}

/// Checks that the stream's `head` is not before `last`, the last consumed position.
pub fn of_head(last: Position, head: Position) -> Continuity {
    if head < last { Continuity::Reset { head } } else { Continuity::Continuous }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{cut_into_pages, history, page, record};

    fn check(last: (u64, u64), positions: &[(u64, u64)]) -> Continuity {
        let records = positions.iter().map(|&(commit_num, op_num)| record(commit_num, op_num, false)).collect();
        of_page(Some(Position::new(last.0, last.1)), &page(records))
    }

    fn gap(expected: u64, got: (u64, u64)) -> Continuity {
        Continuity::Gap { expected: Position::new(expected, 1), got: Position::new(got.0, got.1) }
    }

    #[test]
    fn page_with_skipped_commit_is_a_gap() {
        assert_eq!(check((4, 2), &[]), Continuity::Continuous);
        assert_eq!(check((4, 2), &[(4, 3), (5, 1), (5, 2), (6, 1)]), Continuity::Continuous);
        assert_eq!(check((4, 2), &[(6, 1), (7, 1)]), gap(5, (6, 1)));
        assert_eq!(check((4, 2), &[(5, 1), (9, 3)]), gap(6, (9, 3)));
        assert_eq!(check((0, 0), &[(u64::MAX, 1)]), gap(1, (u64::MAX, 1)));
    }

    #[test]
    fn page_without_last_position_is_checked_within_itself() {
        let found = of_page(None, &page(vec![record(5, 3, true), record(6, 1, true), record(8, 1, true)]));
        assert_eq!(found, gap(7, (8, 1)));
        assert_eq!(of_page(None, &page(vec![])), Continuity::Continuous);
    }

    #[test]
    fn position_that_does_not_increase_is_a_reset() {
        let reset = |commit_num, op_num| Continuity::Reset { head: Position::new(commit_num, op_num) };
        assert_eq!(check((4, 2), &[(4, 2)]), reset(4, 2));
        assert_eq!(check((4, 2), &[(1, 1), (2, 1)]), reset(2, 1));
        assert_eq!(of_head(Position::new(4, 2), Position::new(4, 1)), reset(4, 1));
        assert_eq!(of_head(Position::new(4, 2), Position::new(4, 2)), Continuity::Continuous);
        assert_eq!(of_head(Position::new(4, 2), Position::new(9, 1)), Continuity::Continuous);
    }

    proptest! {
        #[test]
        fn history_without_one_commit_has_a_gap_there(
            history in history(true),
            sizes in prop::collection::vec(1_usize..12, 1..6),
            missing: prop::sample::Index,
        ) {
            let first_break = |history: &[Vec<_>]| {
                let mut last = Some(Position::new(0, 0));
                cut_into_pages(history, &sizes).into_iter().find_map(|page| {
                    let continuity = of_page(last, &page);
                    last = page.last_position();
                    (continuity != Continuity::Continuous).then_some(continuity)
                })
            };
            prop_assert_eq!(first_break(&history), None);
            let missing = missing.index(history.len());
            let mut incomplete = history.clone();
            incomplete.remove(missing);
            let gap = (missing < incomplete.len()).then(|| gap(missing as u64 + 1, (missing as u64 + 2, 1)));
            prop_assert_eq!(first_break(&incomplete), gap);
        }
    }
}

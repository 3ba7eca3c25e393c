//! Whether what was read follows what was read before.

use crate::{page::Page, position::Position};

/// What the stream's next page, or its head, says about what was consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// Nothing is missing.
    Continuous,
    /// Commits are missing.
    ///
    /// Do not go on at once: such gaps have been seen to heal, so hold the position and read
    /// again. Whether gaps that last exist is not documented. How long to wait, and what then, is
    /// for you to say; to skip them silently is to lose data.
    Gap {
        /// Where the stream should have gone on: the first operation of the commit that is missing.
        expected: Position,
        /// Where it did.
        got: Position,
    },
    /// The stream ends before what was consumed: a fast reset deleted it, and commits are numbered
    /// anew.
    ///
    /// A replica that lags behind the one asked before looks the same for a moment. Hold the
    /// position, and ask again (the cluster endpoint if possible, which is the writer) before you
    /// believe it.
    Reset {
        /// Where the stream ends now.
        head: Position,
    },
}

/// Whether `page` follows `last`, the last position consumed if there is one, and has no gap within.
///
/// Commits must follow each other by ones. Operations must only increase: that they go by ones,
/// too, Neptune does not say.
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

/// Whether the stream's `head` is where one may be who consumed everything up to `last`.
pub fn of_head(last: Position, head: Position) -> Continuity {
    if head < last { Continuity::Reset { head } } else { Continuity::Continuous }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{cut, history, page, record};

    fn check(last: (u64, u64), positions: &[(u64, u64)]) -> Continuity {
        let records = positions.iter().map(|&(commit_num, op_num)| record(commit_num, op_num, false)).collect();
        of_page(Some(Position::new(last.0, last.1)), &page(records))
    }

    fn gap(expected: u64, got: (u64, u64)) -> Continuity {
        Continuity::Gap { expected: Position::new(expected, 1), got: Position::new(got.0, got.1) }
    }

    #[test]
    fn commits_follow_each_other_by_ones() {
        assert_eq!(check((4, 2), &[]), Continuity::Continuous);
        assert_eq!(check((4, 2), &[(4, 3), (5, 1), (5, 2), (6, 1)]), Continuity::Continuous);
        assert_eq!(check((4, 2), &[(6, 1), (7, 1)]), gap(5, (6, 1)));
        assert_eq!(check((4, 2), &[(5, 1), (9, 3)]), gap(6, (9, 3)));
        assert_eq!(check((0, 0), &[(u64::MAX, 1)]), gap(1, (u64::MAX, 1)));
    }

    #[test]
    fn without_a_last_position_a_page_is_held_against_itself() {
        let found = of_page(None, &page(vec![record(5, 3, true), record(6, 1, true), record(8, 1, true)]));
        assert_eq!(found, gap(7, (8, 1)));
        assert_eq!(of_page(None, &page(vec![])), Continuity::Continuous);
    }

    #[test]
    fn what_goes_back_began_anew() {
        let reset = |commit_num, op_num| Continuity::Reset { head: Position::new(commit_num, op_num) };
        assert_eq!(check((4, 2), &[(4, 2)]), reset(4, 2));
        assert_eq!(check((4, 2), &[(1, 1), (2, 1)]), reset(2, 1));
        assert_eq!(of_head(Position::new(4, 2), Position::new(4, 1)), reset(4, 1));
        assert_eq!(of_head(Position::new(4, 2), Position::new(4, 2)), Continuity::Continuous);
        assert_eq!(of_head(Position::new(4, 2), Position::new(9, 1)), Continuity::Continuous);
    }

    proptest! {
        #[test]
        fn a_history_is_continuous_and_without_one_commit_it_is_not(
            history in history(true),
            sizes in prop::collection::vec(1_usize..12, 1..6),
            missing: prop::sample::Index,
        ) {
            let first_fault = |history: &[Vec<_>]| {
                let mut last = Some(Position::new(0, 0));
                cut(history, &sizes).into_iter().find_map(|page| {
                    let continuity = of_page(last, &page);
                    last = page.last_position();
                    (continuity != Continuity::Continuous).then_some(continuity)
                })
            };
            prop_assert_eq!(first_fault(&history), None);
            let missing = missing.index(history.len());
            let mut holed = history.clone();
            holed.remove(missing);
            let gap = (missing < holed.len()).then(|| gap(missing as u64 + 1, (missing as u64 + 2, 1)));
            prop_assert_eq!(first_fault(&holed), gap);
        }
    }
}

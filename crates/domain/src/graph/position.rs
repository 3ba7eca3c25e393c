use std::{fmt, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};

/// Position in the graph's history: the commit, and the operation within it.
///
/// Positions sort in the order of the history. As text and in JSON a position is
/// `<commitNum>/<opNum>`, for example `1132/200`, because JavaScript rounds JSON numbers above 2^53.
/// Texts do not sort as positions: compare positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr, SerializeDisplay)]
pub struct Position {
    /// Number of the commit, that is of the transaction.
    pub commit_num: u64,
    /// Number of the operation within the commit, from 1.
    pub op_num: u64,
}

impl Position {
    /// The position of operation `op_num` in commit `commit_num`.
    pub const fn new(commit_num: u64, op_num: u64) -> Self {
        Self { commit_num, op_num }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.commit_num, self.op_num)
    }
}

/// The text is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position in the graph's history: expected <commitNum>/<opNum>")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (commit_num, op_num) = text.split_once('/').ok_or(InvalidPosition)?;
        Ok(Self { commit_num: number(commit_num)?, op_num: number(op_num)? })
    }
}

/// Accepts the written form only; the parser of `u64` also accepts a plus sign and leading zeros.
fn number(text: &str) -> Result<u64, InvalidPosition> {
    let is_canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_canonical).ok_or(InvalidPosition)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn positions_sort_by_commit_then_operation() {
        assert!(Position::new(1, 9) < Position::new(2, 1));
        assert!(Position::new(2, 9) < Position::new(2, 10));
    }

    #[test]
    fn text_that_is_no_position_is_rejected() {
        for text in ["", "/", "1", "1/", "/1", "+1/1", "1/-1", "01/1", "1/1/1", " 1/1", "1/18446744073709551616", "١/1"]
        {
            assert_eq!(text.parse::<Position>(), Err(InvalidPosition), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(commit_num: u64, op_num: u64) {
            let position = Position::new(commit_num, op_num);
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }
    }
}

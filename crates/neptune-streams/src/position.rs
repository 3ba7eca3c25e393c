use std::{fmt, str::FromStr};

use thiserror::Error;

/// The place of a record in the stream: its commit, and its operation within the commit.
///
/// Positions have the order of the stream. Their text is `<commitNum>/<opNum>`, for example `1132/200`.
/// In JSON, use the text: JavaScript loses the precision of numbers above 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The number of the commit, that is, of the transaction. Neptune counts them by one.
    pub commit_num: u64,
    /// The number of the operation within the commit, from 1.
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

/// The text is not a [`Position`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a stream position: expected <commitNum>/<opNum>")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (commit_num, op_num) = text.split_once('/').ok_or(InvalidPosition)?;
        Ok(Self { commit_num: number(commit_num)?, op_num: number(op_num)? })
    }
}

/// Accepts digits only. `u64::from_str` also accepts a plus sign.
fn number(text: &str) -> Result<u64, InvalidPosition> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidPosition);
    }
    text.parse().map_err(|_| InvalidPosition)
}

/// The start of a read: an iterator type of the Streams API with its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At this position, with the record there.
    AtSequenceNumber(Position),
    /// After this position, for example a checkpoint.
    AfterSequenceNumber(Position),
    /// At the oldest record that has not expired.
    TrimHorizon,
    /// At the most recent record. Neptune returns only this record.
    Latest,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn positions_are_ordered_by_commit_then_operation() {
        assert!(Position::new(1, 9) < Position::new(2, 1));
        assert!(Position::new(2, 1) < Position::new(2, 2));
    }

    #[test]
    fn other_text_is_rejected() {
        for text in ["", "/", "1", "1/", "/1", "+1/1", "1/-1", "1/1/1", " 1/1", "1/18446744073709551616", "١/1"] {
            assert_eq!(text.parse::<Position>(), Err(InvalidPosition), "{text}");
        }
    }

    proptest! {
        #[test]
        fn position_formatted_parses_to_itself(commit_num: u64, op_num: u64) {
            let position = Position::new(commit_num, op_num);
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }
    }
}

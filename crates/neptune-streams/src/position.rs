use std::{fmt, str::FromStr};

use thiserror::Error;

/// Where a record stands in the stream: which commit, and which operation within it.
///
/// Positions are ordered as the stream is. As text they read `<commitNum>/<opNum>`, for example
/// `1132/200`: keep them as text wherever JavaScript may read them, since as JSON numbers they lose
/// precision above 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The commit, that is the transaction. Neptune numbers them one by one.
    pub commit_num: u64,
    /// The operation within the commit. The first is 1.
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

/// The text is no [`Position`].
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

/// Digits only: `u64`'s own parser also takes a plus sign.
fn number(text: &str) -> Result<u64, InvalidPosition> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidPosition);
    }
    text.parse().map_err(|_| InvalidPosition)
}

/// Where reading starts: an iterator type of the Streams API and what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At this position, the record there included.
    AtSequenceNumber(Position),
    /// After this position: how reading goes on from a checkpoint.
    AfterSequenceNumber(Position),
    /// At the oldest record that has not expired.
    TrimHorizon,
    /// At the most recent record. Neptune answers with that record alone.
    Latest,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_commit_comes_before_the_operation() {
        assert!(Position::new(1, 9) < Position::new(2, 1));
        assert!(Position::new(2, 1) < Position::new(2, 2));
    }

    #[test]
    fn refuses_what_is_no_position() {
        for text in ["", "/", "1", "1/", "/1", "+1/1", "1/-1", "1/1/1", " 1/1", "1/18446744073709551616", "١/1"] {
            assert_eq!(text.parse::<Position>(), Err(InvalidPosition), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_position_survives_its_text(commit_num: u64, op_num: u64) {
            let position = Position::new(commit_num, op_num);
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }
    }
}

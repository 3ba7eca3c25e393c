use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A place in the graph's history: which commit, and which operation within it.
///
/// Positions are ordered as the history is. As text they read `<commitNum>/<opNum>`, for example
/// `1132/200`, and so they stand in JSON: as JSON numbers they would lose precision above 2^53
/// wherever JavaScript reads them. The text is not ordered: compare positions, not texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The commit, that is the transaction.
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

/// The text was not written by a [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position in the graph's history: <commitNum>/<opNum> is expected")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (commit_num, op_num) = text.split_once('/').ok_or(InvalidPosition)?;
        Ok(Self { commit_num: number(commit_num)?, op_num: number(op_num)? })
    }
}

/// Only as it is written: `u64`'s own parser also takes a plus sign and leading zeros.
fn number(text: &str) -> Result<u64, InvalidPosition> {
    let is_canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_canonical).ok_or(InvalidPosition)
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_commit_comes_before_the_operation() {
        assert!(Position::new(1, 9) < Position::new(2, 1));
        assert!(Position::new(2, 9) < Position::new(2, 10));
    }

    #[test]
    fn refuses_what_is_no_position() {
        for text in ["", "/", "1", "1/", "/1", "+1/1", "1/-1", "01/1", "1/1/1", " 1/1", "1/18446744073709551616", "١/1"]
        {
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

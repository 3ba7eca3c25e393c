use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Hexadecimal digits kept of a sequencer. S3 has used 16 to 18; the room left costs nothing.
const WIDTH: usize = 32;

/// Digits at the end that count how often an original was made anew, and before them, digits that are zero: so
/// it is certain that S3 has left both free.
const REVISION: usize = 8;
const MARGIN: usize = 6;

/// S3's order of the events of one key: hexadecimal text, comparable only for that key.
///
/// S3 says to right-pad the shorter of two with zeros before comparing them as text (Amazon S3
/// User Guide, "Event message structure"). It is kept padded to one width and in upper case, so
/// that a plain comparison, in Rust and in a DynamoDB condition, is the right one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequencer(String);

/// The text is not 1 to 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sequencer: 1 to {WIDTH} hexadecimal digits are expected")]
pub struct InvalidSequencer;

impl Sequencer {
    /// Reads a sequencer as S3 writes it.
    pub fn parse(text: &str) -> Result<Self, InvalidSequencer> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.is_empty() || text.len() > WIDTH || !is_hex {
            return Err(InvalidSequencer);
        }
        Ok(Self(format!("{:0<WIDTH$}", text.to_ascii_uppercase())))
    }

    /// The next position behind this one for the same content: after all that was heard of it, and before all
    /// that S3 will ever say of the key, whose sequencers differ in the digits before.
    ///
    /// `None` where S3's own digits reach so far, or after 2^32 - 1 times.
    pub fn next_revision(&self) -> Option<Self> {
        let (of_s3, revision) = self.0.split_at(WIDTH - REVISION);
        let is_free = of_s3.get(of_s3.len() - MARGIN..)?.bytes().all(|digit| digit == b'0');
        let next = u32::from_str_radix(revision, 16).ok()?.checked_add(1)?;
        is_free.then(|| Self(format!("{of_s3}{next:0REVISION$X}")))
    }

    /// The padded text: 32 upper-case hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sequencer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Sequencer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Sequencer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Where a piece of news stands among all news of one media item; the highest wins.
///
/// First S3's order, then, for one state of the object, what is known of it: that it landed, that
/// it could not be processed, that it is ready. So a late "it landed" does not undo "it is ready",
/// and a second try that succeeds replaces the failure of the first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Order of the object's event.
    pub sequencer: Sequencer,
    /// Order of what followed from that event.
    pub stage: Stage,
}

/// What is known of one state of an object, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// S3 told of the object (or of its deletion).
    S3Event = 0,
    /// A worker gave up on it.
    Failed = 1,
    /// A worker is done with it.
    Ready = 2,
}

impl fmt::Display for Position {
    /// One fixed-width text, ordered like the position itself: what the table compares.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sequencer, self.stage as u8)
    }
}

/// The text was not written by a [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position: <sequencer>.<stage> is expected")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (sequencer, stage) = text.split_once('.').ok_or(InvalidPosition)?;
        let stage = match stage {
            "0" => Stage::S3Event,
            "1" => Stage::Failed,
            "2" => Stage::Ready,
            _ => return Err(InvalidPosition),
        };
        Ok(Self { sequencer: Sequencer::parse(sequencer).map_err(|_| InvalidPosition)?, stage })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shorter_is_padded_on_the_right() {
        let parse = |text| Sequencer::parse(text).expect("a sequencer");
        assert!(parse("0055AED6DCD90281E5") > parse("0055AED6DCD90281"));
        assert_eq!(parse("0055aed6"), parse("0055AED600"));
    }

    #[test]
    fn refuses_what_is_no_sequencer() {
        for text in ["", "0x12", "12 ", "한", &"0".repeat(WIDTH + 1)] {
            assert_eq!(Sequencer::parse(text), Err(InvalidSequencer), "{text}");
        }
    }

    #[test]
    fn a_revision_has_room_or_there_is_none() {
        let parse = |text: &str| Sequencer::parse(text).expect("a sequencer");
        let first = parse("0055AED6DCD90281E5").next_revision().expect("room");
        assert_eq!(first.as_str(), "0055AED6DCD90281E500000000000001");
        assert_eq!(first.next_revision().expect("room").as_str(), "0055AED6DCD90281E500000000000002");
        assert_eq!(parse("0055AED6DCD90281E5000001").next_revision(), None, "S3 has begun to use them");
        assert_eq!(parse("0055AED6DCD90281E5000000FFFFFFFF").next_revision(), None);
    }

    fn position() -> impl Strategy<Value = Position> {
        let stage = prop_oneof![Just(Stage::S3Event), Just(Stage::Failed), Just(Stage::Ready)];
        ("[0-9A-F]{1,20}", stage)
            .prop_map(|(text, stage)| Position { sequencer: Sequencer::parse(&text).expect("a sequencer"), stage })
    }

    proptest! {
        #[test]
        fn a_revision_comes_before_all_that_s3_says_later(
            one in "[0-9A-F]{1,18}", other in "[0-9A-F]{1,18}", times in 1..5,
        ) {
            let parse = |text: &str| Sequencer::parse(text).expect("a sequencer");
            let (one, other) = (parse(&one), parse(&other));
            let mut next_revision = one.clone();
            for _ in 0..times {
                let next = next_revision.next_revision().expect("room");
                prop_assert!(next > next_revision);
                next_revision = next;
            }
            prop_assert_eq!(other.cmp(&next_revision), if other == one { std::cmp::Ordering::Less } else { other.cmp(&one) });
        }

        #[test]
        fn text_is_ordered_like_the_position(a in position(), b in position()) {
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
        }
    }
}

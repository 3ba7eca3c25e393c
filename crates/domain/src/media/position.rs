use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Hexadecimal digits of a stored sequencer. S3 has used 16 to 18.
const WIDTH: usize = 32;

/// Last digits of a sequencer, which count how often the original was reprocessed.
const REVISION: usize = 8;
/// Digits before the revision that must be zero, so that S3 certainly uses neither them nor the revision.
const MARGIN: usize = 6;

/// S3's sequencer: the order of the events of one key, as hexadecimal text. Sequencers of different
/// keys are not comparable.
///
/// S3 requires to right-pad the shorter of two with zeros before comparing them as text (Amazon S3 User
/// Guide, "Event message structure"). A sequencer is stored padded to one width and in upper case, so
/// that Rust and DynamoDB conditions compare the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequencer(String);

/// The text is not a sequencer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sequencer: expected 1 to {WIDTH} hexadecimal digits")]
pub struct InvalidSequencer;

impl Sequencer {
    /// Parses a sequencer of S3, or a stored one.
    pub fn parse(text: &str) -> Result<Self, InvalidSequencer> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.is_empty() || text.len() > WIDTH || !is_hex {
            return Err(InvalidSequencer);
        }
        Ok(Self(format!("{:0<WIDTH$}", text.to_ascii_uppercase())))
    }

    /// The sequencer of the next revision, for processing the same content again. It sorts after this one
    /// and before all later sequencers of S3 for the key, because those differ in earlier digits.
    ///
    /// `None` if S3's digits reach into the revision's, or after 2^32 - 1 revisions.
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

/// Position of a change among all changes of one media item; the latest wins.
///
/// It sorts by S3's order, then by stage. So a late S3 event does not undo `ready`, and a retry that
/// succeeds replaces the earlier failure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Sequencer of the object's event.
    pub sequencer: Sequencer,
    /// Stage of processing of that event.
    pub stage: Stage,
}

/// Stage of processing of one object event, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// S3 reported the object, or its deletion.
    S3Event = 0,
    /// A worker reported a permanent failure.
    Failed = 1,
    /// A worker reported success.
    Ready = 2,
}

impl fmt::Display for Position {
    /// Fixed-width text that sorts as the position; the table's conditions compare it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sequencer, self.stage as u8)
    }
}

/// The text is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position: expected <sequencer>.<stage>")]
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
    fn shorter_sequencer_is_padded_on_the_right() {
        let parse = |text| Sequencer::parse(text).expect("a sequencer");
        assert!(parse("0055AED6DCD90281E5") > parse("0055AED6DCD90281"));
        assert_eq!(parse("0055aed6"), parse("0055AED600"));
    }

    #[test]
    fn text_that_is_no_sequencer_is_rejected() {
        for text in ["", "0x12", "12 ", "한", &"0".repeat(WIDTH + 1)] {
            assert_eq!(Sequencer::parse(text), Err(InvalidSequencer), "{text}");
        }
    }

    #[test]
    fn sequencer_without_free_digits_has_no_revision() {
        let parse = |text: &str| Sequencer::parse(text).expect("a sequencer");
        let first = parse("0055AED6DCD90281E5").next_revision().expect("free digits");
        assert_eq!(first.as_str(), "0055AED6DCD90281E500000000000001");
        assert_eq!(first.next_revision().expect("free digits").as_str(), "0055AED6DCD90281E500000000000002");
        assert_eq!(parse("0055AED6DCD90281E5000001").next_revision(), None, "S3 uses the digits");
        assert_eq!(parse("0055AED6DCD90281E5000000FFFFFFFF").next_revision(), None);
    }

    fn position() -> impl Strategy<Value = Position> {
        let stage = prop_oneof![Just(Stage::S3Event), Just(Stage::Failed), Just(Stage::Ready)];
        ("[0-9A-F]{1,20}", stage)
            .prop_map(|(text, stage)| Position { sequencer: Sequencer::parse(&text).expect("a sequencer"), stage })
    }

    proptest! {
        #[test]
        fn revision_sorts_before_later_sequencers_of_s3(
            one in "[0-9A-F]{1,18}", other in "[0-9A-F]{1,18}", times in 1..5,
        ) {
            let parse = |text: &str| Sequencer::parse(text).expect("a sequencer");
            let (one, other) = (parse(&one), parse(&other));
            let mut next_revision = one.clone();
            for _ in 0..times {
                let next = next_revision.next_revision().expect("free digits");
                prop_assert!(next > next_revision);
                next_revision = next;
            }
            prop_assert_eq!(other.cmp(&next_revision), if other == one { std::cmp::Ordering::Less } else { other.cmp(&one) });
        }

        #[test]
        fn text_sorts_as_the_position(a in position(), b in position()) {
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
        }
    }
}

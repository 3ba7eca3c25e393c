use std::{fmt, str::FromStr};

use crate::graph::Position;

/// A fact as it was at a position of the graph's history: a last-writer-wins register.
///
/// Of two, the one with the later position holds, whichever comes first; one that comes twice
/// changes nothing. A fact that holds no more leaves a tombstone, so that an older one which
/// comes late cannot bring it back.
///
/// As text, positions have a fixed width and come first. So a comparison of texts, which is all
/// that a condition of a database can do, orders registers as their positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// Of the change that said so.
    pub position: Position,
    /// What holds since then; `None` is the tombstone.
    pub value: Option<String>,
}

impl Register {
    /// The value holds from `position` on.
    pub fn holds(position: Position, value: impl Into<String>) -> Self {
        Self { position, value: Some(value.into()) }
    }

    /// Nothing holds any more from `position` on.
    pub fn tombstone(position: Position) -> Self {
        Self { position, value: None }
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 20 digits are the longest u64.
        write!(f, "{:020}.{:020}", self.position.commit_num, self.position.op_num)?;
        match &self.value {
            Some(value) => write!(f, "+{value}"),
            None => f.write_str("-"),
        }
    }
}

/// The text was not written by a [`Register`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a register: <commitNum>.<opNum>, then + and a value, or - are expected")]
pub struct InvalidRegister;

impl FromStr for Register {
    type Err = InvalidRegister;

    fn from_str(text: &str) -> Result<Self, InvalidRegister> {
        let (position, rest) = text.split_at_checked(41).ok_or(InvalidRegister)?;
        let (commit_num, op_num) = position.split_once('.').ok_or(InvalidRegister)?;
        let number = |digits: &str| digits.parse().map_err(|_| InvalidRegister);
        let position = Position::new(number(commit_num)?, number(op_num)?);
        match rest.split_at_checked(1) {
            Some(("+", value)) => Ok(Self::holds(position, value)),
            Some(("-", "")) => Ok(Self::tombstone(position)),
            _ => Err(InvalidRegister),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn register() -> impl Strategy<Value = Register> {
        let value = prop::option::of(any::<String>());
        (any::<(u64, u64)>(), value)
            .prop_map(|((commit, op), value)| Register { position: Position::new(commit, op), value })
    }

    #[test]
    fn refuses_what_is_no_register() {
        let digits = "0".repeat(20);
        for text in ["", "1.1+", &format!("{digits}.{digits}"), &format!("{digits}.{digits}-x"), &"가".repeat(20)] {
            assert_eq!(text.parse::<Register>(), Err(InvalidRegister), "{text}");
        }
    }

    proptest! {
        #[test]
        fn survives_its_text(register in register()) {
            prop_assert_eq!(register.to_string().parse(), Ok(register));
        }

        #[test]
        fn texts_are_ordered_as_positions(a in register(), b in register()) {
            prop_assume!(a.position != b.position);
            prop_assert_eq!(a.to_string() < b.to_string(), a.position < b.position);
        }
    }
}

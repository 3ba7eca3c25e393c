use std::{fmt, str::FromStr};

use crate::{graph::Position, register::LwwRegister};

/// A register of the table `audience`.
///
/// As text it is `<commitNum>.<opNum>+<value>`, or `<commitNum>.<opNum>-` for a tombstone. Positions
/// have a fixed width and come first. So one comparison of texts in a DynamoDB condition compares
/// the positions of two registers.
pub type Register = LwwRegister<Position, String>;

/// Digits of the largest `u64`.
const DIGITS: usize = 20;
/// Two numbers and the dot between them.
const POSITION_LENGTH: usize = 2 * DIGITS + 1;

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$}.{:0DIGITS$}", self.position.commit_num, self.position.op_num)?;
        match &self.value {
            Some(value) => write!(f, "+{value}"),
            None => f.write_str("-"),
        }
    }
}

/// The text is not a stored register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a register: expected <commitNum>.<opNum>, then + and a value, or -")]
pub struct InvalidRegister;

impl FromStr for Register {
    type Err = InvalidRegister;

    fn from_str(text: &str) -> Result<Self, InvalidRegister> {
        let (position, rest) = text.split_at_checked(POSITION_LENGTH).ok_or(InvalidRegister)?;
        let (commit_num, op_num) = position.split_once('.').ok_or(InvalidRegister)?;
        let number = |digits: &str| digits.parse().map_err(|_| InvalidRegister);
        let position = Position::new(number(commit_num)?, number(op_num)?);
        match rest.split_at_checked(1) {
            Some(("+", value)) => Ok(Self::new(position, value)),
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
    fn text_that_is_no_register_is_rejected() {
        let digits = "0".repeat(20);
        for text in ["", "1.1+", &format!("{digits}.{digits}"), &format!("{digits}.{digits}-x"), &"가".repeat(20)] {
            assert_eq!(text.parse::<Register>(), Err(InvalidRegister), "{text}");
        }
    }

    #[test]
    fn text_has_fixed_width_positions() {
        let register = Register::new(Position::new(12, 3), "mina");
        assert_eq!(register.to_string(), "00000000000000000012.00000000000000000003+mina");
        assert_eq!(Register::tombstone(Position::new(12, 3)).to_string(), "00000000000000000012.00000000000000000003-");
    }

    proptest! {
        #[test]
        fn text_round_trips(register in register()) {
            prop_assert_eq!(register.to_string().parse(), Ok(register));
        }

        #[test]
        fn texts_sort_as_positions(a in register(), b in register()) {
            prop_assume!(a.position != b.position);
            prop_assert_eq!(a.to_string() < b.to_string(), a.position < b.position);
        }
    }
}

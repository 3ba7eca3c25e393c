use std::{fmt, str::FromStr};

use crate::{
    graph::{GenerationPosition, Position},
    lww_register::LwwRegister,
};

/// A register of the table `audience`.
///
/// As text it is `<commitNum>.<opNum>+<value>`, or `<commitNum>.<opNum>-` for a tombstone. After a fast
/// reset `g<generation>.` precedes it. Numbers have a fixed width, and `g` sorts after all digits. So one
/// comparison of texts in a DynamoDB condition compares the positions of two registers, also with rows
/// that were written before registers had a generation.
pub type Register = LwwRegister<GenerationPosition, String>;

/// Digits of the largest `u64`.
const DIGITS: usize = 20;
/// Digits of the largest `u32`.
pub(crate) const GENERATION_DIGITS: usize = 10;
/// Two numbers and the dot between them.
const POSITION_LENGTH: usize = 2 * DIGITS + 1;

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GenerationPosition { generation, position } = self.position;
        if generation > 0 {
            write!(f, "g{generation:0GENERATION_DIGITS$}.")?;
        }
        write!(f, "{:0DIGITS$}.{:0DIGITS$}", position.commit_num, position.op_num)?;
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

/// Parses the texts of the tables `audience` and [`search`](crate::search::register_text).
impl FromStr for Register {
    type Err = InvalidRegister;

    fn from_str(text: &str) -> Result<Self, InvalidRegister> {
        let (generation, text) = split_generation(text).ok_or(InvalidRegister)?;
        let (position, rest) = text.split_at_checked(POSITION_LENGTH).ok_or(InvalidRegister)?;
        let (commit_num, op_num) = position.split_once('.').ok_or(InvalidRegister)?;
        let number = |digits: &str| digits.parse().map_err(|_| InvalidRegister);
        let position = Position::new(number(commit_num)?, number(op_num)?);
        let position = GenerationPosition { generation, position };
        match rest.split_at_checked(1) {
            Some(("+", value)) => Ok(Self::new(position, value)),
            Some(("-", "")) => Ok(Self::tombstone(position)),
            _ => Err(InvalidRegister),
        }
    }
}

/// Splits the generation off the text of a register; 0 if the text has none.
fn split_generation(text: &str) -> Option<(u32, &str)> {
    let digits = text.strip_prefix('g').unwrap_or(text);
    match digits.split_at_checked(GENERATION_DIGITS).map(|(generation, rest)| (generation, rest.strip_prefix('.'))) {
        Some((generation, Some(rest))) => Some((generation.parse().ok()?, rest)),
        _ => (digits.len() == text.len()).then_some((0, text)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn register() -> impl Strategy<Value = Register> {
        let value = prop::option::of(any::<String>());
        // Few generations, so that equal ones meet.
        let generation = prop_oneof![Just(0), Just(1), Just(u32::MAX), any::<u32>()];
        (generation, any::<(u64, u64)>(), value).prop_map(|(generation, (commit, op), value)| Register {
            position: GenerationPosition { generation, position: Position::new(commit, op) },
            value,
        })
    }

    #[test]
    fn text_that_is_no_register_is_rejected() {
        let digits = "0".repeat(20);
        for text in [
            "",
            "1.1+",
            &format!("{digits}.{digits}"),
            &format!("{digits}.{digits}-x"),
            &format!("g{digits}.{digits}-"),
            &format!("g1.{digits}.{digits}-"),
            &format!("9999999999.{digits}.{digits}-"),
            &"가".repeat(20),
        ] {
            assert_eq!(text.parse::<Register>(), Err(InvalidRegister), "{text}");
        }
    }

    #[test]
    fn text_has_fixed_width_positions() {
        let register = Register::new(Position::new(12, 3), "mina");
        assert_eq!(register.to_string(), "00000000000000000012.00000000000000000003+mina");
        assert_eq!(Register::tombstone(Position::new(12, 3)).to_string(), "00000000000000000012.00000000000000000003-");
        let position = GenerationPosition { generation: 2, position: Position::new(12, 3) };
        let text = "g0000000002.00000000000000000012.00000000000000000003+mina";
        assert_eq!(Register::new(position, "mina").to_string(), text);
    }

    #[test]
    fn text_of_any_later_generation_sorts_after_one_without_a_generation() {
        let old = Register::new(Position::new(u64::MAX, u64::MAX), "old");
        let position = GenerationPosition { generation: 1, position: Position::new(1, 1) };
        assert!(old.to_string() < Register::tombstone(position).to_string());
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

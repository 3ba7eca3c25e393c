use std::{fmt, str::FromStr};

use super::GenerationPosition;
pub use crate::push::InvalidRegister;
use crate::{push, register::LwwRegister};

/// A register of the table `search`.
///
/// As text it is the [register](push::Register) of the table `audience` behind the generation:
/// `<generation>.<commitNum>.<opNum>+<value>`. Texts sort as their positions.
pub type Register = LwwRegister<GenerationPosition, String>;

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let register = push::Register { position: self.position.position, value: self.value.clone() };
        // The largest u32 has 10 digits.
        write!(f, "{:010}.{register}", self.position.generation)
    }
}

impl FromStr for Register {
    type Err = InvalidRegister;

    fn from_str(text: &str) -> Result<Self, InvalidRegister> {
        let (generation, rest) = text.split_once('.').ok_or(InvalidRegister)?;
        let generation = generation.parse().map_err(|_| InvalidRegister)?;
        let push::Register { position, value } = rest.parse()?;
        Ok(Self { position: GenerationPosition { generation, position }, value })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::Position;

    fn register() -> impl Strategy<Value = Register> {
        let position = any::<(u32, u64, u64)>().prop_map(|(generation, commit_num, op_num)| GenerationPosition {
            generation,
            position: Position::new(commit_num, op_num),
        });
        (position, prop::option::of(any::<String>())).prop_map(|(position, value)| Register { position, value })
    }

    #[test]
    fn text_begins_with_the_generation() {
        let position = GenerationPosition { generation: 1, position: Position::new(12, 3) };
        let text = "0000000001.00000000000000000012.00000000000000000003+mina";
        assert_eq!(Register::new(position, "mina").to_string(), text);
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

use crate::push::GENERATION_DIGITS;
pub use crate::push::{InvalidRegister, Register};

/// The text of a register in the table `search`: `<generation>.<commitNum>.<opNum>+<value>`, or with `-`
/// for a tombstone. Texts sort as their positions.
pub fn register_text(register: &Register) -> String {
    let text = register.to_string();
    // The generation is always written here, and without the letter.
    match text.strip_prefix('g') {
        Some(text) => text.to_owned(),
        None => format!("{:0GENERATION_DIGITS$}.{text}", 0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::{GenerationPosition, Position};

    fn register() -> impl Strategy<Value = Register> {
        let generation = prop_oneof![Just(0), any::<u32>()];
        let position = (generation, any::<(u64, u64)>()).prop_map(|(generation, (commit_num, op_num))| {
            GenerationPosition { generation, position: Position::new(commit_num, op_num) }
        });
        (position, prop::option::of(any::<String>())).prop_map(|(position, value)| Register { position, value })
    }

    #[test]
    fn text_begins_with_the_generation() {
        for (generation, expected) in [
            (0, "0000000000.00000000000000000012.00000000000000000003+mina"),
            (1, "0000000001.00000000000000000012.00000000000000000003+mina"),
        ] {
            let position = GenerationPosition { generation, position: Position::new(12, 3) };
            assert_eq!(register_text(&Register::new(position, "mina")), expected);
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(register in register()) {
            prop_assert_eq!(register_text(&register).parse(), Ok(register));
        }

        #[test]
        fn texts_sort_as_positions(a in register(), b in register()) {
            prop_assume!(a.position != b.position);
            prop_assert_eq!(register_text(&a) < register_text(&b), a.position < b.position);
        }
    }
}

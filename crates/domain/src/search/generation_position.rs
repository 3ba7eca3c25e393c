use std::{fmt, str::FromStr};

use crate::{graph::Position, push};

/// A place in the graph's history, over all its beginnings: a fast reset starts the commit numbers
/// again, so what comes after it counts as a further generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationPosition {
    /// How many fast resets came before.
    pub generation: u32,
    /// Within the generation.
    pub position: Position,
}

impl GenerationPosition {
    /// The stamp of a change at `position` that came from `cluster`, as the poller names it:
    /// `<cluster>` at first, `<cluster>.<generation>` after resets. Cluster names have no dot.
    pub fn of(cluster: &str, position: Position) -> Self {
        let generation = cluster.rsplit_once('.').and_then(|(_, number)| number.parse().ok());
        Self { generation: generation.unwrap_or(0), position }
    }
}

/// A fact as it was at a [`GenerationPosition`]: a last-writer-wins register, as push keeps them, that also
/// knows the generation. As texts, registers are ordered as their stamps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// Of the change that said so.
    pub stamp: GenerationPosition,
    /// What holds since then; `None` is the tombstone.
    pub value: Option<String>,
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fact = push::Register { position: self.stamp.position, value: self.value.clone() };
        // 10 digits are the longest u32.
        write!(f, "{:010}.{fact}", self.stamp.generation)
    }
}

impl FromStr for Register {
    type Err = push::InvalidRegister;

    fn from_str(text: &str) -> Result<Self, push::InvalidRegister> {
        let (generation, rest) = text.split_once('.').ok_or(push::InvalidRegister)?;
        let generation = generation.parse().map_err(|_| push::InvalidRegister)?;
        let push::Register { position, value } = rest.parse()?;
        Ok(Self { stamp: GenerationPosition { generation, position }, value })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn register() -> impl Strategy<Value = Register> {
        let stamp = any::<(u32, u64, u64)>().prop_map(|(generation, commit_num, op_num)| GenerationPosition {
            generation,
            position: Position::new(commit_num, op_num),
        });
        (stamp, prop::option::of(any::<String>())).prop_map(|(stamp, value)| Register { stamp, value })
    }

    #[test]
    fn a_reset_begins_a_generation() {
        let position = Position::new(7, 1);
        let generation = |cluster| GenerationPosition::of(cluster, position).generation;
        assert_eq!((generation("main"), generation("main.1"), generation("main.12")), (0, 1, 12));
        assert!(
            GenerationPosition::of("main.1", Position::new(1, 1)) > GenerationPosition::of("main", Position::new(9, 9))
        );
    }

    proptest! {
        #[test]
        fn survives_its_text(register in register()) {
            prop_assert_eq!(register.to_string().parse(), Ok(register));
        }

        #[test]
        fn texts_are_ordered_as_stamps(a in register(), b in register()) {
            prop_assume!(a.stamp != b.stamp);
            prop_assert_eq!(a.to_string() < b.to_string(), a.stamp < b.stamp);
        }
    }
}

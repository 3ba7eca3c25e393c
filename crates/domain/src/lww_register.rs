//! The last-writer-wins register, from which all projections of the graph are built.

/// A last-writer-wins (LWW) register: a value and the position of the write that set it.
///
/// Of two writes the one with the later position wins, in whichever order they arrive. A write of a
/// position is the same at every delivery, so [`merge`](Self::merge) is idempotent, commutative and
/// associative. A deletion is a tombstone: it keeps its position, and an older write that arrives
/// late does not undo it.
///
/// Each user of the register stores it in a format of its own, see its module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LwwRegister<P, V> {
    /// Position of the write.
    pub position: P,
    /// The value since that position; `None` is a tombstone.
    pub value: Option<V>,
}

impl<P, V> LwwRegister<P, V> {
    /// A register that was set to `value` at `position`.
    pub fn new(position: impl Into<P>, value: impl Into<V>) -> Self {
        Self { position: position.into(), value: Some(value.into()) }
    }

    /// A register whose value was deleted at `position`.
    pub fn tombstone(position: impl Into<P>) -> Self {
        Self { position: position.into(), value: None }
    }

    /// Whether the register has no value since its position.
    pub fn is_tombstone(&self) -> bool {
        self.value.is_none()
    }
}

impl<P: Ord, V> LwwRegister<P, V> {
    /// Whether `self` was written later than `other`. Of equal positions, none is later.
    pub fn supersedes(&self, other: &Self) -> bool {
        self.position > other.position
    }

    /// Takes the other write if it is later. Returns whether it was.
    pub fn merge(&mut self, other: Self) -> bool {
        let is_later = other.supersedes(self);
        if is_later {
            *self = other;
        }
        is_later
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Register = LwwRegister<u8, String>;

    /// Few positions, so that equal ones meet. The value follows from the position, as in a graph's history.
    fn register() -> impl Strategy<Value = Register> {
        (0_u8..6).prop_map(|position| match position % 3 {
            0 => Register::tombstone(position),
            _ => Register::new(position, format!("value {position}")),
        })
    }

    fn merged(mut one: Register, other: Register) -> Register {
        one.merge(other);
        one
    }

    #[test]
    fn late_write_does_not_undo_a_deletion() {
        let mut register = Register::tombstone(2_u8);
        assert!(!register.merge(Register::new(1_u8, "old")));
        assert!(register.is_tombstone());
        assert!(register.merge(Register::new(3_u8, "new")));
        assert_eq!(register, Register::new(3_u8, "new"));
    }

    #[test]
    fn write_at_the_same_position_changes_nothing() {
        let mut register = Register::new(1_u8, "first");
        assert!(!register.merge(Register::new(1_u8, "second")));
        assert_eq!(register.value.as_deref(), Some("first"));
    }

    proptest! {
        #[test]
        fn merge_is_idempotent(a in register()) {
            prop_assert_eq!(merged(a.clone(), a.clone()), a);
        }

        #[test]
        fn merge_is_commutative(a in register(), b in register()) {
            prop_assert_eq!(merged(a.clone(), b.clone()), merged(b, a));
        }

        #[test]
        fn merge_is_associative(a in register(), b in register(), c in register()) {
            prop_assert_eq!(merged(merged(a.clone(), b.clone()), c.clone()), merged(a, merged(b, c)));
        }
    }
}

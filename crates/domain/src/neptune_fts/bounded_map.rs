use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::element_register::Register;

/// Most registers of an element's labels, and of each of its properties.
pub const MAX_REGISTERS: usize = 32;

/// LWW registers by key, of which the [`MAX_REGISTERS`] with the latest positions are kept.
///
/// Which registers are kept does not depend on the order of writes. A dropped register is older than
/// [`MAX_REGISTERS`] others, and those only get later positions. So a write of the dropped register,
/// or an older write of its key, would be dropped again. A property with a single value never loses
/// it: no register of the property has a later position.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct BoundedLwwMap(BTreeMap<String, Register>);

/// Effect of one write to a [`BoundedLwwMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Write {
    /// The map changed.
    pub(super) is_applied: bool,
    /// A register with a value was dropped.
    pub(super) drops_value: bool,
}

impl BoundedLwwMap {
    /// Merges a write of `key`.
    pub(super) fn apply(&mut self, key: String, register: Register) -> Write {
        if let Some(known) = self.0.get_mut(&key) {
            return Write { is_applied: known.merge(register), drops_value: false };
        }
        let mut drops_value = false;
        if self.0.len() >= MAX_REGISTERS {
            let oldest = self.0.iter().map(|(key, known)| (known.position, key)).min();
            let oldest = oldest.filter(|oldest| *oldest < (register.position, &key)).map(|(_, key)| key.clone());
            let Some(oldest) = oldest else {
                return Write { is_applied: false, drops_value: !register.is_tombstone() };
            };
            drops_value = self.0.remove(&oldest).is_some_and(|dropped| !dropped.is_tombstone());
        }
        self.0.insert(key, register);
        Write { is_applied: true, drops_value }
    }

    /// Whether no key was ever written.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The registers that are no tombstones, by key.
    pub(super) fn live(&self) -> impl Iterator<Item = (&String, &Register)> {
        self.0.iter().filter(|(_, register)| !register.is_tombstone())
    }

    pub(super) fn registers_mut(&mut self) -> impl Iterator<Item = &mut Register> {
        self.0.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{graph::Position, neptune_fts::element_register::Content};

    fn register(commit_num: u64, is_live: bool) -> Register {
        let position = Position::new(commit_num, 1);
        if is_live { Register::new(position, Content::KeyOnly) } else { Register::tombstone(position) }
    }

    const APPLIED: Write = Write { is_applied: true, drops_value: false };

    proptest! {
        #[test]
        fn any_order_and_repetition_keep_the_same_registers(
            writes in prop::collection::vec((0_u64..80, any::<bool>()), 1..200),
            again in prop::collection::vec(any::<prop::sample::Index>(), 0..100),
            seed in any::<u64>(),
        ) {
            let writes: Vec<_> =
                (1..).zip(writes).map(|(at, (key, is_live))| (key.to_string(), register(at, is_live))).collect();
            let mut in_order = BoundedLwwMap::default();
            for (key, register) in &writes {
                in_order.apply(key.clone(), register.clone());
            }
            let mut shuffled: Vec<_> = (0..writes.len()).collect();
            shuffled.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(seed | 1).rotate_left(29));
            let again: Vec<_> = again.iter().map(|index| index.index(writes.len())).collect();
            let mut other = BoundedLwwMap::default();
            for at in again.iter().chain(&shuffled) {
                other.apply(writes[*at].0.clone(), writes[*at].1.clone());
            }
            prop_assert_eq!(&other, &in_order);
            for at in again {
                prop_assert!(!other.apply(writes[at].0.clone(), writes[at].1.clone()).is_applied, "a replay applies nothing");
            }
            prop_assert!(other.0.len() <= MAX_REGISTERS);
            // The last write is kept.
            let (key, register) = writes.last().expect("at least one write");
            prop_assert_eq!(other.0.get(key), Some(register));
        }
    }

    #[test]
    fn dropped_value_is_reported_and_dropped_tombstone_is_not() {
        let mut map = BoundedLwwMap::default();
        for at in 1..=MAX_REGISTERS as u64 {
            assert_eq!(map.apply(at.to_string(), register(at + 1, at > 1)), APPLIED);
        }
        let late = map.apply("late".into(), register(1, true));
        assert_eq!(late, Write { is_applied: false, drops_value: true });
        // The oldest register is a tombstone, the one after it is not.
        assert_eq!(map.apply("a".into(), register(90, true)), APPLIED);
        assert_eq!(map.apply("b".into(), register(91, false)), Write { is_applied: true, drops_value: true });
    }
}

use std::collections::{BTreeMap, btree_map};

use serde::{Deserialize, Serialize};

use crate::graph::{Position, Value};

/// Registers that are kept of an element's labels, and of each of its properties.
pub const MAX_REGISTERS: usize = 32;

/// Whether a label, or a value of a property, is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Register {
    /// Of the change that said so.
    pub(super) at: Position,
    /// If it is not, this is a tombstone.
    pub(super) holds: bool,
    /// Of a property that holds: what it is, unless that was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Value>,
}

/// Last-writer-wins registers by key, of which the [`MAX_REGISTERS`] newest stay.
///
/// That bound does not depend on the order of news either. What is dropped is older than as many
/// registers of other keys, and those only ever get newer: so it would be dropped again, and so
/// would everything older of its own key. A property with a single value never loses it, since
/// nothing of that property is newer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct BoundedLwwMap(BTreeMap<String, Register>);

/// What became of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Learnt {
    pub(super) is_news: bool,
    /// Something that holds is not kept.
    pub(super) is_loss: bool,
}

impl BoundedLwwMap {
    /// Keeps what is said of `key` unless something as new is known.
    pub(super) fn learn(&mut self, key: String, register: Register) -> Learnt {
        match self.0.get(&key) {
            Some(known) if known.at >= register.at => return Learnt { is_news: false, is_loss: false },
            Some(_) => {}
            None if self.0.len() >= MAX_REGISTERS => {
                let oldest = self.0.iter().min_by_key(|(key, known)| (known.at, *key));
                let oldest = oldest.filter(|(oldest, known)| (known.at, *oldest) < (register.at, &key));
                let Some(oldest) = oldest.map(|(oldest, _)| oldest.clone()) else {
                    return Learnt { is_news: false, is_loss: register.holds };
                };
                let is_loss = self.0.remove(&oldest).is_some_and(|dropped| dropped.holds);
                self.0.insert(key, register);
                return Learnt { is_news: true, is_loss };
            }
            None => {}
        }
        self.0.insert(key, register);
        Learnt { is_news: true, is_loss: false }
    }

    /// Whether nothing was ever said.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What holds, by key.
    pub(super) fn holding(&self) -> impl Iterator<Item = (&String, &Register)> {
        self.0.iter().filter(|(_, register)| register.holds)
    }

    pub(super) fn registers_mut(&mut self) -> btree_map::ValuesMut<'_, String, Register> {
        self.0.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn register(commit_num: u64, holds: bool) -> Register {
        Register { at: Position::new(commit_num, 1), holds, value: None }
    }

    proptest! {
        #[test]
        fn any_order_and_repetition_keep_the_same(
            said in prop::collection::vec((0_u64..80, any::<bool>()), 1..200),
            again in prop::collection::vec(any::<prop::sample::Index>(), 0..100),
            seed in any::<u64>(),
        ) {
            let said: Vec<_> = (1..).zip(said).map(|(at, (key, holds))| (key.to_string(), register(at, holds))).collect();
            let mut in_order = BoundedLwwMap::default();
            for (key, register) in &said {
                in_order.learn(key.clone(), register.clone());
            }
            let mut shuffled: Vec<_> = (0..said.len()).collect();
            shuffled.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(seed | 1).rotate_left(29));
            let again: Vec<_> = again.iter().map(|index| index.index(said.len())).collect();
            let mut other = BoundedLwwMap::default();
            for at in again.iter().chain(&shuffled) {
                other.learn(said[*at].0.clone(), said[*at].1.clone());
            }
            prop_assert_eq!(&other, &in_order);
            for at in again {
                prop_assert!(!other.learn(said[at].0.clone(), said[at].1.clone()).is_news, "a replay is no news");
            }
            prop_assert!(other.0.len() <= MAX_REGISTERS);
            // What was said last is there.
            let (key, register) = said.last().expect("something");
            prop_assert_eq!(other.0.get(key), Some(register));
        }
    }

    #[test]
    fn what_is_not_kept_is_a_loss_if_it_holds() {
        let mut newest = BoundedLwwMap::default();
        for at in 1..=MAX_REGISTERS as u64 {
            assert_eq!(
                newest.learn(at.to_string(), register(at + 1, at > 1)),
                Learnt { is_news: true, is_loss: false }
            );
        }
        assert_eq!(newest.learn("late".into(), register(1, true)), Learnt { is_news: false, is_loss: true });
        assert_eq!(
            newest.learn("a".into(), register(90, true)),
            Learnt { is_news: true, is_loss: false },
            "a tombstone"
        );
        assert_eq!(newest.learn("b".into(), register(91, false)), Learnt { is_news: true, is_loss: true });
    }
}

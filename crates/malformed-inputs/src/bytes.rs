//! Damage to bytes, regardless of structure.

use proptest::prelude::*;

use crate::select::one_of;

/// Damage at one position.
#[derive(Debug, Clone)]
enum Damage {
    /// Flips one bit.
    Flip(u8),
    /// Cuts off everything from here.
    Truncate,
    /// Removes this many bytes.
    Remove(usize),
    /// Repeats this many bytes.
    Repeat(usize),
    /// Inserts these bytes.
    Insert(Vec<u8>),
}

/// One of `documents` with damage at one to four positions.
pub fn damaged(documents: &[&str]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let insert = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..5),
        prop::sample::select(vec![
            "\0", "\"", "\\", "\\u0000", "\\ud800", "{", "}", "[", "]", ",", ":", "\u{ffff}", "-", "e9"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let damage = prop_oneof![
        (0_u8..8).prop_map(Damage::Flip),
        Just(Damage::Truncate),
        (1_usize..20).prop_map(Damage::Remove),
        (1_usize..20).prop_map(Damage::Repeat),
        insert.prop_map(Damage::Insert),
    ];
    let damages = prop::collection::vec((any::<prop::sample::Index>(), damage), 1..5);
    (one_of(documents), damages).prop_map(|(document, damages)| {
        damages.into_iter().fold(document.into_bytes(), |bytes, (index, damage)| {
            let at = if bytes.is_empty() { 0 } else { index.index(bytes.len()) };
            damage.apply(bytes, at)
        })
    })
}

impl Damage {
    fn apply(self, mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
        let end = |length: usize| bytes.len().min(at + length);
        match self {
            Self::Flip(bit) => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit),
            Self::Truncate => bytes.truncate(at),
            Self::Remove(length) => drop(bytes.drain(at..end(length))),
            Self::Repeat(length) => {
                let repeated = bytes[at..end(length)].to_vec();
                bytes.splice(at..at, repeated);
            }
            Self::Insert(inserted) => drop(bytes.splice(at..at, inserted)),
        }
        bytes
    }
}

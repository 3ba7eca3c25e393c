//! Damage without regard to structure.

use proptest::prelude::*;

use crate::owned;

/// What is done to bytes at one place.
#[derive(Debug, Clone)]
enum Damage {
    /// One bit is another.
    Flip(u8),
    /// It ends here.
    Cut,
    /// So many bytes are missing.
    Drop(usize),
    /// So many bytes are there twice.
    Twice(usize),
    /// These bytes are here, too.
    Insert(Vec<u8>),
}

/// One of `documents` with damage at one place to four.
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
        Just(Damage::Cut),
        (1_usize..20).prop_map(Damage::Drop),
        (1_usize..20).prop_map(Damage::Twice),
        insert.prop_map(Damage::Insert),
    ];
    let places = prop::collection::vec((any::<prop::sample::Index>(), damage), 1..5);
    (prop::sample::select(owned(documents)), places).prop_map(|(document, places)| {
        places.into_iter().fold(document.into_bytes(), |bytes, (at, damage)| {
            let at = if bytes.is_empty() { 0 } else { at.index(bytes.len()) };
            damage.done_to(bytes, at)
        })
    })
}

impl Damage {
    fn done_to(self, mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
        let end = |length: usize| bytes.len().min(at + length);
        match self {
            Self::Flip(bit) => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit),
            Self::Cut => bytes.truncate(at),
            Self::Drop(length) => drop(bytes.drain(at..end(length))),
            Self::Twice(length) => {
                let again = bytes[at..end(length)].to_vec();
                bytes.splice(at..at, again);
            }
            Self::Insert(more) => drop(bytes.splice(at..at, more)),
        }
        bytes
    }
}

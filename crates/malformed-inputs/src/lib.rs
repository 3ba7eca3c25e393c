//! Inputs as nobody should send them, as strategies of proptest: for every parser that meets bytes
//! from outside. Nothing but tests uses it.
//!
//! What a parser takes is told by a few documents that it does take. Damage is then done to those, by
//! the structure of JSON or without regard to it, because bytes that are merely random are refused at
//! the first one and reach nothing.

mod bytes;
mod json;
mod words;

use proptest::prelude::*;

pub use json::json;
pub use words::{NUMBERS, TEXTS, text};

/// One of `documents`, whole, damaged as JSON, or damaged as text; and texts that are none of them.
pub fn documents(documents: &[&str]) -> BoxedStrategy<String> {
    let whole = prop::sample::select(owned(documents));
    prop_oneof![
        1 => whole,
        8 => json(documents),
        4 => bytes::damaged(documents).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => text(),
    ]
    .boxed()
}

/// The same as bytes, which need not be text.
pub fn bytes(documents: &[&str]) -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        4 => self::documents(documents).prop_map(String::into_bytes),
        4 => bytes::damaged(documents),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
    .boxed()
}

fn owned(documents: &[&str]) -> Vec<String> {
    documents.iter().map(|document| (*document).to_owned()).collect()
}

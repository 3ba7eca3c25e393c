#![doc = include_str!("../README.md")]

mod bytes;
mod json;
mod samples;
mod select;

use proptest::prelude::*;

pub use json::json;
pub use samples::{NUMBERS, TEXTS, text};

/// One of `documents`: undamaged, damaged as JSON, or damaged as bytes; or another text.
pub fn documents(documents: &[&str]) -> BoxedStrategy<String> {
    prop_oneof![
        1 => select::one_of(documents),
        8 => json(documents),
        4 => bytes::damaged(documents).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => text(),
    ]
    .boxed()
}

/// [`documents`] as bytes, which may be invalid UTF-8.
pub fn bytes(documents: &[&str]) -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        4 => self::documents(documents).prop_map(String::into_bytes),
        4 => bytes::damaged(documents),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
    .boxed()
}

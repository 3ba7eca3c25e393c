//! Rows as nobody wrote them.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use proptest::prelude::*;

type Attributes = HashMap<String, AttributeValue>;

/// `row` with one to three of its attributes missing, or of another type or content; and perhaps one more.
pub fn damaged(row: Attributes) -> impl Strategy<Value = Attributes> {
    let mut names: Vec<String> = row.keys().cloned().collect();
    names.sort();
    names.push("nobody knows".to_owned());
    let change = (prop::sample::select(names), prop::option::weighted(0.9, attribute()));
    prop::collection::vec(change, 1..4).prop_map(move |changes| {
        changes.into_iter().fold(row.clone(), |mut row, (name, value)| {
            match value {
                Some(value) => drop(row.insert(name, value)),
                None => drop(row.remove(&name)),
            }
            row
        })
    })
}

fn attribute() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        4 => malformed_inputs::text().prop_map(AttributeValue::S),
        3 => prop::sample::select(malformed_inputs::NUMBERS.to_vec()).prop_map(|number| AttributeValue::N(number.to_owned())),
        1 => any::<bool>().prop_map(AttributeValue::Bool),
        1 => Just(AttributeValue::Null(true)),
        1 => prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| AttributeValue::B(Blob::new(bytes))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            prop::collection::hash_map("[a-z_]{0,9}", inner, 0..4).prop_map(AttributeValue::M),
        ]
    })
}

//! Test data and helpers.

use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError},
    primitives::Blob,
    types::{AttributeValue, error::ConditionalCheckFailedException},
};
use domain::{graph::Position, push::Event};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::attribute::Attributes;

/// The time of the tests.
pub fn now() -> Timestamp {
    "2026-11-22T00:00:00Z".parse().expect("a time")
}

/// Jun's like of a story.
pub fn event() -> Event {
    Event {
        id: "main/7/1".into(),
        position: Position::new(7, 1).into(),
        committed_at: now(),
        edge: "e1".into(),
        label: "likes".into(),
        from: "jun".into(),
        to: "s1".into(),
    }
}

/// A row with these attributes.
pub fn row<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Attributes {
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

/// A string or number among the values, keys or attributes of a request.
pub fn value<'a>(values: Option<&'a Attributes>, name: &str) -> Option<&'a str> {
    match values?.get(name)? {
        AttributeValue::S(text) | AttributeValue::N(text) => Some(text),
        _ => None,
    }
}

fn condition_failed() -> ConditionalCheckFailedException {
    ConditionalCheckFailedException::builder().build()
}

pub fn put_condition_failed() -> PutItemError {
    PutItemError::ConditionalCheckFailedException(condition_failed())
}

pub fn update_condition_failed() -> UpdateItemError {
    UpdateItemError::ConditionalCheckFailedException(condition_failed())
}

pub fn delete_condition_failed() -> DeleteItemError {
    DeleteItemError::ConditionalCheckFailedException(condition_failed())
}

/// `row` with one to three of its attributes missing or replaced, and perhaps an unknown attribute.
pub fn malformed(row: Attributes) -> impl Strategy<Value = Attributes> {
    let mut names: Vec<String> = row.keys().cloned().collect();
    names.sort();
    names.push("unknown attribute".to_owned());
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

/// Any value of an attribute.
pub fn attribute() -> impl Strategy<Value = AttributeValue> {
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

//! Rows that the version before stored (`fixtures/previous_version`, in DynamoDB's JSON) are read, and written again
//! unchanged.

use std::{collections::HashMap, fs, path::Path};

use aws_sdk_dynamodb::{
    Client,
    operation::{
        get_item::GetItemOutput,
        put_item::PutItemOutput,
        query::QueryOutput,
        update_item::{UpdateItemError, UpdateItemOutput},
    },
    types::{AttributeValue, error::ConditionalCheckFailedException},
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use serde_json::Value;

mod media_and_devices;
mod push;
mod search;
mod stream;

type Row = HashMap<String, AttributeValue>;

/// The row in `fixtures/previous_version/<name>.json`.
fn row(name: &str) -> Row {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/previous_version");
    let json = fs::read_to_string(folder.join(name).with_extension("json")).expect("a fixture");
    let AttributeValue::M(row) = map(&serde_json::from_str(&json).expect("JSON")) else { panic!("no row: {name}") };
    row
}

fn map(json: &Value) -> AttributeValue {
    let attributes = json.as_object().expect("an object").iter();
    AttributeValue::M(attributes.map(|(name, value)| (name.clone(), attribute(value))).collect())
}

fn attribute(json: &Value) -> AttributeValue {
    let (kind, value) = json.as_object().and_then(|object| object.iter().next()).expect("a typed value");
    let text = || value.as_str().expect("text").to_owned();
    let values = || value.as_array().expect("an array").iter();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value == &Value::Bool(true)),
        "SS" => AttributeValue::Ss(values().map(|text| text.as_str().expect("text").to_owned()).collect()),
        "L" => AttributeValue::L(values().map(attribute).collect()),
        "M" => map(value),
        other => panic!("the type {other} is in no fixture"),
    }
}

fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    match &row[name] {
        AttributeValue::S(text) | AttributeValue::N(text) => text,
        other => panic!("{name} is neither text nor number: {other:?}"),
    }
}

fn client(rules: &[&Rule]) -> Client {
    mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules)
}

/// Returns `row` to `GetItem`.
fn gets(row: &Row) -> Rule {
    let row = row.clone();
    mock!(Client::get_item).then_output(move || GetItemOutput::builder().set_item(Some(row.clone())).build())
}

/// Returns `row` of `table` to `BatchGetItem`.
fn batch_gets(table: &'static str, row: &Row) -> Rule {
    let row = row.clone();
    mock!(Client::batch_get_item)
        .then_http_response(move || dynamodb_responses::batch_get(table, std::slice::from_ref(&row), &[]))
}

/// Returns `row` to `Query`.
fn queries(row: &Row) -> Rule {
    let row = row.clone();
    mock!(Client::query).then_output(move || QueryOutput::builder().items(row.clone()).build())
}

/// Accepts a `PutItem` of exactly `row`.
fn puts(row: &Row) -> Rule {
    let row = row.clone();
    mock!(Client::put_item)
        .match_requests(move |request| request.item() == Some(&row))
        .then_output(|| PutItemOutput::builder().build())
}

/// Accepts an `UpdateItem` whose value `name` is `value`; `row` is what the table holds after it.
fn updates(name: &'static str, value: AttributeValue, row: &Row) -> Rule {
    let row = row.clone();
    mock!(Client::update_item)
        .match_requests(move |request| {
            request.expression_attribute_values().and_then(|values| values.get(name)) == Some(&value)
        })
        .then_output(move || UpdateItemOutput::builder().set_attributes(Some(row.clone())).build())
}

/// Rejects an `UpdateItem`: its condition does not hold for `row`.
fn condition_fails(row: &Row) -> Rule {
    let row = row.clone();
    mock!(Client::update_item).then_error(move || {
        let error = ConditionalCheckFailedException::builder().set_item(Some(row.clone()));
        UpdateItemError::ConditionalCheckFailedException(error.build())
    })
}

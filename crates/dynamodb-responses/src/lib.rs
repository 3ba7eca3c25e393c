#![doc = include_str!("../README.md")]

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};

/// A row, or the key of one.
pub type Attributes = HashMap<String, AttributeValue>;

/// DynamoDB's JSON of a row. Bytes and sets become empty bytes: rows have none.
pub fn row_json(row: &Attributes) -> Value {
    row.iter().map(|(name, value)| (name.clone(), value_json(value))).collect::<Map<_, _>>().into()
}

fn value_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::Bool(is) => json!({"BOOL": is}),
        AttributeValue::Null(is) => json!({"NULL": is}),
        AttributeValue::M(map) => json!({"M": row_json(map)}),
        AttributeValue::L(list) => json!({"L": list.iter().map(value_json).collect::<Vec<_>>()}),
        _ => json!({"B": ""}),
    }
}

/// The response to a query. `last`: the key after which the next page starts.
pub fn query(rows: &[Attributes], last: Option<&Attributes>) -> HttpResponse {
    let mut page = json!({"Items": rows.iter().map(row_json).collect::<Vec<_>>(), "Count": rows.len()});
    if let Some(last) = last {
        page["LastEvaluatedKey"] = row_json(last);
    }
    response(200, &page.to_string())
}

/// The response to a `BatchGetItem` of one table. `left`: the keys that DynamoDB has not processed.
pub fn batch_get(table: &str, rows: &[Attributes], left: &[Attributes]) -> HttpResponse {
    let list = |rows: &[Attributes]| rows.iter().map(row_json).collect::<Vec<_>>();
    let unprocessed = if left.is_empty() { json!({}) } else { json!({table: {"Keys": list(left)}}) };
    let body = json!({"Responses": {table: list(rows)}, "UnprocessedKeys": unprocessed});
    response(200, &body.to_string())
}

/// The keys of `table` that a `BatchGetItem` requests.
pub fn requested_keys(items: Option<&HashMap<String, KeysAndAttributes>>, table: &str) -> Vec<Attributes> {
    items.and_then(|items| items.get(table)).map(|requested| requested.keys().to_vec()).unwrap_or_default()
}

/// A response of DynamoDB.
///
/// # Panics
/// If `status` is no HTTP status.
pub fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))
}

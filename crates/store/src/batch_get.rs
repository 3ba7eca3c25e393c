//! Reads rows by their keys.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    config::RuntimePlugin,
    operation::batch_get_item::{BatchGetItem, BatchGetItemOutput},
    types::KeysAndAttributes,
};
use aws_smithy_runtime_api::client::interceptors::context::Output;
use function_kit::failure::Failure;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    attribute::{Attributes, text},
    direct_response::{DirectResponse, Operation},
    typed_json::TypedRow,
};

const BATCH_GET: Operation = Operation {
    config: || BatchGetItem::new().config(),
    empty: || Output::erase(BatchGetItemOutput::builder().build()),
};

/// The most keys that one `BatchGetItem` request accepts.
pub const MAX_KEYS: usize = 100;
/// How often a key is requested before it is a failure that DynamoDB leaves it unprocessed.
pub const MAX_ATTEMPTS: usize = 5;

/// A projection expression and its attribute names.
pub type ProjectionExpression = (String, HashMap<String, String>);

/// Reads the rows of `table` with these keys, strongly consistent and in no particular order. Keys must be unique.
/// Missing rows are left out.
///
/// # Errors
/// If DynamoDB fails, or leaves keys unprocessed (throttling, or more than 16 MB) in every attempt.
pub async fn batch_get(
    client: &Client,
    table: &str,
    keys: Vec<Attributes>,
    projection: Option<&ProjectionExpression>,
    doing: &'static str,
) -> Result<Vec<Attributes>, Failure> {
    in_batches(keys, projection, doing, async |request| {
        let response = client.batch_get_item().request_items(table, request).send().await;
        let response = response.map_err(|error| Failure::aws(doing, error))?;
        let unprocessed = response.unprocessed_keys.unwrap_or_default().remove(table);
        let rows = response.responses.unwrap_or_default().into_values().flatten().collect();
        Ok((rows, unprocessed.map(|unprocessed| unprocessed.keys).unwrap_or_default()))
    })
    .await
}

/// [`batch_get`] of rows that are read straight from DynamoDB's response. All keys of the table must be strings.
pub async fn batch_get_rows<Row: DeserializeOwned + Send + 'static>(
    client: &Client,
    table: &str,
    keys: Vec<Attributes>,
    doing: &'static str,
) -> Result<Vec<Row>, Failure> {
    in_batches(keys, None, doing, async |request| {
        let response = DirectResponse::<Batch<Row>>::of(BATCH_GET);
        let call = client.batch_get_item().request_items(table, request).customize();
        call.interceptor(response.interceptor()).send().await.map_err(|error| Failure::aws(doing, error))?;
        let mut batch = response.read(doing)?;
        let rows = batch.responses.remove(table).unwrap_or_default().into_iter().map(|TypedRow(row)| row).collect();
        let left = batch.unprocessed_keys.remove(table).map(|unprocessed| unprocessed.keys).unwrap_or_default();
        let key = |TypedRow(key): TypedRow<HashMap<String, String>>| {
            key.into_iter().map(|(name, value)| (name, text(value))).collect()
        };
        Ok((rows, left.into_iter().map(key).collect()))
    })
    .await
}

/// Sends a request for each [`MAX_KEYS`] keys, and again for the keys that were left, which `send` returns with the rows.
async fn in_batches<Row>(
    keys: Vec<Attributes>,
    projection: Option<&ProjectionExpression>,
    doing: &'static str,
    send: impl AsyncFn(KeysAndAttributes) -> Result<(Vec<Row>, Vec<Attributes>), Failure>,
) -> Result<Vec<Row>, Failure> {
    let mut found = Vec::with_capacity(keys.len());
    let mut rest = keys.into_iter();
    loop {
        let mut keys: Vec<_> = rest.by_ref().take(MAX_KEYS).collect();
        if keys.is_empty() {
            return Ok(found);
        }
        let mut attempts = 0;
        while !keys.is_empty() {
            if attempts == MAX_ATTEMPTS {
                return Err(Failure::transient(doing, "DynamoDB left keys unprocessed"));
            }
            attempts += 1;
            let request = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .set_projection_expression(projection.map(|(expression, _)| expression.clone()))
                .set_expression_attribute_names(projection.map(|(_, names)| names.clone()))
                .consistent_read(true)
                .build()
                .map_err(|error| Failure::bug(doing, error))?;
            let (rows, left) = send(request).await?;
            found.extend(rows);
            keys = left;
        }
    }
}

/// DynamoDB's response.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound = "Row: DeserializeOwned")]
struct Batch<Row> {
    #[serde(default)]
    responses: HashMap<String, Vec<TypedRow<Row>>>,
    #[serde(default)]
    unprocessed_keys: HashMap<String, Unprocessed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Unprocessed {
    keys: Vec<TypedRow<HashMap<String, String>>>,
}

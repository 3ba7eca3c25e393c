use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, types::KeysAndAttributes};
use function_kit::failure::Failure;

use crate::attribute::Attributes;

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
    let mut rows = Vec::with_capacity(keys.len());
    for batch in keys.chunks(MAX_KEYS) {
        let mut keys = batch.to_vec();
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
            let response = client.batch_get_item().request_items(table, request).send().await;
            let response = response.map_err(|error| Failure::aws(doing, error))?;
            rows.extend(response.responses.unwrap_or_default().into_values().flatten());
            let unprocessed = response.unprocessed_keys.unwrap_or_default().remove(table);
            keys = unprocessed.map(|unprocessed| unprocessed.keys).unwrap_or_default();
        }
    }
    Ok(rows)
}

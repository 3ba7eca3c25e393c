use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use function_kit::failure::Failure;

/// A row, or its key.
pub type Attributes = HashMap<String, AttributeValue>;

/// The most keys that `BatchGetItem` takes.
const BATCH: usize = 100;
/// How often it is asked for what it left out before that counts as a failure.
const ROUNDS: usize = 5;

/// The rows of `table` that have these keys, as far as they are there; strongly consistent. Each
/// key may be named once.
pub async fn batch_get(
    client: &Client,
    table: &str,
    keys: Vec<Attributes>,
    doing: &'static str,
) -> Result<Vec<Attributes>, Failure> {
    let mut rows = Vec::with_capacity(keys.len());
    for batch in keys.chunks(BATCH) {
        let asked = KeysAndAttributes::builder().set_keys(Some(batch.to_vec())).consistent_read(true).build();
        let mut asked = Some(asked.map_err(|error| Failure::bug(doing, error))?);
        for _ in 0..ROUNDS {
            let Some(request) = asked.take() else { break };
            let get = client.batch_get_item().request_items(table, request);
            let answer = get.send().await.map_err(|error| Failure::aws(doing, error))?;
            rows.extend(answer.responses.unwrap_or_default().into_values().flatten());
            asked = answer.unprocessed_keys.unwrap_or_default().remove(table);
        }
        if asked.is_some() {
            return Err(Failure::transient(doing, "DynamoDB leaves keys out"));
        }
    }
    Ok(rows)
}

//! Calls of an operator.

use reqwest::Method;
use serde_json::Value;

use crate::engines::World;

/// Calls OpenSearch as an operator does.
pub async fn call(world: &World, method: Method, path: &str, body: &Value) -> Value {
    let request = reqwest::Client::new().request(method, format!("{}{path}", world.endpoint));
    // OpenSearch rejects a body where it expects none.
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let response = request.header("content-type", "application/json").body(body).send().await;
    let response = response.expect("a response").bytes().await.expect("a body");
    serde_json::from_slice(&response).expect("JSON")
}

//! Responses of the functions.

use lambda_runtime_api::{Function, Outcome};
use serde_json::{Value, json};

/// The response of an invocation that does not fail.
pub async fn invoke(function: &mut Function, event: &Value) -> Value {
    match function.invoke(event).await.expect("response") {
        Outcome::Response(response) => response,
        Outcome::Error(error) => panic!("the invocation failed: {error}"),
    }
}

/// Invokes a queue's function, which must acknowledge all messages.
pub async fn consume(function: &mut Function, event: &Value) {
    assert_eq!(invoke(function, event).await, json!({"batchItemFailures": []}));
}

/// Status and body of a response to API Gateway.
pub async fn request(function: &mut Function, event: &Value) -> (u64, Value) {
    status_and_body(&invoke(function, event).await)
}

pub fn status_and_body(response: &Value) -> (u64, Value) {
    let body = serde_json::from_str(response["body"].as_str().expect("body")).expect("JSON");
    (response["statusCode"].as_u64().expect("status"), body)
}

/// Status and problem type of a response to API Gateway.
pub async fn problem(function: &mut Function, event: &Value) -> (u64, Value) {
    let (status, body) = request(function, event).await;
    (status, body["type"].clone())
}

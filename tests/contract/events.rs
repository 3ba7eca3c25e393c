//! Events for the functions.

use std::fs;

use aws_client::AwsClient;
use serde_json::{Value, json};
use stack::paths;
use test_support::s3_events::s3_notification;

/// A file of `tests/events`.
pub fn event(name: &str) -> Value {
    let path = paths::root().join("tests/events").join(format!("{name}.json"));
    serde_json::from_slice(&fs::read(path).expect("event")).expect("JSON")
}

/// The request of a caller who is not signed in.
pub fn without_caller(mut event: Value) -> Value {
    event["requestContext"].as_object_mut().expect("object").remove("authorizer");
    event
}

/// An SQS event with these message bodies; the message ids are `m0`, `m1`, ….
pub fn sqs_event(bodies: &[&str]) -> Value {
    let records = bodies.iter().enumerate();
    let records = records.map(|(index, body)| json!({"messageId": format!("m{index}"), "body": body}));
    json!({"Records": records.collect::<Vec<_>>()})
}

/// Stores an original and returns the SQS event with its notification.
pub async fn store_original(aws: &AwsClient, key: &str, content: Vec<u8>) -> Value {
    let size = content.len();
    aws.put_object("originals", key, "application/octet-stream", content).await.expect("object stored");
    let etag = aws.etag("originals", key).await.expect("ETag");
    sqs_event(&[&s3_notification("ObjectCreated:Put", key, "0A", size, &etag)])
}

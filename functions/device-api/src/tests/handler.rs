//! Requests and responses of the API.

use aws_lambda_events::encodings::Body;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{fixtures::request, in_memory_backend::InMemoryBackend};
use crate::handler::handle;

/// Status and body of the response.
async fn send(backend: &InMemoryBackend, user: &str, route: &str, id: &str, body: Value) -> (i64, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let now = "2026-11-22T01:02:03.004Z".parse().expect("a time");
    let response = handle(&backend.ports(), now, &request(user, route, id, &body)).await;
    let body = match response.body {
        Some(Body::Text(text)) => serde_json::from_str(&text).expect("JSON"),
        _ => Value::Null,
    };
    (response.status_code, body)
}

#[tokio::test]
async fn device_is_stored_returned_and_deleted() {
    let backend = InMemoryBackend::default();
    let registration = json!({"token": "secret", "platform": "android", "language": "ko"});
    let device =
        json!({"id": "phone", "platform": "android", "language": "ko", "lastSeen": "2026-11-22T01:02:03.004Z"});
    let put = send(&backend, "mina", "PUT /v1/devices/{id}", "phone", registration).await;
    assert_eq!(put, (200, device.clone()));
    assert_eq!(send(&backend, "mina", "GET /v1/devices/{id}", "phone", Value::Null).await, (200, device.clone()));
    let list = send(&backend, "mina", "GET /v1/devices", "", Value::Null).await;
    assert_eq!(list, (200, json!({"items": [device]})));
    for _ in 0..2 {
        assert_eq!(send(&backend, "mina", "DELETE /v1/devices/{id}", "phone", Value::Null).await, (204, Value::Null));
    }
    assert_eq!(send(&backend, "mina", "GET /v1/devices/{id}", "phone", Value::Null).await.0, 404);
}

#[tokio::test]
async fn device_of_other_user_is_neither_returned_nor_deleted() {
    let backend = InMemoryBackend::default();
    let registration = json!({"token": "secret", "platform": "ios"});
    send(&backend, "mina", "PUT /v1/devices/{id}", "phone", registration).await;
    assert_eq!(send(&backend, "jun", "GET /v1/devices/{id}", "phone", Value::Null).await.0, 404);
    assert_eq!(send(&backend, "jun", "GET /v1/devices", "", Value::Null).await.1, json!({"items": []}));
    assert_eq!(send(&backend, "jun", "DELETE /v1/devices/{id}", "phone", Value::Null).await.0, 204);
    assert_eq!(backend.users_at("secret"), ["mina"]);
}

#[tokio::test]
async fn preferences_are_stored_per_user() {
    let backend = InMemoryBackend::default();
    let route = "GET /v1/notification-preferences";
    assert_eq!(send(&backend, "mina", route, "", Value::Null).await, (200, json!({"muted": [], "hideContent": false})));
    let chosen = json!({
        "muted": ["likes"], "quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Asia/Seoul"},
        "hideContent": true
    });
    let put = send(&backend, "mina", "PUT /v1/notification-preferences", "", chosen.clone()).await;
    assert_eq!(put, (200, chosen.clone()));
    assert_eq!(send(&backend, "mina", route, "", Value::Null).await, (200, chosen));
    assert_eq!(send(&backend, "jun", route, "", Value::Null).await, (200, json!({"muted": [], "hideContent": false})));
}

#[tokio::test]
async fn failing_table_returns_503_with_retry_after() {
    let backend = InMemoryBackend::default();
    backend.calls_until_failure.set(Some(0));
    let now = Timestamp::UNIX_EPOCH;
    let response = handle(&backend.ports(), now, &request("mina", "GET /v1/devices", "", "")).await;
    assert_eq!(response.status_code, 503);
    assert!(response.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn problem_does_not_contain_the_token() {
    let backend = InMemoryBackend::default();
    let long = format!("secret{}", "x".repeat(9_000));
    let (status, problem) =
        send(&backend, "mina", "PUT /v1/devices/{id}", "phone", json!({"token": long, "platform": "ios"})).await;
    assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-request")));
    assert!(!problem.to_string().contains("secret"), "{problem}");
    assert!(backend.calls.borrow().is_empty());
}

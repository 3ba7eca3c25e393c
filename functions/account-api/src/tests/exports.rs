//! Requests for copies of everything about a person.

use aws_lambda_events::{apigw::ApiGatewayV2httpRequest, encodings::Body};
use domain::export::{ExportJob, StoredState};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{InMemory, respond, send};
use crate::{handler::handle, ports::Ports};

/// Asks for the export `id`.
async fn get_export(ports: &InMemory, sub: &str, id: &str) -> (i64, Value) {
    let request = json!({
        "version": "2.0", "routeKey": "GET /v1/me/exports/{id}", "rawPath": "/", "rawQueryString": "", "headers": {},
        "isBase64Encoded": false, "pathParameters": {"id": id},
        "requestContext": {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": {"sub": sub}, "scopes": []}}}
    });
    let request: ApiGatewayV2httpRequest = serde_json::from_value(request).expect("a request");
    let response = handle(ports, ports.now(), &request).await;
    assert_eq!(response.headers["cache-control"], "no-store");
    let Some(Body::Text(body)) = response.body else { panic!("no text") };
    (response.status_code, serde_json::from_str(&body).expect("JSON"))
}

fn make_ready(ports: &InMemory) {
    let mut export = ports.export.borrow_mut();
    let export = export.as_mut().expect("an export");
    (export.state, export.ready_at, export.size, export.files) =
        (StoredState::Ready, Some(ports.now()), Some(7), Some(1));
}

#[tokio::test]
async fn export_is_shown_to_its_owner_only_and_has_a_link_while_it_is_ready() {
    let ports = InMemory::new();
    let (status, body) = send(&ports, "POST /v1/me/exports").await;
    assert_eq!((status, &body["state"], &body["url"]), (202, &json!("pending"), &Value::Null));
    let id = body["id"].as_str().expect("an id");
    assert_eq!(
        ports.export_jobs.borrow()[0],
        ExportJob { user: "mina".into(), username: "m".into(), id: id.into(), turn: 0 }
    );
    assert_eq!(get_export(&ports, "mina", id).await.1["state"], "pending");
    make_ready(&ports);
    let (status, body) = get_export(&ports, "mina", id).await;
    assert_eq!((status, &body["state"], &body["bytes"], &body["files"]), (200, &json!("ready"), &json!(7), &json!(1)));
    assert_eq!(
        (&body["url"], &body["urlExpiresAt"]),
        (&json!("https://s3/nonce2"), &json!("2026-11-23T00:00:00.000Z"))
    );
    for (sub, id) in [("jun", id), ("mina", "other"), ("mina", "")] {
        assert_eq!(get_export(&ports, sub, id).await.0, 404, "{sub} {id}");
    }
    ports.now.set(ports.now() + SignedDuration::from_hours(24));
    let (_, body) = get_export(&ports, "mina", id).await;
    assert_eq!((&body["state"], &body["url"]), (&json!("expired"), &Value::Null));
}

#[tokio::test]
async fn request_while_an_export_is_pending_returns_it_and_sends_its_message_again() {
    let ports = InMemory::new();
    let first = send(&ports, "POST /v1/me/exports").await;
    assert_eq!(send(&ports, "POST /v1/me/exports").await, first);
    let jobs = ports.export_jobs.borrow();
    assert_eq!((jobs.len(), &jobs[0]), (2, &jobs[1]));
    assert_eq!(ports.budget.get(), 1, "it counts once");
}

#[tokio::test]
async fn exports_beyond_the_budget_of_a_day_are_refused_until_the_next() {
    let ports = InMemory::new();
    ports.now.set(ports.now() + SignedDuration::from_hours(20));
    for _ in 0..2 {
        assert_eq!(send(&ports, "POST /v1/me/exports").await.0, 202);
        make_ready(&ports);
    }
    let refused = respond(&ports, "POST /v1/me/exports").await;
    assert_eq!((refused.status_code, refused.headers["retry-after"].to_str().expect("text")), (429, "14400"));
    assert_eq!(ports.export_jobs.borrow().len(), 2);
}

#[tokio::test]
async fn account_that_is_being_erased_has_no_export_and_gets_none() {
    let ports = InMemory::new();
    send(&ports, "POST /v1/me/exports").await;
    send(&ports, "DELETE /v1/me").await;
    assert_eq!(send(&ports, "POST /v1/me/exports").await.0, 409);
    ports.run().await;
    assert!(ports.export.borrow().is_none());
}

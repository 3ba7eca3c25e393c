//! `media-api`: requests of API Gateway in, items out.

use domain::media::MediaId;
use serde_json::{Value, json};

use crate::{
    events::{event, without_caller},
    media_environment::{MediaEnvironment, start_disconnected},
    photograph::{KEY, store_photograph},
    responses::{consume, invoke, problem, request, status_and_body},
};

#[tokio::test]
async fn new_item_is_returned_alone_and_in_lists() {
    let media = MediaEnvironment::start("media-api").await;
    store_photograph(&media.aws).await;
    let mut api = media.start_function("MediaApi").await;
    assert_eq!(problem(&mut api, &event("get-media-item")).await, (404, json!("urn:iyagi:problem:not-found")));
    assert_eq!(request(&mut api, &event("list-media")).await, (200, json!({"items": []})));

    let mut writer = media.start_function("MetadataWriter").await;
    consume(&mut writer, &event("photo-landed")).await;
    let expected = json!({
        "id": MediaId::of_key(KEY), "kind": "photo", "owner": "mina", "uploadedAt": "2026-11-22T03:04:05.678Z",
        "contentType": "image/jpeg", "bytes": 34_306, "visibility": "public", "state": "processing"
    });
    assert_eq!(request(&mut api, &event("get-media-item")).await, (200, expected.clone()));
    assert_eq!(request(&mut api, &event("list-media")).await, (200, json!({"items": [expected]})));
}

/// A report of the photograph by `reporter`.
fn report(reporter: &str, text: &str) -> Value {
    let mut request = event("get-media-item");
    request["routeKey"] = "POST /v1/reports".into();
    request["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = reporter.into();
    request["body"] = json!({"mediaId": MediaId::of_key(KEY), "reason": "copyright", "text": text}).to_string().into();
    request
}

#[tokio::test]
async fn report_is_stored_once_per_person_and_item_until_the_day_is_used_up() {
    let media = MediaEnvironment::start("reports").await;
    store_photograph(&media.aws).await;
    let mut api = media.start_function("MediaApi").await;
    assert_eq!(problem(&mut api, &report("sora", "a")).await, (404, json!("urn:iyagi:problem:not-found")));
    assert_eq!(problem(&mut api, &without_caller(report("sora", "a"))).await.0, 401);
    let mut writer = media.start_function("MetadataWriter").await;
    consume(&mut writer, &event("photo-landed")).await;

    let (status, first) = request(&mut api, &report("sora", "a")).await;
    assert_eq!((status, &first["mediaId"]), (201, &json!(MediaId::of_key(KEY))), "{first}");
    let (status, second) = request(&mut api, &report("sora", "b")).await;
    assert_eq!((status, &second["id"]), (201, &first["id"]));
    let rows = media.rows_of("reports").await;
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let text = |name: &str| row[name]["S"].as_str().unwrap_or_default();
    assert_eq!((text("reporter"), text("owner"), text("state")), ("sora", "mina", "open"));
    assert_eq!((text("reason"), text("text")), ("copyright", "b"));

    let refused = invoke(&mut api, &report("sora", "c")).await;
    let (status, problem) = status_and_body(&refused);
    assert_eq!((status, &problem["type"]), (429, &json!("urn:iyagi:problem:too-many-requests")));
    let wait: u64 = refused["headers"]["retry-after"].as_str().and_then(|text| text.parse().ok()).expect("seconds");
    assert!((1..=86_400).contains(&wait), "{wait}");
    assert_eq!(request(&mut api, &report("jun", "c")).await.0, 201);
}

#[tokio::test]
async fn unreachable_aws_returns_503() {
    let mut api = start_disconnected("MediaApi").await;
    assert_eq!(problem(&mut api, &event("get-media-item")).await, (503, json!("urn:iyagi:problem:unavailable")));
}

#[tokio::test]
async fn caller_over_quota_returns_429_with_retry_after() {
    let media = MediaEnvironment::start("quota").await;
    let mut api = media.start_function("MediaApi").await;
    let mut requests = 0;
    let refusal = loop {
        let response = invoke(&mut api, &event("list-media")).await;
        requests += 1;
        assert_eq!(response["headers"]["ratelimit-policy"], "\"caller\";q=20;w=20");
        if response["statusCode"] != 200 {
            break response;
        }
        assert!(requests < 500, "no request is refused");
    };
    assert!(requests > 20, "refused after {requests}");
    assert_eq!(
        (&refusal["headers"]["retry-after"], &refusal["headers"]["ratelimit"]),
        (&json!("1"), &json!("\"caller\";r=0;t=20"))
    );
    let (status, problem) = status_and_body(&refusal);
    assert_eq!((status, &problem["type"]), (429, &json!("urn:iyagi:problem:too-many-requests")));
}

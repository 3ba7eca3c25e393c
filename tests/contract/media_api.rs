//! `media-api`: requests of API Gateway in, items out.

use domain::media::MediaId;
use serde_json::json;

use crate::{
    events::event,
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

//! Requests and responses of the API.

use aws_lambda_events::encodings::Body;
use serde_json::{Value, json};

use super::fixed_index::{FixedIndex, ports};
use crate::handler::{Ports, handle};

async fn get(ports: &Ports<FixedIndex>, caller: &str, route: &str, parameters: Value) -> (i64, Value) {
    let request = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "headers": {},
        "rawQueryString": serde_urlencoded::to_string(&parameters).expect("a query"), "isBase64Encoded": false,
        "requestContext": {
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": {"sub": caller, "token_use": "access"}, "scopes": []}}
        }
    });
    let response = handle(ports, &serde_json::from_value(request).expect("a request")).await;
    let Some(Body::Text(body)) = response.body else { panic!("no text") };
    (response.status_code, serde_json::from_str(&body).expect("JSON"))
}

async fn found_ids(ports: &Ports<FixedIndex>, caller: &str) -> Vec<String> {
    let (status, body) = get(ports, caller, "GET /v1/search", json!({"q": "첫눈"})).await;
    assert_eq!(status, 200, "{body}");
    ids(&body)
}

fn ids(body: &Value) -> Vec<String> {
    let items = body["items"].as_array().expect("items").iter();
    items.map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn search_returns_visible_items_only() {
    let ports = ports(&["public-1", "followers-1", "private-1", "deleted-1", "unknown-1", "mina"]);
    assert_eq!(found_ids(&ports, "mina").await, ["public-1", "followers-1", "private-1", "mina"]);
    assert_eq!(found_ids(&ports, "jun").await, ["public-1", "followers-1", "mina"]);
    assert_eq!(found_ids(&ports, "sora").await, ["public-1", "mina"]);
}

#[tokio::test]
async fn story_has_author_and_highlight() {
    let (_, body) = get(&ports(&["followers-1"]), "jun", "GET /v1/search", json!({"q": "첫눈"})).await;
    let expected = json!({"items": [{
        "kind": "story", "id": "followers-1", "title": "첫눈 followers-1", "author": {"id": "mina", "name": "미나"},
        "publishedAt": "2026-11-22T00:00:00.000Z", "visibility": "followers", "tags": [],
        "highlight": [{"text": "첫눈", "match": true}, {"text": " followers-1", "match": false}]
    }]});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn tag_is_visible_to_all_and_search_by_tag_returns_current_stories() {
    let ports = ports(&["snow", "tagged-1", "public-1", "deleted-1", "mina"]);
    let (_, body) = get(&ports, "sora", "GET /v1/search", json!({"q": "눈", "limit": "1"})).await;
    let tag = json!({"kind": "tag", "id": "snow", "name": "눈"});
    assert_eq!(body["items"], json!([tag]));
    // The index may be stale and find stories without the tag.
    let (status, body) = get(&ports, "sora", "GET /v1/search", json!({"tag": "snow"})).await;
    assert_eq!((status, ids(&body)), (200, vec!["tagged-1".to_owned()]));
    // The tag `rain` has no row, so it has no name.
    assert_eq!(body["items"][0]["tags"], json!([{"id": "snow", "name": "눈"}, {"id": "rain"}]));
}

#[tokio::test]
async fn pages_are_full_and_complete() {
    let all: Vec<_> =
        (0..40).map(|n| if n % 3 == 0 { format!("public-{n}") } else { format!("private-{n}") }).collect();
    let ports = ports(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut seen, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let mut parameters = json!({"q": "첫눈", "limit": "5"});
        if let Some(cursor) = cursor {
            parameters["cursor"] = cursor;
        }
        let (status, body) = get(&ports, "jun", "GET /v1/search", parameters).await;
        assert_eq!(status, 200, "{body}");
        sizes.push(ids(&body).len());
        seen.extend(ids(&body));
        match body.get("next") {
            Some(next) => cursor = Some(next.clone()),
            None => break,
        }
    }
    assert_eq!(seen, (0..40).step_by(3).map(|n| format!("public-{n}")).collect::<Vec<_>>());
    assert_eq!(sizes, [5, 5, 4]);
}

#[tokio::test]
async fn index_pages_per_request_are_limited() {
    let all: Vec<_> = (0..1_000).map(|n| format!("private-{n}")).collect();
    let ports = ports(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let (_, body) = get(&ports, "jun", "GET /v1/search", json!({"q": "첫눈", "limit": "10"})).await;
    assert_eq!((ids(&body).len(), body["next"].is_string()), (0, true));
}

#[tokio::test]
async fn cursor_of_other_caller_returns_400() {
    let ports = ports(&["public-1", "public-2", "public-3"]);
    let (_, body) = get(&ports, "jun", "GET /v1/search", json!({"q": "첫눈", "limit": "1"})).await;
    let parameters = json!({"q": "첫눈", "limit": "1", "cursor": body["next"]});
    assert_eq!(get(&ports, "jun", "GET /v1/search", parameters.clone()).await.0, 200);
    let (status, problem) = get(&ports, "sora", "GET /v1/search", parameters).await;
    assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-cursor")));
}

#[tokio::test]
async fn suggestions_are_visible_and_unique() {
    let ports = ports(&["private-1", "public-1", "public-1", "mina"]);
    let (_, body) = get(&ports, "sora", "GET /v1/search/suggestions", json!({"q": "첫"})).await;
    let expected = json!({"items": [
        {"kind": "story", "id": "public-1", "text": "첫눈 public-1"}, {"kind": "person", "id": "mina", "text": "미나"}
    ]});
    assert_eq!(body, expected);
}

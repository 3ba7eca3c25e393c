use std::collections::HashMap;

use aws_lambda_events::encodings::Body;
use aws_sdk_dynamodb::{Client, operation::batch_get_item::BatchGetItemOutput, types::AttributeValue};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use domain::{
    graph::Position,
    push,
    search::{GenerationPosition, MARK_BEGIN, MARK_END, Register},
};
use opensearch::Page;
use rest_kit::page_token::LazyTokenCipher;
use serde_json::{Value, json};
use store::{audience::AudienceTable, relations::Relations, search::SearchTable};

use super::*;

type Row = HashMap<String, AttributeValue>;

/// An index that finds these, in this order, whatever it is asked.
struct Found(Vec<Hit>);

impl Find for Found {
    async fn find(&self, _: Search<'_>, _: &str, after: Option<&SortKey>, size: usize) -> Result<Page, Failure> {
        let rest = self.0.iter().skip_while(|hit| after.is_some_and(|after| hit.place != *after));
        let rest = rest.skip(usize::from(after.is_some()));
        let hits: Vec<_> = rest.take(size).cloned().collect();
        Ok(Page { is_last: hits.len() < size, hits })
    }
}

fn hit(id: &str) -> Hit {
    let place = serde_json::from_value(json!([7.0, 0, id])).expect("a place");
    Hit { id: id.to_owned(), marked: Some(format!("{MARK_BEGIN}첫눈{MARK_END} {id}")), place }
}

fn row(id: &str, registers: &[(&str, Option<&str>)]) -> Row {
    let position = GenerationPosition { generation: 0, position: Position::new(7, 1) };
    let mut row = Row::from([
        ("id".to_owned(), AttributeValue::S(id.to_owned())),
        ("version".to_owned(), AttributeValue::N("3".to_owned())),
    ]);
    for (name, value) in registers {
        let register = Register { position, value: value.map(str::to_owned) };
        row.insert(format!("r:{name}"), AttributeValue::S(register.to_string()));
    }
    row
}

/// Mina's stories: `public-*`, `followers-*`, `private-*`, `deleted-*`; and who she is.
fn known(id: &str) -> Option<Row> {
    let title = format!("첫눈 {id}");
    let told = ("told#e", Some("1795305600000 mina"));
    match id.split('-').next()? {
        "snow" => Some(row(id, &[("tag", Some("")), ("name", Some("눈"))])),
        "tagged" => {
            Some(row(id, &[("title", Some(&title)), told, ("tagged#x", Some("snow")), ("tagged#y", Some("rain"))]))
        }
        "mina" => Some(row(id, &[("person", Some("")), ("name", Some("미나"))])),
        "deleted" => Some(row(id, &[("title", Some(&title)), ("told#e", None)])),
        visibility @ ("public" | "followers" | "private") => {
            Some(row(id, &[("title", Some(&title)), told, ("visibility", Some(visibility))]))
        }
        _ => None,
    }
}

/// The API over these hits; `jun` follows mina.
fn ports(ids: &[&str]) -> Ports<Found> {
    let entries = mock!(Client::batch_get_item).then_compute_output(|request| {
        let asked = request.request_items().expect("keys");
        let text = |key: &Row, name: &str| key.get(name).and_then(|value| value.as_s().ok()).cloned();
        let mut output = BatchGetItemOutput::builder();
        if let Some(asked) = asked.get("search") {
            let rows = asked.keys().iter().filter_map(|key| known(&text(key, "id")?)).collect();
            output = output.responses("search", rows);
        }
        if let Some(asked) = asked.get("audience") {
            let follows = |key: &&Row| {
                (text(key, "pk").as_deref(), text(key, "sk").as_deref()) == (Some("followers#mina"), Some("jun"))
            };
            let register = push::Register::new(Position::new(1, 1), "").to_string();
            let rows = asked.keys().iter().filter(follows).map(|key| {
                let mut row = key.clone();
                row.insert("r:edge#e".to_owned(), AttributeValue::S(register.clone()));
                row
            });
            output = output.responses("audience", rows.collect());
        }
        output.build()
    });
    let secret = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .then_output(|| GetSecretValueOutput::builder().secret_string("0123456789abcdef0123456789abcdef").build());
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&entries]);
    Ports {
        index: Found(ids.iter().map(|id| hit(id)).collect()),
        visible: Visible {
            entries: SearchTable::new(dynamodb.clone(), "search".into()),
            relations: Relations { audience: AudienceTable::new(dynamodb, "audience".into()) },
        },
        cipher: LazyTokenCipher::new(mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&secret]), "arn".into()),
    }
}

async fn ask(ports: &Ports<Found>, caller: &str, route: &str, parameters: Value) -> (i64, Value) {
    let request = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": "", "headers": {},
        "queryStringParameters": parameters, "isBase64Encoded": false,
        "requestContext": {
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": {"sub": caller, "token_use": "access"}, "scopes": []}}
        }
    });
    let answer = handle(ports, &serde_json::from_value(request).expect("a request")).await;
    let Some(Body::Text(body)) = answer.body else { panic!("no text") };
    (answer.status_code, serde_json::from_str(&body).expect("JSON"))
}

async fn found(ports: &Ports<Found>, caller: &str) -> Vec<String> {
    let (status, body) = ask(ports, caller, "GET /v1/search", json!({"q": "첫눈"})).await;
    assert_eq!(status, 200, "{body}");
    ids(&body)
}

fn ids(body: &Value) -> Vec<String> {
    let items = body["items"].as_array().expect("items").iter();
    items.map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn who_finds_what() {
    let ports = ports(&["public-1", "followers-1", "private-1", "deleted-1", "unknown-1", "mina"]);
    assert_eq!(found(&ports, "mina").await, ["public-1", "followers-1", "private-1", "mina"]);
    assert_eq!(found(&ports, "jun").await, ["public-1", "followers-1", "mina"]);
    assert_eq!(found(&ports, "sora").await, ["public-1", "mina"]);
}

#[tokio::test]
async fn a_story_comes_with_its_author_and_what_was_found_of_it() {
    let (_, body) = ask(&ports(&["followers-1"]), "jun", "GET /v1/search", json!({"q": "첫눈"})).await;
    let expected = json!({"items": [{
        "kind": "story", "id": "followers-1", "title": "첫눈 followers-1", "author": {"id": "mina", "name": "미나"},
        "publishedAt": "2026-11-22T00:00:00.000Z", "visibility": "followers", "tags": [],
        "highlight": [{"text": "첫눈", "match": true}, {"text": " followers-1", "match": false}]
    }]});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_tag_is_found_by_everybody_and_leads_to_what_has_it_now() {
    let ports = ports(&["snow", "tagged-1", "public-1", "deleted-1", "mina"]);
    let (_, body) = ask(&ports, "sora", "GET /v1/search", json!({"q": "눈", "limit": "1"})).await;
    let tag = json!({"kind": "tag", "id": "snow", "name": "눈"});
    assert_eq!(body["items"], json!([tag]));
    // The index may be behind: it finds what has lost the tag.
    let (status, body) = ask(&ports, "sora", "GET /v1/search", json!({"tag": "snow"})).await;
    assert_eq!((status, ids(&body)), (200, vec!["tagged-1".to_owned()]));
    // A tag of which only the edge is known has no name yet.
    assert_eq!(body["items"][0]["tags"], json!([{"id": "snow", "name": "눈"}, {"id": "rain"}]));
}

#[tokio::test]
async fn pages_are_full_follow_each_other_and_end() {
    let all: Vec<_> =
        (0..40).map(|n| if n % 3 == 0 { format!("public-{n}") } else { format!("private-{n}") }).collect();
    let ports = ports(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut seen, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let mut parameters = json!({"q": "첫눈", "limit": "5"});
        if let Some(cursor) = cursor {
            parameters["cursor"] = cursor;
        }
        let (status, body) = ask(&ports, "jun", "GET /v1/search", parameters).await;
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
async fn the_search_for_a_page_is_bounded() {
    let all: Vec<_> = (0..1_000).map(|n| format!("private-{n}")).collect();
    let ports = ports(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let (_, body) = ask(&ports, "jun", "GET /v1/search", json!({"q": "첫눈", "limit": "10"})).await;
    assert_eq!((ids(&body).len(), body["next"].is_string()), (0, true));
}

#[tokio::test]
async fn a_cursor_of_somebody_else_is_refused() {
    let ports = ports(&["public-1", "public-2", "public-3"]);
    let (_, body) = ask(&ports, "jun", "GET /v1/search", json!({"q": "첫눈", "limit": "1"})).await;
    let parameters = json!({"q": "첫눈", "limit": "1", "cursor": body["next"]});
    assert_eq!(ask(&ports, "jun", "GET /v1/search", parameters.clone()).await.0, 200);
    let (status, problem) = ask(&ports, "sora", "GET /v1/search", parameters).await;
    assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-cursor")));
}

#[tokio::test]
async fn suggestions_are_what_may_be_seen_once() {
    let ports = ports(&["private-1", "public-1", "public-1", "mina"]);
    let (_, body) = ask(&ports, "sora", "GET /v1/search/suggestions", json!({"q": "첫"})).await;
    let expected = json!({"items": [
        {"kind": "story", "id": "public-1", "text": "첫눈 public-1"}, {"kind": "person", "id": "mina", "text": "미나"}
    ]});
    assert_eq!(body, expected);
}

//! Tests of the whole function with mocked tables.

use std::collections::HashMap;

use aws_lambda_events::{apigw::ApiGatewayV2httpRequest, encodings::Body};
use aws_sdk_dynamodb::{
    Client,
    operation::{get_item::GetItemOutput, query::QueryOutput, update_item::UpdateItemOutput},
    types::{AttributeValue, Select},
};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use domain::{
    graph::Position,
    push::{InboxEntry, InboxGroup, Register},
};
use jiff::Timestamp;
use rest_kit::page_token::LazyTokenCipher;
use serde_json::{Value, json};
use store::{
    audience::AudienceTable,
    inbox::{InboxTable, ReadMarks},
};

use crate::handler::{Ports, handle};

type Attributes = HashMap<String, AttributeValue>;

fn now() -> Timestamp {
    "2026-11-22T01:00:00Z".parse().expect("a time")
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn register(commit: u64, value: &str) -> AttributeValue {
    text(Register::new(Position::new(commit, 1), value).to_string())
}

/// A row of `audience`: partition key, sort key, registers.
fn fact(pk: &str, sk: &str, registers: &[(&str, &str)]) -> Attributes {
    let keys = [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))];
    keys.into_iter().chain(registers.iter().map(|(name, value)| (format!("r:{name}"), register(7, value)))).collect()
}

/// Entries: edge, actor, source, target, minute.
type Entries<'a> = &'a [(&'a str, &'a str, &'a str, &'a str, u32)];

/// A row of `inbox`.
fn group(rule: &str, key: &str, entries: Entries<'_>) -> Attributes {
    let mut group = InboxGroup::default();
    for (commit, (edge, actor, source, target, minute)) in (1..).zip(entries) {
        let at: Timestamp = format!("2026-11-22T00:{minute:02}:00.123456Z").parse().expect("a time");
        group.add(InboxEntry {
            edge: (*edge).into(),
            position: Position::new(commit, 1).into(),
            actor: (*actor).into(),
            source: (*source).into(),
            target: (*target).into(),
            committed_at: at,
            added_at: at,
        });
    }
    let updated_at = group.updated_at().expect("an entry");
    let row = [
        ("pk", "user#mina".to_owned()),
        ("sk", format!("group#{rule}:{key}")),
        ("rule", rule.to_owned()),
        ("content", serde_json::to_string(&group).expect("JSON")),
        ("updated_at", format!("{updated_at:.3}")),
        ("revision", "r".to_owned()),
    ];
    row.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}

/// The facts of the tests: Mina's story, people with names, and relations to Mina.
fn facts() -> Vec<Attributes> {
    vec![
        fact("vertex#s1", "facts", &[("title", "첫눈"), ("added", ""), ("owner#t1", "told mina")]),
        fact("vertex#jun", "facts", &[("name", "준")]),
        fact("vertex#sora", "facts", &[("name", "소라")]),
        fact("vertex#public", "facts", &[("title", "열린 이야기"), ("added", ""), ("owner#t2", "told sora")]),
        fact("vertex#closed", "facts", &[("title", "닫힌"), ("visibility", "private"), ("owner#t3", "told sora")]),
        fact("vertex#followers", "facts", &[("title", "우리"), ("visibility", "followers"), ("owner#t4", "told jun")]),
        fact("followers#jun", "mina", &[("edge#f", "")]),
        fact("pair#7#haneulx#mina", "facts", &[("blocks#b", "mina")]),
        fact("pair#4#loud#mina", "facts", &[("mutes#m", "mina")]),
    ]
}

/// Services with these groups on one page, read up to a time.
fn ports(groups: Vec<Attributes>, read_through: Option<&'static str>, next: bool, more: &[&Rule]) -> Ports {
    let unread = mock!(Client::query)
        .match_requests(|request| request.select() == Some(&Select::Count))
        .then_output(|| QueryOutput::builder().count(2).build());
    let page = mock!(Client::query).match_requests(|request| request.select().is_none()).then_compute_response(
        move |request| {
            let is_first = request.exclusive_start_key().is_none();
            let items = if is_first { &groups[..] } else { &[] };
            let last = groups.last().filter(|_| next && is_first);
            MockResponse::Http(dynamodb_responses::query(items, last))
        },
    );
    let mark = mock!(Client::get_item).then_output(move || {
        let row = read_through.map(|through| Attributes::from([("through".to_owned(), text(through))]));
        GetItemOutput::builder().set_item(row).build()
    });
    let audience = mock!(Client::batch_get_item).then_compute_response(|request| {
        let keys = dynamodb_responses::requested_keys(request.request_items(), "audience");
        let is_requested =
            |row: &Attributes| keys.iter().any(|key| key.get("pk") == row.get("pk") && key.get("sk") == row.get("sk"));
        let rows: Vec<_> = facts().into_iter().filter(is_requested).collect();
        MockResponse::Http(dynamodb_responses::batch_get("audience", &rows, &[]))
    });
    let mut rules = vec![&unread, &page, &mark, &audience];
    rules.extend(more);
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &rules);
    let secret = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .then_output(|| GetSecretValueOutput::builder().secret_string("0123456789abcdef0123456789abcdef").build());
    Ports {
        inbox: InboxTable::new(dynamodb.clone(), "inbox".into()),
        read_marks: ReadMarks::new(dynamodb.clone(), "inbox-read".into()),
        audience: AudienceTable::new(dynamodb, "audience".into()),
        cipher: LazyTokenCipher::new(mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&secret]), "arn".into()),
    }
}

fn request(route: &str, query: &str, caller: Option<&str>, body: &str) -> ApiGatewayV2httpRequest {
    let authorizer = caller.map(|sub| json!({"jwt": {"claims": {"sub": sub}, "scopes": []}}));
    let request = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": query, "headers": {}, "body": body,
        "isBase64Encoded": false, "requestContext": {"http": {"method": "GET"}, "authorizer": authorizer},
    });
    serde_json::from_value(request).expect("a request")
}

async fn respond(ports: &Ports, route: &str, query: &str, body: &str) -> (i64, Value) {
    let response = handle(ports, now(), &request(route, query, Some("mina"), body)).await;
    let Some(Body::Text(text)) = response.body else { panic!("no text") };
    (response.status_code, serde_json::from_str(&text).expect("JSON"))
}

async fn list(ports: &Ports, query: &str) -> Value {
    let (status, body) = respond(ports, "GET /v1/notifications", query, "").await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn several_likes_are_one_notification_with_names_title_and_count() {
    let likes: Entries<'_> = &[
        ("e1", "a", "a", "s1", 1),
        ("e2", "b", "b", "s1", 2),
        ("e3", "sora", "sora", "s1", 3),
        ("e4", "jun", "jun", "s1", 4),
    ];
    let ports = ports(vec![group("like-story", "s1", likes)], Some("2026-11-22T00:03:00.000Z"), false, &[]);
    let body = list(&ports, "").await;
    let item = &body["items"][0];
    assert_eq!(
        (&item["rule"], &item["category"], &item["title"]),
        (&json!("like-story"), &json!("likes"), &json!("첫눈"))
    );
    assert_eq!(item["actors"], json!([{"id": "jun", "name": "준"}, {"id": "sora", "name": "소라"}, {"id": "b"}]));
    assert_eq!((&item["actorCount"], &item["isRead"]), (&json!(4), &json!(false)));
    assert_eq!((&item["source"], &item["target"]), (&json!("jun"), &json!("s1")));
    assert_eq!(item["updatedAt"], "2026-11-22T00:04:00.123Z");
    assert_eq!((&body["unread"], body.get("next")), (&json!(1), None));
}

#[tokio::test]
async fn notification_is_read_through_its_own_time() {
    let rows = || vec![group("follow", "jun", &[("e1", "jun", "jun", "mina", 4)])];
    for (through, is_read) in [("2026-11-22T00:04:00.123Z", true), ("2026-11-22T00:04:00.122Z", false)] {
        let body = list(&ports(rows(), Some(through), false, &[]), "").await;
        assert_eq!(body["items"][0]["isRead"], is_read, "{through}");
    }
}

#[tokio::test]
async fn blocked_and_muted_persons_are_neither_shown_nor_counted() {
    let likes: Entries<'_> =
        &[("e1", "jun", "jun", "s1", 1), ("e2", "haneulx", "haneulx", "s1", 2), ("e3", "loud", "loud", "s1", 3)];
    let follow: Entries<'_> = &[("e4", "loud", "loud", "mina", 4)];
    let rows = vec![group("like-story", "s1", likes), group("follow", "loud", follow)];
    let body = list(&ports(rows, None, false, &[]), "").await;
    assert_eq!(body["items"].as_array().map(Vec::len), Some(1), "{body}");
    assert_eq!((&body["items"][0]["actors"][0]["id"], &body["items"][0]["actorCount"]), (&json!("jun"), &json!(1)));
}

#[tokio::test]
async fn story_is_shown_only_while_the_user_may_see_it() {
    let story = |id: &'static str, actor: &'static str| group("story", id, &[("e", actor, actor, id, 1)]);
    let rows = vec![
        story("public", "sora"),
        story("closed", "sora"),
        story("followers", "jun"),
        story("deleted", "sora"),
        group("like-story", "deleted", &[("e", "jun", "jun", "deleted", 1)]),
        group("like-story", "public", &[("e", "jun", "jun", "public", 1)]),
        group("rule-of-a-later-version", "x", &[("e", "jun", "jun", "mina", 1)]),
    ];
    let body = list(&ports(rows, None, false, &[]), "").await;
    let titles: Vec<_> = body["items"].as_array().expect("items").iter().map(|item| item["title"].clone()).collect();
    assert_eq!(titles, ["열린 이야기", "우리"]);
}

#[tokio::test]
async fn cursor_leads_to_the_next_page_of_the_same_user_only() {
    let rows = vec![group("follow", "jun", &[("e1", "jun", "jun", "mina", 4)])];
    let ports = ports(rows, None, true, &[]);
    let first = list(&ports, "limit=1").await;
    let next = first["next"].as_str().expect("a cursor");
    let second = list(&ports, &format!("limit=1&cursor={next}")).await;
    assert_eq!((&second["items"], second.get("next")), (&json!([]), None));
    let (status, problem) = respond(&ports, "GET /v1/notifications", "cursor=x", "").await;
    assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-cursor")));
}

#[tokio::test]
async fn unread_groups_are_counted_by_a_query_only_if_the_page_does_not_tell() {
    let rows = || vec![group("follow", "jun", &[("e1", "jun", "jun", "mina", 4)])];
    for (read_through, has_next, unread) in [
        (Some("2026-11-22T00:04:00.123Z"), true, 0),
        (Some("2026-11-22T00:00:00.000Z"), false, 1),
        // The mocked query counts two.
        (Some("2026-11-22T00:00:00.000Z"), true, 2),
        (None, true, 2),
    ] {
        let ports = ports(rows(), read_through, has_next, &[]);
        let first = list(&ports, "limit=1").await;
        assert_eq!(first["unread"], unread, "{read_through:?} {has_next}");
        if let Some(next) = first["next"].as_str() {
            assert_eq!(list(&ports, &format!("limit=1&cursor={next}")).await["unread"], 2, "of a later page");
        }
    }
}

#[tokio::test]
async fn mark_in_the_future_counts_as_now() {
    let advance = mock!(Client::update_item)
        .match_requests(|request| {
            let through = request.expression_attribute_values().and_then(|values| values.get(":through"));
            through == Some(&text("2026-11-22T01:00:00.000Z"))
        })
        .then_output(|| UpdateItemOutput::builder().build());
    let ports = ports(vec![], None, false, &[&advance]);
    let body = r#"{"through": "2030-01-01T00:00:00Z"}"#;
    assert_eq!(respond(&ports, "PUT /v1/notifications/read", "", body).await, (200, json!({"unread": 2})));
    assert_eq!(advance.num_calls(), 1);
}

#[tokio::test]
async fn missing_caller_returns_401() {
    let ports = ports(vec![], None, false, &[]);
    for route in ["GET /v1/notifications", "PUT /v1/notifications/read", "GET /v1/x"] {
        assert_eq!(handle(&ports, now(), &request(route, "", None, "!")).await.status_code, 401, "{route}");
    }
}

use aws_lambda_events::encodings::Body;
use aws_sdk_dynamodb::{
    Client,
    operation::{
        batch_get_item::{BatchGetItemError, BatchGetItemOutput},
        get_item::{GetItemError, GetItemOutput},
        query::QueryOutput,
    },
    types::AttributeValue,
};
use aws_sdk_s3::{
    config::{BehaviorVersion, Credentials, Region},
    operation::delete_object::DeleteObjectOutput,
};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::media::Visibility;
use serde_json::{Value, json};
use store::audience::AudienceTable;

use super::*;
use crate::links::Signing;

const VISIBILITIES: [Visibility; 3] = [Visibility::Public, Visibility::Followers, Visibility::Private];

/// Of the items: `mina`. `jun` follows her, `sora` does not.
const CALLERS: [&str; 3] = ["mina", "jun", "sora"];

/// Who is to see what: owner, follower, stranger by public, followers, private.
const MATRIX: [[bool; 3]; 3] = [[true, true, true], [true, true, false], [true, false, false]];

struct World {
    ports: Ports,
    relations: Rule,
    deleted: Rule,
}

fn now() -> Timestamp {
    "2026-11-22T00:01:00Z".parse().expect("a time")
}

/// The API with a table that answers by `media`, in which `jun` follows `mina`.
fn world(media: &[&Rule]) -> World {
    let relations = mock!(Client::batch_get_item)
        .match_requests(|request| request.request_items().is_some_and(|items| items.contains_key("audience")))
        .then_compute_output(|request| {
            let asked = request.request_items().and_then(|items| items.get("audience"));
            let keys = asked.map(|asked| asked.keys().to_vec()).unwrap_or_default();
            let follows = |key: &std::collections::HashMap<String, AttributeValue>| {
                let text = |name| key.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
                (text("pk"), text("sk")) == (Some("followers#mina"), Some("jun"))
            };
            let rows = keys.into_iter().filter(follows).map(|mut key| {
                key.insert("r:edge#e".into(), AttributeValue::S(register()));
                key
            });
            BatchGetItemOutput::builder().responses("audience", rows.collect()).build()
        });
    let deleted = mock!(aws_sdk_s3::Client::delete_object).then_output(|| DeleteObjectOutput::builder().build());
    let secret = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .then_output(|| GetSecretValueOutput::builder().secret_string("0123456789abcdef0123456789abcdef").build());
    let mut rules = vec![&relations];
    rules.extend(media);
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &rules);
    let signing = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("ap-northeast-2"))
        .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
        .build();
    let ports = Ports {
        table: MediaTable::new(dynamodb.clone(), "media".into()),
        relations: Relations { audience: AudienceTable::new(dynamodb, "audience".into()) },
        originals: Originals {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&deleted]),
            bucket: "originals".into(),
        },
        links: Links {
            base_url: "https://d1.cloudfront.net".into(),
            signing: Signing::Bucket { s3: aws_sdk_s3::Client::from_conf(signing), bucket: "derived".into() },
        },
        cipher: LazyTokenCipher::new(mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&secret]), "arn".into()),
    };
    World { ports, relations, deleted }
}

fn register() -> String {
    domain::push::Register::new(domain::graph::Position::new(1, 1), "").to_string()
}

/// A row as the table holds it.
fn row(name: &str, visibility: Visibility) -> std::collections::HashMap<String, AttributeValue> {
    let key = format!("photo/mina/{name}");
    serde_dynamo::to_item(json!({
        "id": MediaId::of_key(&key), "position": format!("{:0<32}.2", "0A"), "kind": "photo", "owner": "mina",
        "key": key, "state": "ready", "size": 7, "uploaded_at": "2026-11-22T00:00:00Z", "visibility": visibility,
        "file_name": "비밀.jpg",
        "derived": {
            "width": 4, "height": 3, "thumb_hash": "AA==", "dominant_colour": "#102030",
            "variants": [{"key": "v/1.webp", "content_type": "image/webp", "width": 4, "height": 3, "size": 9}]
        }
    }))
    .expect("a row")
}

/// The table has this one item.
fn item(visibility: Visibility) -> Rule {
    mock!(Client::get_item).then_output(move || GetItemOutput::builder().set_item(Some(row("a", visibility))).build())
}

fn id() -> MediaId {
    MediaId::of_key("photo/mina/a")
}

async fn ask(
    world: &World,
    caller: &str,
    route: &str,
    query: Value,
    body: Value,
    known: Option<&str>,
) -> (i64, Value, Option<String>) {
    let mut headers = json!({});
    if let Some(known) = known {
        headers["if-none-match"] = known.into();
    }
    let request = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": "", "headers": headers,
        "pathParameters": {"id": id()}, "queryStringParameters": query, "isBase64Encoded": false,
        "body": body.to_string(),
        "requestContext": {
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": {"sub": caller, "token_use": "access"}, "scopes": []}}
        }
    });
    let answer = handle(&world.ports, &serde_json::from_value(request).expect("a request"), now()).await;
    let tag = answer.headers.get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let body = match answer.body {
        Some(Body::Text(body)) => serde_json::from_str(&body).expect("JSON"),
        None => Value::Null,
        Some(other) => panic!("{other:?}"),
    };
    (answer.status_code, body, tag)
}

async fn get(world: &World, caller: &str) -> (i64, Value, Option<String>) {
    ask(world, caller, "GET /v1/media/{id}", json!({}), json!(null), None).await
}

#[tokio::test]
async fn one_item_by_the_matrix() {
    for (caller, row) in CALLERS.iter().zip(MATRIX) {
        for (visibility, may_see) in VISIBILITIES.into_iter().zip(row) {
            let table = item(visibility);
            let world = world(&[&table]);
            let (status, item, _) = get(&world, caller).await;
            assert_eq!(status, if may_see { 200 } else { 404 }, "{caller} {visibility:?} {item}");
            // What is not shown reads as what does not exist.
            assert_eq!(item["type"] == "urn:iyagi:problem:not-found", !may_see);
            assert_eq!(item["fileName"].is_string(), *caller == "mina");
            // One call; another one only where it matters who follows.
            let asks = usize::from(*caller != "mina" && visibility == Visibility::Followers);
            assert_eq!((table.num_calls(), world.relations.num_calls()), (1, asks));
        }
    }
}

#[tokio::test]
async fn a_batch_by_the_matrix_in_its_order_with_gaps() {
    let names = ["a", "b", "c"];
    let ids = names.map(|name| MediaId::of_key(&format!("photo/mina/{name}")));
    let absent = MediaId::of_key("photo/mina/absent");
    for (caller, seen) in CALLERS.iter().zip(MATRIX) {
        let table = mock!(Client::batch_get_item)
            .match_requests(|request| request.request_items().is_some_and(|items| items.contains_key("media")))
            .then_output(move || {
                let rows = names.iter().zip(VISIBILITIES).map(|(name, visibility)| row(name, visibility));
                BatchGetItemOutput::builder().responses("media", rows.collect()).build()
            });
        let world = world(&[&table]);
        let asked = json!({"ids": [ids[2], absent, ids[1], ids[0]], "fields": ["visibility"]});
        let (status, answer, _) = ask(&world, caller, "POST /v1/media/batch", json!({}), asked, None).await;
        let expected: Vec<_> = (0..3)
            .rev()
            .filter(|&index| seen[index])
            .map(|index| json!({"id": ids[index], "visibility": VISIBILITIES[index]}))
            .collect();
        assert_eq!((status, answer), (200, json!({"items": expected})), "{caller}");
        assert_eq!(world.relations.num_calls(), usize::from(*caller != "mina"));
    }
}

#[tokio::test]
async fn a_list_asks_the_index_of_what_the_caller_may_see() {
    for (caller, index) in CALLERS.iter().zip(["all_for_owner", "all_for_followers", "all_for_anyone"]) {
        let table = mock!(Client::query)
            .match_requests(move |request| request.index_name() == Some(index))
            .then_output(|| QueryOutput::builder().build());
        let world = world(&[&table]);
        let (status, page, _) = ask(&world, caller, "GET /v1/media", json!({"owner": "mina"}), json!(null), None).await;
        assert_eq!((status, page), (200, json!({"items": []})), "{caller}");
        assert_eq!((table.num_calls(), world.relations.num_calls()), (1, usize::from(*caller != "mina")));
    }
}

#[tokio::test]
async fn a_list_without_an_owner_is_the_callers_own() {
    let table = mock!(Client::query)
        .match_requests(|request| {
            let key = request.expression_attribute_values().and_then(|values| values.get(":list"));
            request.index_name() == Some("kind_for_owner") && key == Some(&AttributeValue::S("photo#mina".into()))
        })
        .then_output(|| QueryOutput::builder().build());
    let world = world(&[&table]);
    assert_eq!(ask(&world, "mina", "GET /v1/media", json!({"kind": "photo"}), json!(null), None).await.0, 200);
    assert_eq!((table.num_calls(), world.relations.num_calls()), (1, 0));
}

#[tokio::test]
async fn a_cursor_leads_on_and_is_the_callers_alone() {
    let table = mock!(Client::query).then_output(|| {
        let rows = ["a", "b"].map(|name| row(name, Visibility::Public));
        QueryOutput::builder().set_items(Some(rows.into())).build()
    });
    let world = world(&[&table]);
    let query = json!({"owner": "mina", "limit": "1"});
    let (_, page, tag) = ask(&world, "sora", "GET /v1/media", query.clone(), json!(null), None).await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    let mut next = query.clone();
    next["cursor"] = page["next"].clone();
    assert_eq!(ask(&world, "sora", "GET /v1/media", next.clone(), json!(null), None).await.0, 200);
    let calls = table.num_calls();
    let (status, problem, _) = ask(&world, "jun", "GET /v1/media", next.clone(), json!(null), None).await;
    assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-cursor")));
    next["kind"] = "photo".into();
    assert_eq!(ask(&world, "sora", "GET /v1/media", next, json!(null), None).await.0, 400);
    assert_eq!(table.num_calls(), calls, "a cursor that is refused costs no read");
    // The same page has the same tag.
    assert_eq!(ask(&world, "sora", "GET /v1/media", query, json!(null), tag.as_deref()).await.0, 304);
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let table = item(Visibility::Public);
    let world = world(&[&table]);
    let (_, _, tag) = get(&world, "mina").await;
    let again = |caller, query, known| ask(&world, caller, "GET /v1/media/{id}", query, json!(null), known);
    let tag = tag.expect("a tag");
    let (status, body, same) = again("mina", json!({}), Some(&tag)).await;
    assert_eq!((status, body, same.as_deref()), (304, Value::Null, Some(tag.as_str())));
    // Others see no file name; other fields are another answer.
    assert_eq!(again("jun", json!({}), Some(&tag)).await.0, 200);
    assert_eq!(again("mina", json!({"fields": "state"}), Some(&tag)).await.0, 200);
}

#[tokio::test]
async fn links_are_the_same_within_an_epoch() {
    let table = item(Visibility::Public);
    let world = world(&[&table]);
    let (_, first, _) = get(&world, "mina").await;
    let (_, second, _) = get(&world, "mina").await;
    assert!(first["variants"][0]["url"].as_str().is_some_and(|url| url.contains("20261122T000000Z")), "{first}");
    assert_eq!(first, second);
}

#[tokio::test]
async fn only_the_owner_deletes_and_nothing_is_written_to_the_table() {
    for caller in CALLERS {
        let table = item(Visibility::Public);
        let world = world(&[&table]);
        let (status, ..) = ask(&world, caller, "DELETE /v1/media/{id}", json!({}), json!(null), None).await;
        assert_eq!(status, if caller == "mina" { 204 } else { 404 }, "{caller}");
        assert_eq!(world.deleted.num_calls(), usize::from(caller == "mina"));
    }
}

#[tokio::test]
async fn the_deleted_are_not_there_for_anybody() {
    let gone = mock!(Client::get_item).then_output(|| {
        let row = serde_dynamo::to_item(json!({
            "id": id(), "position": format!("{:0<32}.0", "0B"), "kind": "photo", "owner": "mina",
            "key": "photo/mina/a", "state": "deleted", "expires_at": 1_797_901_323
        }));
        GetItemOutput::builder().set_item(Some(row.expect("a row"))).build()
    });
    let world = world(&[&gone]);
    for route in ["GET /v1/media/{id}", "DELETE /v1/media/{id}"] {
        assert_eq!(ask(&world, "mina", route, json!({}), json!(null), None).await.0, 404, "{route}");
    }
    assert_eq!(world.deleted.num_calls(), 0);
}

#[tokio::test]
async fn while_it_is_not_known_who_follows_nothing_is_shown() {
    let table = item(Visibility::Followers);
    let silent = mock!(Client::batch_get_item).then_error(|| BatchGetItemError::unhandled("no answer"));
    let mut world = world(&[]);
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&table, &silent]);
    world.ports.table = MediaTable::new(dynamodb.clone(), "media".into());
    world.ports.relations = Relations { audience: AudienceTable::new(dynamodb, "audience".into()) };
    let (status, problem, tag) = get(&world, "jun").await;
    assert_eq!((status, &problem["type"]), (503, &json!("urn:iyagi:problem:unavailable")));
    assert_eq!(tag, None);
}

#[tokio::test]
async fn nobody_asks_without_having_signed_in_and_faults_are_told() {
    let silent = mock!(Client::get_item).then_error(|| GetItemError::unhandled("no answer"));
    let world = world(&[&silent]);
    assert_eq!(get(&world, "mina").await.0, 503);
    assert_eq!(get(&world, "").await.0, 401);
}

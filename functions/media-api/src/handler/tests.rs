use aws_lambda_events::encodings::Body;
use aws_sdk_dynamodb::{
    Client,
    operation::{
        batch_get_item::{BatchGetItemError, BatchGetItemOutput},
        get_item::{GetItemError, GetItemOutput},
        put_item::PutItemOutput,
        update_item::{UpdateItemError, UpdateItemOutput},
    },
    types::{AttributeValue, error::ConditionalCheckFailedException},
};
use aws_sdk_s3::{
    config::{BehaviorVersion, Credentials, Region},
    operation::delete_object::DeleteObjectOutput,
};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use domain::{media::Visibility, user_report::ReportId};
use function_kit::metrics::Metrics;
use serde_json::{Value, json};
use store::{audience::AudienceTable, quotas::QuotasTable, reports::ReportTable};

use super::*;
use crate::links::Signing;

const VISIBILITIES: [Visibility; 3] = [Visibility::Public, Visibility::Followers, Visibility::Private];

/// `mina` owns the items, `jun` follows her, `sora` does not.
const CALLERS: [&str; 3] = ["mina", "jun", "sora"];

/// Whether owner, follower and stranger (rows) may see public, followers' and private items (columns).
const MATRIX: [[bool; 3]; 3] = [[true, true, true], [true, true, false], [true, false, false]];

struct FakeAws {
    ports: Ports,
    relations: Rule,
    deleted: Rule,
}

fn now() -> Timestamp {
    "2026-11-22T00:01:00Z".parse().expect("a time")
}

/// Services in which `jun` follows `mina`; `media` are the responses of the table of media items.
fn fake_aws(media: &[&Rule]) -> FakeAws {
    let relations = mock!(Client::batch_get_item)
        .match_requests(|request| request.request_items().is_some_and(|items| items.contains_key("audience")))
        .then_compute_response(|request| {
            let keys = dynamodb_responses::requested_keys(request.request_items(), "audience");
            let follows = |key: &std::collections::HashMap<String, AttributeValue>| {
                let text = |name| key.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
                (text("pk"), text("sk")) == (Some("followers#mina"), Some("jun"))
            };
            let rows = keys.into_iter().filter(follows).map(|mut key| {
                key.insert("r:edge#e".into(), AttributeValue::S(register()));
                key
            });
            MockResponse::Http(dynamodb_responses::batch_get("audience", &rows.collect::<Vec<_>>(), &[]))
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
        relations: Relations { audience: AudienceTable::new(dynamodb.clone(), "audience".into()) },
        reports: Reports {
            table: ReportTable::new(dynamodb.clone(), "reports".into()),
            quotas: QuotasTable::new(dynamodb, "quotas".into()),
            per_day: 2,
            metrics: Metrics::of("media-api"),
        },
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
    FakeAws { ports, relations, deleted }
}

fn register() -> String {
    domain::push::Register::new(domain::graph::Position::new(1, 1), "").to_string()
}

/// A row of the table.
fn content(name: &str, visibility: Visibility) -> Value {
    let key = format!("photo/mina/{name}");
    json!({
        "id": MediaId::of_key(&key), "position": format!("{:0<32}.2", "0A"), "kind": "photo", "owner": "mina",
        "key": key, "state": "ready", "size": 7, "uploaded_at": "2026-11-22T00:00:00Z", "visibility": visibility,
        "file_name": "비밀.jpg",
        "derived": {
            "width": 4, "height": 3, "thumb_hash": "AA==", "dominant_colour": "#102030",
            "variants": [{"key": "v/1.webp", "content_type": "image/webp", "width": 4, "height": 3, "size": 9}]
        }
    })
}

fn row(name: &str, visibility: Visibility) -> std::collections::HashMap<String, AttributeValue> {
    serde_dynamo::to_item(content(name, visibility)).expect("a row")
}

/// DynamoDB's response to a query that finds public items with these names.
fn page(names: &[&str]) -> HttpResponse {
    dynamodb_responses::query(&names.iter().map(|name| row(name, Visibility::Public)).collect::<Vec<_>>(), None)
}

/// A table with one item of this visibility.
fn item(visibility: Visibility) -> Rule {
    mock!(Client::get_item).then_output(move || GetItemOutput::builder().set_item(Some(row("a", visibility))).build())
}

fn id() -> MediaId {
    MediaId::of_key("photo/mina/a")
}

async fn send(
    aws: &FakeAws,
    caller: &str,
    route: &str,
    query: Value,
    body: Value,
    if_none_match: Option<&str>,
) -> (i64, Value, Option<String>) {
    let mut headers = json!({});
    if let Some(tag) = if_none_match {
        headers["if-none-match"] = tag.into();
    }
    let request = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "headers": headers,
        "pathParameters": {"id": id()}, "rawQueryString": serde_urlencoded::to_string(&query).expect("a query"),
        "isBase64Encoded": false,
        "body": body.to_string(),
        "requestContext": {
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": {"sub": caller, "token_use": "access"}, "scopes": []}}
        }
    });
    let response = handle(&aws.ports, &serde_json::from_value(request).expect("a request"), now()).await;
    let tag = response.headers.get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let body = match response.body {
        Some(Body::Text(body)) => serde_json::from_str(&body).expect("JSON"),
        None => Value::Null,
        Some(other) => panic!("{other:?}"),
    };
    (response.status_code, body, tag)
}

async fn get(aws: &FakeAws, caller: &str) -> (i64, Value, Option<String>) {
    send(aws, caller, "GET /v1/media/{id}", json!({}), json!(null), None).await
}

#[tokio::test]
async fn item_is_returned_if_the_caller_may_see_it() {
    for (caller, row) in CALLERS.iter().zip(MATRIX) {
        for (visibility, may_see) in VISIBILITIES.into_iter().zip(row) {
            let table = item(visibility);
            let aws = fake_aws(&[&table]);
            let (status, item, _) = get(&aws, caller).await;
            assert_eq!(status, if may_see { 200 } else { 404 }, "{caller} {visibility:?} {item}");
            // A hidden item returns the same as one that does not exist.
            assert_eq!(item["type"] == "urn:iyagi:problem:not-found", !may_see);
            assert_eq!(item["fileName"].is_string(), *caller == "mina");
            // One read; a second one only if the relation matters.
            let lookups = usize::from(*caller != "mina" && visibility == Visibility::Followers);
            assert_eq!((table.num_calls(), aws.relations.num_calls()), (1, lookups));
        }
    }
}

#[tokio::test]
async fn batch_returns_visible_items_in_the_order_of_the_request() {
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
        let aws = fake_aws(&[&table]);
        let body = json!({"ids": [ids[2], absent, ids[1], ids[0]], "fields": ["visibility"]});
        let (status, batch, _) = send(&aws, caller, "POST /v1/media/batch", json!({}), body, None).await;
        let expected: Vec<_> = (0..3)
            .rev()
            .filter(|&index| seen[index])
            .map(|index| {
                // The required fields, and the requested one.
                json!({
                    "id": ids[index], "kind": "photo", "owner": "mina", "uploadedAt": "2026-11-22T00:00:00.000Z",
                    "bytes": 7, "visibility": VISIBILITIES[index], "state": "ready",
                })
            })
            .collect();
        assert_eq!((status, batch), (200, json!({"items": expected})), "{caller}");
        assert_eq!(aws.relations.num_calls(), usize::from(*caller != "mina"));
    }
}

#[tokio::test]
async fn list_queries_the_index_of_the_callers_relation() {
    for (caller, index) in CALLERS.iter().zip(["all_for_owner", "all_for_followers", "all_for_anyone"]) {
        let table = mock!(Client::query)
            .match_requests(move |request| request.index_name() == Some(index))
            .then_http_response(|| page(&[]));
        let aws = fake_aws(&[&table]);
        let (status, page, _) = send(&aws, caller, "GET /v1/media", json!({"owner": "mina"}), json!(null), None).await;
        assert_eq!((status, page), (200, json!({"items": []})), "{caller}");
        assert_eq!((table.num_calls(), aws.relations.num_calls()), (1, usize::from(*caller != "mina")));
    }
}

#[tokio::test]
async fn list_without_owner_is_the_callers_own() {
    let table = mock!(Client::query)
        .match_requests(|request| {
            let key = request.expression_attribute_values().and_then(|values| values.get(":list"));
            request.index_name() == Some("kind_for_owner") && key == Some(&AttributeValue::S("photo#mina".into()))
        })
        .then_http_response(|| page(&[]));
    let aws = fake_aws(&[&table]);
    assert_eq!(send(&aws, "mina", "GET /v1/media", json!({"kind": "photo"}), json!(null), None).await.0, 200);
    assert_eq!((table.num_calls(), aws.relations.num_calls()), (1, 0));
}

#[tokio::test]
async fn cursor_continues_the_list_for_its_caller_only() {
    let table = mock!(Client::query).then_http_response(|| page(&["a", "b"]));
    let aws = fake_aws(&[&table]);
    let query = json!({"owner": "mina", "limit": "1"});
    let (_, page, tag) = send(&aws, "sora", "GET /v1/media", query.clone(), json!(null), None).await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    let mut next = query.clone();
    next["cursor"] = page["next"].clone();
    assert_eq!(send(&aws, "sora", "GET /v1/media", next.clone(), json!(null), None).await.0, 200);
    let calls = table.num_calls();
    let (status, problem, _) = send(&aws, "jun", "GET /v1/media", next.clone(), json!(null), None).await;
    assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-cursor")));
    next["kind"] = "photo".into();
    assert_eq!(send(&aws, "sora", "GET /v1/media", next, json!(null), None).await.0, 400);
    assert_eq!(table.num_calls(), calls, "a rejected cursor costs no read");
    // The same page has the same tag.
    assert_eq!(send(&aws, "sora", "GET /v1/media", query, json!(null), tag.as_deref()).await.0, 304);
}

#[tokio::test]
async fn unchanged_item_returns_304() {
    let table = item(Visibility::Public);
    let aws = fake_aws(&[&table]);
    let (_, _, tag) = get(&aws, "mina").await;
    let get_again = |caller, query, tag| send(&aws, caller, "GET /v1/media/{id}", query, json!(null), tag);
    let tag = tag.expect("a tag");
    let (status, body, same) = get_again("mina", json!({}), Some(&tag)).await;
    assert_eq!((status, body, same.as_deref()), (304, Value::Null, Some(tag.as_str())));
    // Other callers see no file name, and other fields make another response.
    assert_eq!(get_again("jun", json!({}), Some(&tag)).await.0, 200);
    assert_eq!(get_again("mina", json!({"fields": "state"}), Some(&tag)).await.0, 200);
}

#[tokio::test]
async fn links_are_the_same_within_a_window() {
    let table = item(Visibility::Public);
    let aws = fake_aws(&[&table]);
    let (_, first, _) = get(&aws, "mina").await;
    let (_, second, _) = get(&aws, "mina").await;
    assert!(first["variants"][0]["url"].as_str().is_some_and(|url| url.contains("20261122T000000Z")), "{first}");
    assert_eq!(first, second);
}

#[tokio::test]
async fn only_the_owner_deletes_an_item() {
    for caller in CALLERS {
        let table = item(Visibility::Public);
        let aws = fake_aws(&[&table]);
        let (status, ..) = send(&aws, caller, "DELETE /v1/media/{id}", json!({}), json!(null), None).await;
        assert_eq!(status, if caller == "mina" { 204 } else { 404 }, "{caller}");
        assert_eq!(aws.deleted.num_calls(), usize::from(caller == "mina"));
    }
}

#[tokio::test]
async fn only_items_that_the_caller_may_see_are_reported_and_counted() {
    for (caller, row) in CALLERS.iter().zip(MATRIX) {
        for (visibility, may_see) in VISIBILITIES.into_iter().zip(row) {
            let table = item(visibility);
            let count = mock!(Client::update_item)
                .match_requests(|request| request.table_name() == Some("quotas"))
                .then_output(|| UpdateItemOutput::builder().build());
            let put = mock!(Client::put_item)
                .match_requests(move |request| {
                    let text = |name: &str| request.item()?.get(name)?.as_s().ok().map(String::as_str);
                    request.table_name() == Some("reports")
                        && (text("reporter"), text("owner")) == (Some(caller), Some("mina"))
                        && (text("reason"), text("text")) == (Some("hate"), Some("비밀 말"))
                })
                .then_output(|| PutItemOutput::builder().build());
            let aws = fake_aws(&[&table, &count, &put]);
            let body = json!({"mediaId": id(), "reason": "hate", "text": "비밀 말"});
            let (status, report, _) = send(&aws, caller, "POST /v1/reports", json!({}), body, None).await;
            assert_eq!(status, if may_see { 201 } else { 404 }, "{caller} {visibility:?} {report}");
            let stored = usize::from(may_see);
            assert_eq!((count.num_calls(), put.num_calls()), (stored, stored));
            let metrics = aws.ports.reports.metrics.take_lines(0);
            assert_eq!(metrics.contains(r#""ReportsMade":1"#), may_see, "{metrics}");
            if may_see {
                let expected = json!({
                    "id": ReportId::of(caller, id()), "mediaId": id(), "reason": "hate",
                    "reportedAt": "2026-11-22T00:01:00.000Z"
                });
                assert_eq!(report, expected);
            }
        }
    }
}

#[tokio::test]
async fn report_beyond_the_day_returns_429_and_is_not_stored() {
    let table = item(Visibility::Public);
    let count = mock!(Client::update_item).then_error(|| {
        UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
    });
    let put = mock!(Client::put_item).then_output(|| PutItemOutput::builder().build());
    let aws = fake_aws(&[&table, &count, &put]);
    let body = json!({"mediaId": id(), "reason": "spam"});
    let (status, problem, _) = send(&aws, "sora", "POST /v1/reports", json!({}), body, None).await;
    assert_eq!((status, &problem["type"]), (429, &json!("urn:iyagi:problem:too-many-requests")));
    assert_eq!(put.num_calls(), 0);
    assert_eq!(aws.ports.reports.metrics.take_lines(0), "");
}

#[tokio::test]
async fn item_that_was_taken_down_is_returned_to_its_owner_only_with_the_reason() {
    for caller in CALLERS {
        let taken_down = || {
            let mut row = row("a", Visibility::Public);
            row.insert("taken_down".into(), AttributeValue::S("hate".into()));
            row
        };
        let table =
            mock!(Client::get_item).then_output(move || GetItemOutput::builder().set_item(Some(taken_down())).build());
        let batch = mock!(Client::batch_get_item)
            .match_requests(|request| request.request_items().is_some_and(|items| items.contains_key("media")))
            .then_output(move || BatchGetItemOutput::builder().responses("media", vec![taken_down()]).build());
        let aws = fake_aws(&[&table, &batch]);
        let is_owner = caller == "mina";
        let (status, item, _) = get(&aws, caller).await;
        assert_eq!(status, if is_owner { 200 } else { 404 }, "{caller}");
        if is_owner {
            assert_eq!((&item["state"], &item["takenDownFor"]), (&json!("taken_down"), &json!("hate")));
            assert_eq!(item["variants"], Value::Null);
        }
        let (_, items, _) = send(&aws, caller, "POST /v1/media/batch", json!({}), json!({"ids": [id()]}), None).await;
        assert_eq!(items["items"].as_array().map(Vec::len), Some(usize::from(is_owner)), "{caller}");
    }
}

#[tokio::test]
async fn deleted_item_returns_404() {
    let deleted = mock!(Client::get_item).then_output(|| {
        let row = serde_dynamo::to_item(json!({
            "id": id(), "position": format!("{:0<32}.0", "0B"), "kind": "photo", "owner": "mina",
            "key": "photo/mina/a", "state": "deleted", "expires_at": 1_797_901_323
        }));
        GetItemOutput::builder().set_item(Some(row.expect("a row"))).build()
    });
    let aws = fake_aws(&[&deleted]);
    let report = json!({"mediaId": id(), "reason": "spam"});
    for route in ["GET /v1/media/{id}", "DELETE /v1/media/{id}", "POST /v1/reports"] {
        assert_eq!(send(&aws, "mina", route, json!({}), report.clone(), None).await.0, 404, "{route}");
    }
    assert_eq!(aws.deleted.num_calls(), 0);
}

#[tokio::test]
async fn unknown_relation_returns_503() {
    let table = item(Visibility::Followers);
    let failing = mock!(Client::batch_get_item).then_error(|| BatchGetItemError::unhandled("timeout"));
    let mut aws = fake_aws(&[]);
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&table, &failing]);
    aws.ports.table = MediaTable::new(dynamodb.clone(), "media".into());
    aws.ports.relations = Relations { audience: AudienceTable::new(dynamodb, "audience".into()) };
    let (status, problem, tag) = get(&aws, "jun").await;
    assert_eq!((status, &problem["type"]), (503, &json!("urn:iyagi:problem:unavailable")));
    assert_eq!(tag, None);
}

#[tokio::test]
async fn missing_sign_in_returns_401_and_failure_returns_503() {
    let failing = mock!(Client::get_item).then_error(|| GetItemError::unhandled("timeout"));
    let aws = fake_aws(&[&failing]);
    assert_eq!(get(&aws, "mina").await.0, 503);
    assert_eq!(get(&aws, "").await.0, 401);
}

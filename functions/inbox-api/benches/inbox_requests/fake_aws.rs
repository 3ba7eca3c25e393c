//! Fake AWS services that respond at once: a page of likes of the user's stories, and what is known of them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_http_client::test_util::infallible_client_fn;
use domain::{
    graph::Position,
    push::{InboxEntry, InboxGroup, Register},
};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

pub const USER: &str = "0d6b1f6e-51a5-4f4c-9d5e-7a44fd1f5d0c";
pub const AUDIENCE: &str = "audience";
/// The number of stories on the page.
pub const PAGE: usize = 50;
/// People who like them.
const PEOPLE: usize = 30;
/// Likes of one story.
const LIKES: usize = 3;

/// The services and the number of calls.
pub struct FakeAws {
    responses: Arc<Responses>,
    calls: Arc<AtomicU32>,
}

#[derive(Default)]
struct Responses {
    page: String,
    /// By the first partition key of the request: to read a request takes longer than what is measured. Requests for the same
    /// rows begin with the same key, but the attributes of keys have no order.
    facts: Mutex<HashMap<Vec<u8>, String>>,
}

impl FakeAws {
    pub fn new() -> Self {
        // The latest first.
        let groups: Vec<_> = (0..PAGE).rev().map(group).collect();
        let last = json!({"pk": groups[PAGE - 1]["pk"], "sk": groups[PAGE - 1]["sk"], "updated_at": groups[PAGE - 1]["updated_at"]});
        let page = json!({"Items": groups, "Count": PAGE, "ScannedCount": PAGE, "LastEvaluatedKey": last});
        let responses = Responses { page: page.to_string(), ..Responses::default() };
        Self { responses: Arc::new(responses), calls: Arc::default() }
    }

    /// The number of calls to DynamoDB so far.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The configuration for SDK clients.
    pub fn sdk_config(&self) -> SdkConfig {
        let (responses, calls) = (self.responses.clone(), self.calls.clone());
        let http = infallible_client_fn(move |request| {
            let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
            let operation = target.and_then(|target| target.split_once('.')).map(|(_, operation)| operation);
            if operation != Some("GetSecretValue") {
                calls.fetch_add(1, Ordering::Relaxed);
            }
            let body = request.body().bytes().unwrap_or_default();
            let counts = || body.windows(5).any(|part| part == b"COUNT");
            let (status, body) = match operation {
                Some("Query") if counts() => (200, json!({"Count": 7, "ScannedCount": 7}).to_string()),
                Some("Query") => (200, responses.page.clone()),
                Some("BatchGetItem") => {
                    let mut facts = responses.facts.lock().unwrap_or_else(PoisonError::into_inner);
                    (200, facts.entry(first_key(body)).or_insert_with(|| found(body)).clone())
                }
                Some("GetItem") => (200, json!({"Item": {"through": {"S": "2026-11-22T00:20:00.000Z"}}}).to_string()),
                Some("GetSecretValue") => {
                    (200, json!({"SecretString": "0123456789abcdef0123456789abcdef"}).to_string())
                }
                _ => (500, String::new()),
            };
            let response = http::Response::builder().status(status);
            response.header("content-type", "application/x-amz-json-1.0").body(body).expect("a response")
        });
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("ap-northeast-2"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKID", "secret", None, None, "bench",
            )))
            .http_client(http)
            .build()
    }
}

/// Likes of one of the user's stories.
fn group(story: usize) -> Value {
    let mut group = InboxGroup::default();
    let start: Timestamp = "2026-11-22T00:00:00.123Z".parse().expect("a time");
    for like in 0..LIKES {
        let number = story * LIKES + like;
        let at = start + (i64::try_from(number).expect("a number")).minutes();
        group.add(InboxEntry {
            edge: format!("4ec1a1b2-0000-4000-8000-{number:012}"),
            position: Position::new(1_000 + number as u64, 1).into(),
            actor: person(number * 7),
            source: person(number * 7),
            target: format!("5a0e7f00-0000-4000-8000-{story:012}"),
            committed_at: at,
            added_at: at,
        });
    }
    let updated_at = group.updated_at().expect("an entry");
    json!({
        "pk": {"S": format!("user#{USER}")}, "sk": {"S": format!("group#like-story:5a0e7f00-0000-4000-8000-{story:012}")},
        "rule": {"S": "like-story"}, "content": {"S": serde_json::to_string(&group).expect("JSON")},
        "updated_at": {"S": format!("{updated_at:.3}")}, "revision": {"S": "0123456789abcdef0123456789abcdef"},
        "expires_at": {"N": "1805673600"},
    })
}

fn person(number: usize) -> String {
    format!("7f3f2a7c-0000-4000-8000-{:012}", number % PEOPLE)
}

/// The first partition key in a request.
fn first_key(request: &[u8]) -> Vec<u8> {
    const BEFORE: &[u8] = br#""pk":{"S":""#;
    let start = request.windows(BEFORE.len()).position(|part| part == BEFORE).expect("a key") + BEFORE.len();
    request[start..].iter().copied().take_while(|byte| *byte != b'"').collect()
}

/// The rows of the requested keys: names of persons, titles and owners of stories. No person is blocked or muted.
fn found(request: &[u8]) -> String {
    let register = |value: &str| json!({"S": Register::new(Position::new(7, 1), value).to_string()});
    let request: Value = serde_json::from_slice(request).expect("JSON");
    let keys = request["RequestItems"][AUDIENCE]["Keys"].as_array().expect("keys");
    let rows = keys.iter().filter_map(|key| {
        let mut row = key.clone();
        let pk = key["pk"]["S"].as_str().expect("a key");
        if pk.starts_with("vertex#7f3f2a7c") {
            row["r:name"] = register("김하늘");
            row["r:added"] = register("");
        } else if pk.starts_with("vertex#5a0e7f00") {
            row["r:title"] = register("경복궁의 아침");
            row["r:added"] = register("");
            row["r:owner#t"] = register(&format!("told {USER}"));
        } else {
            return None;
        }
        Some(row)
    });
    json!({"Responses": {AUDIENCE: rows.collect::<Vec<_>>()}, "UnprocessedKeys": {}}).to_string()
}

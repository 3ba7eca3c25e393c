//! The fault proxy as a server, before something that counts and echoes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::Request, response::Response};
use fault_proxy::{Call, Client, Fault, FaultProxy, Options, FaultPlan, FaultRule, Status};
use http::HeaderMap;
use http_server::Server;
use reqwest::Method;
use serde_json::{Value, json};

/// What an answer has beside the echo, so that there is a middle to break off in.
const FILLING: usize = 100_000;

/// A proxy, and what is behind it.
struct World {
    proxy: FaultProxy,
    faults: Client,
    http: reqwest::Client,
    served: Arc<AtomicU64>,
    _upstream: Server,
}

impl World {
    fn new() -> Self {
        let served = Arc::new(AtomicU64::new(0));
        let counter = served.clone();
        let echo = async move |request: Request| {
            counter.fetch_add(1, Ordering::SeqCst);
            let host = request.headers().get("host").and_then(|host| host.to_str().ok()).map(str::to_owned);
            let (uri, target) = (request.uri().to_string(), request.headers().get("x-amz-target").cloned());
            let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.expect("a body");
            let batch = target.is_some_and(|target| target == "AmazonSQS.SendMessageBatch");
            if batch {
                let asked: Value = serde_json::from_slice(&body).expect("JSON");
                let done: Vec<_> = asked["Entries"]
                    .as_array()
                    .expect("entries")
                    .iter()
                    .map(|entry| json!({"Id": entry["Id"]}))
                    .collect();
                return Response::new(json!({"Successful": done}).to_string().into());
            }
            let echo = json!({"host": host, "uri": uri, "body": String::from_utf8_lossy(&body), "filling": "x".repeat(FILLING)});
            Response::new(axum::body::Body::from(echo.to_string()))
        };
        let upstream = Server::start("upstream", 0, |_| Router::new().fallback(echo)).expect("a server");
        let options = Options { aws: upstream.endpoint(), ..Options::default() };
        let proxy = FaultProxy::start(&options).expect("a proxy");
        let faults = proxy.client();
        Self { proxy, faults, http: reqwest::Client::new(), served, _upstream: upstream }
    }

    async fn order(&self, rules: Vec<FaultRule>) {
        self.faults.set(&FaultPlan { seed: 7, rules, ..FaultPlan::default() }).await.expect("a plan");
    }

    /// A request as a function signs it; status, headers and body, if all of them come.
    async fn ask(&self, service: &str, target: &str, body: &Value) -> Result<(u16, HeaderMap, Bytes), reqwest::Error> {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential=ID/20261123/ap-northeast-2/{service}/aws4_request, Signature=x");
        let request = self.http.request(Method::POST, format!("{}/path?a=%2F", self.proxy.endpoint()));
        let request = request.header("authorization", scope).header("x-amz-target", target).header("host", "as.signed");
        let answer = request.body(body.to_string()).send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok((status, headers, answer.bytes().await?))
    }

    async fn get_item(&self) -> Result<(u16, HeaderMap, Bytes), reqwest::Error> {
        self.ask("dynamodb", "DynamoDB_20120810.GetItem", &json!({"TableName": "t"})).await
    }

    fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn what_is_not_struck_passes_as_it_is() {
    let world = World::new();
    let (status, _, body) = world.get_item().await.expect("an answer");
    let echo: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((status, &echo["host"], &echo["uri"]), (200, &json!("as.signed"), &json!("/path?a=%2F")));
    assert_eq!(echo["body"], r#"{"TableName":"t"}"#);
    let counts = world.faults.counts().await.expect("counts");
    assert_eq!((&counts[0].call, counts[0].requests), (&Call::new("dynamodb", "GetItem"), 1));
    assert!(counts[0].faults.is_empty());
}

#[tokio::test]
async fn connections_end_before_between_and_after() {
    let world = World::new();
    for (fault, is_done, has_status) in
        [(Fault::Refused, false, false), (Fault::LostAnswer, true, false), (Fault::Reset, true, true)]
    {
        world.order(vec![FaultRule::new(fault, 1.0).times(1)]).await;
        let before = world.served();
        let error = world.get_item().await.expect_err("no whole answer");
        assert_eq!(world.served() - before, u64::from(is_done), "{fault:?}");
        // A request that has no answer at all fails another way than one whose answer breaks off.
        assert_eq!(error.is_request(), !has_status, "{fault:?}: {error:?}");
        assert_eq!(world.get_item().await.expect("an answer").0, 200, "once only");
    }
}

#[tokio::test]
async fn some_come_late_and_some_hang() {
    let world = World::new();
    for (fault, comes) in [(Fault::Late { millis: 300 }, true), (Fault::Hang { millis: 300 }, false)] {
        world.order(vec![FaultRule::new(fault, 1.0).times(1)]).await;
        let (start, before) = (Instant::now(), world.served());
        assert_eq!(world.get_item().await.is_ok(), comes, "{fault:?}");
        assert!(start.elapsed() >= Duration::from_millis(300), "{fault:?}");
        assert_eq!(world.served() - before, u64::from(comes));
    }
}

#[tokio::test]
async fn services_refuse_in_their_own_words() {
    let world = World::new();
    let unable = |status, retry_after| Fault::Answer { status, retry_after };
    for (fault, service, status, words, retry_after) in [
        (unable(Status::Unavailable, Some(2)), "s3", 503, "<Code>SlowDown</Code>", Some("2")),
        (unable(Status::TooManyRequests, None), "dynamodb", 429, "#ThrottlingException", None),
        (unable(Status::InternalError, None), "sns", 500, "<Code>InternalError</Code>", None),
        (unable(Status::InternalError, None), "neptune-db", 500, r#""code":"ThrottlingException""#, None),
        (unable(Status::TooManyRequests, None), "es", 429, "es_rejected_execution_exception", None),
        (Fault::ExpiredCredentials, "s3", 400, "<Code>ExpiredToken</Code>", None),
        (Fault::ExpiredCredentials, "dynamodb", 400, "#ExpiredTokenException", None),
        (Fault::ExpiredCredentials, "sqs", 403, "#ExpiredToken", None),
    ] {
        world.order(vec![FaultRule::new(fault, 1.0)]).await;
        let (answered, headers, body) = world.ask(service, "x.Y", &json!({})).await.expect("an answer");
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(answered, status, "{service}");
        assert!(body.contains(words), "{service}: {body}");
        assert_eq!(headers.get("retry-after").and_then(|value| value.to_str().ok()), retry_after, "{service}");
    }
    assert_eq!(world.served(), 0, "nothing was handed on");
}

#[tokio::test]
async fn a_batch_is_done_in_part_and_says_which() {
    let world = World::new();
    world.order(vec![FaultRule::new(Fault::Partial, 1.0)]).await;
    let entries: Vec<_> = (0..10).map(|id| json!({"Id": id.to_string(), "MessageBody": "m"})).collect();
    let batch = json!({"QueueUrl": "q", "Entries": entries});
    let (status, _, body) = world.ask("sqs", "AmazonSQS.SendMessageBatch", &batch).await.expect("an answer");
    let answer: Value = serde_json::from_slice(&body).expect("JSON");
    let ids = |list: &str| -> Vec<String> {
        let list = answer[list].as_array().expect("a list").iter();
        list.map(|entry| entry["Id"].as_str().expect("an id").to_owned()).collect()
    };
    let (done, failed) = (ids("Successful"), ids("Failed"));
    assert!(status == 200 && !done.is_empty() && !failed.is_empty(), "{answer}");
    let mut all = [done, failed].concat();
    all.sort();
    assert_eq!(all, (0..10).map(|id| id.to_string()).collect::<Vec<_>>());
    // What is no batch is spared, and not counted.
    world.order(vec![FaultRule::new(Fault::Partial, 1.0)]).await;
    assert_eq!(world.get_item().await.expect("an answer").0, 200);
    assert!(world.faults.counts().await.expect("counts")[0].faults.is_empty());
}

#[tokio::test]
async fn a_plan_is_the_same_each_time_until_it_is_cleared() {
    let world = World::new();
    let rule = FaultRule::new(Fault::Answer { status: Status::Unavailable, retry_after: None }, 0.5);
    let mut runs = Vec::new();
    for _ in 0..2 {
        world.order(vec![rule.clone()]).await;
        let mut run = Vec::new();
        for _ in 0..20 {
            run.push(world.get_item().await.expect("an answer").0);
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&503));
    let hits = runs[0].iter().filter(|status| **status == 503).count() as u64;
    let counts = world.faults.clear().await.expect("counts");
    assert_eq!((counts[0].requests, counts[0].faults["503"]), (20, hits));
    assert_eq!(world.get_item().await.expect("an answer").0, 200);
}

#[tokio::test]
async fn what_nobody_serves_has_no_answer() {
    let options = Options { aws: "http://127.0.0.1:9".to_owned(), ..Options::default() };
    let proxy = FaultProxy::start(&options).expect("a proxy");
    assert!(reqwest::get(format!("{}/x", proxy.endpoint())).await.is_err());
}

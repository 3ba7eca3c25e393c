//! The fault proxy in front of a server that counts and echoes requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::Request, response::Response};
use fault_proxy::{Call, Client, Fault, FaultPlan, FaultProxy, FaultRule, Options, ServiceError};
use http::HeaderMap;
use http_server::Server;
use reqwest::Method;
use serde_json::{Value, json};

/// Padding of the response in bytes, so that it can be truncated.
const PADDING: usize = 100_000;

/// A proxy and its upstream server.
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
                let request: Value = serde_json::from_slice(&body).expect("JSON");
                let successful: Vec<_> = request["Entries"]
                    .as_array()
                    .expect("entries")
                    .iter()
                    .map(|entry| json!({"Id": entry["Id"]}))
                    .collect();
                return Response::new(json!({"Successful": successful}).to_string().into());
            }
            let echo = json!({"host": host, "uri": uri, "body": String::from_utf8_lossy(&body), "padding": "x".repeat(PADDING)});
            Response::new(axum::body::Body::from(echo.to_string()))
        };
        let upstream = Server::start("upstream", 0, |_| Router::new().fallback(echo)).expect("a server");
        let options = Options { aws: upstream.endpoint(), ..Options::default() };
        let proxy = FaultProxy::start(&options).expect("a proxy");
        let faults = proxy.client();
        Self { proxy, faults, http: reqwest::Client::new(), served, _upstream: upstream }
    }

    async fn set_rules(&self, rules: Vec<FaultRule>) {
        self.faults.set(&FaultPlan { seed: 7, rules, ..FaultPlan::default() }).await.expect("a plan");
    }

    /// Sends a signed request. Returns status, headers and body if all of them arrive.
    async fn send(&self, service: &str, target: &str, body: &Value) -> Result<(u16, HeaderMap, Bytes), reqwest::Error> {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential=ID/20261123/ap-northeast-2/{service}/aws4_request, Signature=x");
        let request = self.http.request(Method::POST, format!("{}/path?a=%2F", self.proxy.endpoint()));
        let request = request.header("authorization", scope).header("x-amz-target", target).header("host", "as.signed");
        let response = request.body(body.to_string()).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok((status, headers, response.bytes().await?))
    }

    async fn get_item(&self) -> Result<(u16, HeaderMap, Bytes), reqwest::Error> {
        self.send("dynamodb", "DynamoDB_20120810.GetItem", &json!({"TableName": "t"})).await
    }

    fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn unaffected_request_is_forwarded_unchanged() {
    let world = World::new();
    let (status, _, body) = world.get_item().await.expect("a response");
    let echo: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((status, &echo["host"], &echo["uri"]), (200, &json!("as.signed"), &json!("/path?a=%2F")));
    assert_eq!(echo["body"], r#"{"TableName":"t"}"#);
    let counts = world.faults.counts().await.expect("counts");
    assert_eq!((&counts[0].call, counts[0].requests), (&Call::new("dynamodb", "GetItem"), 1));
    assert!(counts[0].faults.is_empty());
}

#[tokio::test]
async fn connection_closes_before_during_and_after_the_response() {
    let world = World::new();
    for (fault, is_processed, has_status) in
        [(Fault::Refused, false, false), (Fault::LostAnswer, true, false), (Fault::Reset, true, true)]
    {
        world.set_rules(vec![FaultRule::new(fault, 1.0).times(1)]).await;
        let before = world.served();
        let error = world.get_item().await.expect_err("no complete response");
        assert_eq!(world.served() - before, u64::from(is_processed), "{fault:?}");
        // reqwest distinguishes a missing response from a truncated one.
        assert_eq!(error.is_request(), !has_status, "{fault:?}: {error:?}");
        assert_eq!(world.get_item().await.expect("a response").0, 200, "the rule applies once");
    }
}

#[tokio::test]
async fn fault_in_a_response_to_head_is_no_success() {
    let world = World::new();
    for fault in [Fault::Refused, Fault::LostAnswer, Fault::Reset, Fault::Hang { millis: 1 }] {
        world.set_rules(vec![FaultRule::new(fault, 1.0).times(1)]).await;
        let response = world.http.head(format!("{}/bucket/key", world.proxy.endpoint())).send().await;
        assert!(response.is_err() || response.is_ok_and(|response| response.status() == 503), "{fault:?}");
    }
}

#[tokio::test]
async fn late_request_is_processed_and_hanging_request_is_not() {
    let world = World::new();
    for (fault, is_processed) in [(Fault::Late { millis: 300 }, true), (Fault::Hang { millis: 300 }, false)] {
        world.set_rules(vec![FaultRule::new(fault, 1.0).times(1)]).await;
        let (start, before) = (Instant::now(), world.served());
        assert_eq!(world.get_item().await.is_ok(), is_processed, "{fault:?}");
        assert!(start.elapsed() >= Duration::from_millis(300), "{fault:?}");
        assert_eq!(world.served() - before, u64::from(is_processed));
    }
}

#[tokio::test]
async fn injected_error_has_the_format_of_its_service() {
    let world = World::new();
    for (error, service, status, text, retry_after) in [
        (ServiceError::Throttled, "s3", 503, "<Code>SlowDown</Code>", Some(2)),
        (ServiceError::Throttled, "dynamodb", 400, "#ThrottlingException", None),
        (ServiceError::InternalError, "sns", 500, "<Code>InternalError</Code>", None),
        (ServiceError::Throttled, "neptune-db", 500, r#""code":"ThrottlingException""#, None),
        (ServiceError::Throttled, "es", 429, "es_rejected_execution_exception", None),
        (ServiceError::ExpiredCredentials, "s3", 400, "<Code>ExpiredToken</Code>", None),
        (ServiceError::ExpiredCredentials, "dynamodb", 400, "#ExpiredTokenException", None),
        (ServiceError::ExpiredCredentials, "sqs", 403, "#ExpiredToken", None),
        (ServiceError::AccessDenied, "dynamodb", 400, "#AccessDeniedException", None),
        (ServiceError::AccessDenied, "secretsmanager", 400, "#AccessDeniedException", None),
        (ServiceError::AccessDenied, "sns", 403, "<Code>AuthorizationError</Code>", None),
        (ServiceError::UnknownCredentials, "dynamodb", 400, "#UnrecognizedClientException", None),
        (ServiceError::WrongClock, "s3", 403, "<Code>RequestTimeTooSkewed</Code>", None),
        (ServiceError::MissingResource, "sqs", 400, "#QueueDoesNotExist", None),
        (ServiceError::KeyDenied, "s3", 400, "<Code>KMS.DisabledException</Code>", None),
    ] {
        world.set_rules(vec![FaultRule::new(Fault::Answer { error, retry_after }, 1.0)]).await;
        let retry_after = retry_after.map(|seconds| seconds.to_string());
        let (actual, headers, body) = world.send(service, "x.Y", &json!({})).await.expect("a response");
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(actual, status, "{service}");
        assert!(body.contains(text), "{service}: {body}");
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        assert_eq!(header("retry-after"), retry_after, "{service}");
        if error == ServiceError::MissingResource {
            assert_eq!(header("x-amzn-query-error").as_deref(), Some("AWS.SimpleQueueService.NonExistentQueue;Sender"));
        }
    }
    assert_eq!(world.served(), 0, "no request was forwarded");
    // An operation without such an error is not affected and not counted.
    let conflict = Fault::Answer { error: ServiceError::Conflict, retry_after: None };
    world.set_rules(vec![FaultRule::new(conflict, 1.0)]).await;
    assert_eq!(world.get_item().await.expect("a response").0, 200);
    assert!(world.faults.counts().await.expect("counts")[0].faults.is_empty());
}

#[tokio::test]
async fn partially_failed_batch_names_the_failed_entries() {
    let world = World::new();
    world.set_rules(vec![FaultRule::new(Fault::Partial, 1.0)]).await;
    let entries: Vec<_> = (0..10).map(|id| json!({"Id": id.to_string(), "MessageBody": "m"})).collect();
    let batch = json!({"QueueUrl": "q", "Entries": entries});
    let (status, _, body) = world.send("sqs", "AmazonSQS.SendMessageBatch", &batch).await.expect("a response");
    let response: Value = serde_json::from_slice(&body).expect("JSON");
    let ids = |list: &str| -> Vec<String> {
        let list = response[list].as_array().expect("a list").iter();
        list.map(|entry| entry["Id"].as_str().expect("an id").to_owned()).collect()
    };
    let (successful, failed) = (ids("Successful"), ids("Failed"));
    assert!(status == 200 && !successful.is_empty() && !failed.is_empty(), "{response}");
    let mut all = [successful, failed].concat();
    all.sort();
    assert_eq!(all, (0..10).map(|id| id.to_string()).collect::<Vec<_>>());
    // A call without batch is not affected and not counted.
    world.set_rules(vec![FaultRule::new(Fault::Partial, 1.0)]).await;
    assert_eq!(world.get_item().await.expect("a response").0, 200);
    assert!(world.faults.counts().await.expect("counts")[0].faults.is_empty());
}

#[tokio::test]
async fn plan_makes_the_same_decisions_until_cleared() {
    let world = World::new();
    let rule = FaultRule::new(Fault::Answer { error: ServiceError::Unavailable, retry_after: None }, 0.5);
    let mut runs = Vec::new();
    for _ in 0..2 {
        world.set_rules(vec![rule.clone()]).await;
        let mut run = Vec::new();
        for _ in 0..20 {
            run.push(world.get_item().await.expect("a response").0);
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&503));
    let hits = runs[0].iter().filter(|status| **status == 503).count() as u64;
    let counts = world.faults.clear().await.expect("counts");
    assert_eq!((counts[0].requests, counts[0].faults["unavailable"]), (20, hits));
    assert_eq!(world.get_item().await.expect("a response").0, 200);
}

#[tokio::test]
async fn unreachable_upstream_closes_the_connection() {
    let options = Options { aws: "http://127.0.0.1:9".to_owned(), ..Options::default() };
    let proxy = FaultProxy::start(&options).expect("a proxy");
    assert!(reqwest::get(format!("{}/x", proxy.endpoint())).await.is_err());
}

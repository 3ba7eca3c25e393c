//! What the tests share. Each test binary uses a part of it.
#![allow(dead_code, unused_imports, reason = "each test binary uses another part")]

pub mod browser;
pub mod chance;
mod graph;
mod hostile;
pub mod recordings;
pub mod rights;
pub mod world;

use std::{
    fs,
    time::{Duration, Instant},
};

use domain::media::MediaId;
pub use hostile::{bombs, large_png};
use http::Method;
use local::{
    aws::Aws,
    paths,
    photographs::Photograph,
    runtime_api,
    stack::Stack,
    uploads::{File, Sent},
    users::{User, Users},
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// How long to wait for an outcome before something must be wrong: machines may be slow, and after
/// a deployment the graph's first changes wait up to a minute for the poller's first tick.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A file of `tests/events`.
pub fn event(name: &str) -> Value {
    let path = paths::root().join("tests/events").join(format!("{name}.json"));
    serde_json::from_slice(&fs::read(path).expect("an event")).expect("JSON")
}

/// A file of `tests/photos`.
pub fn photograph(name: &str) -> Vec<u8> {
    photographs().into_iter().find(|photograph| photograph.name == name).expect("a photograph").bytes
}

/// All photographs.
pub fn photographs() -> Vec<Photograph> {
    let photographs = local::photographs::all().expect("photographs");
    assert!(photographs.len() >= 4, "only {} photographs", photographs.len());
    photographs
}

/// The body and status of an API answer.
pub fn http_answer(answer: runtime_api::Answer) -> (u64, Value) {
    let runtime_api::Answer::Response(answer) = answer else { panic!("the invocation failed: {answer:?}") };
    let body = serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON");
    (answer["statusCode"].as_u64().expect("a status"), body)
}

/// Polls until `look` finds something.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, look).await
}

/// The same with more patience, or less.
pub async fn eventually_within<T>(patience: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < patience, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub async fn create_queue(aws: &Aws, name: &str) -> String {
    let created = aws.json("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": name})).await.expect("a queue");
    created["QueueUrl"].as_str().expect("a URL").to_owned()
}

pub async fn create_fifo_queue(aws: &Aws, name: &str) -> String {
    let create = json!({"QueueName": name, "Attributes": {"FifoQueue": "true"}});
    let created = aws.json("sqs", "AmazonSQS.CreateQueue", &create).await.expect("a queue");
    created["QueueUrl"].as_str().expect("a URL").to_owned()
}

/// Takes messages from a queue until there are `count`; their bodies.
pub async fn messages(aws: &Aws, queue_url: &str, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    eventually(&format!("{count} messages"), async || {
        bodies.extend(take_messages(aws, queue_url, |_| true).await);
        (bodies.len() >= count).then_some(())
    })
    .await;
    assert_eq!(bodies.len(), count, "{bodies:?}");
    bodies
}

/// Takes from a queue those messages whose body is `wanted`; the others stay.
pub async fn take_messages(aws: &Aws, queue_url: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let input = json!({"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 2});
    let received = aws.json("sqs", "AmazonSQS.ReceiveMessage", &input).await.expect("messages");
    let mut bodies = Vec::new();
    for message in received["Messages"].as_array().into_iter().flatten() {
        let body = message["Body"].as_str().expect("a body");
        if wanted(body) {
            let input = json!({"QueueUrl": queue_url, "ReceiptHandle": message["ReceiptHandle"]});
            aws.json("sqs", "AmazonSQS.DeleteMessage", &input).await.expect("deleted");
            bodies.push(body.to_owned());
        }
    }
    bodies
}

/// Sends a message as if S3 or SNS had.
pub async fn send_message(aws: &Aws, queue_url: &str, body: &str) {
    let input = json!({"QueueUrl": queue_url, "MessageBody": body});
    aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("sent");
}

/// Stores an object and returns the SQS event that tells of it.
pub async fn landed(aws: &Aws, bucket: &str, key: &str, bytes: Vec<u8>) -> Value {
    let size = bytes.len();
    aws.put_object(bucket, key, "application/octet-stream", bytes).await.expect("stored");
    let etag = aws.etag(bucket, key).await.expect("an ETag");
    let notification = s3_notification("ObjectCreated:Put", key, "0A", size, &etag);
    json!({"Records": [{"messageId": "m0", "body": notification}]})
}

/// A notification as S3 writes it, for a key that needs no encoding or is encoded here.
pub fn s3_notification(event_name: &str, key: &str, sequencer: &str, size: usize, etag: &str) -> String {
    let encoded: String = key
        .bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": local::emulator::REGION,
        "eventTime": "2026-11-22T03:04:05.678Z", "eventName": event_name,
        "s3": {"object": {"key": encoded, "size": size, "eTag": etag, "sequencer": sequencer}}
    }]})
    .to_string()
}

/// The deployed stack, and what tests do with it.
pub struct Deployed {
    pub stack: Stack,
    pub aws: Aws,
    http: reqwest::Client,
    /// Somebody who may see what is public.
    reader: OnceCell<User>,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub etag: Option<String>,
    /// `null` if there is none.
    pub body: Value,
}

impl Deployed {
    pub fn get() -> Self {
        let stack = Stack::under_test().expect("a stack");
        let aws = stack.aws();
        Self { stack, aws, http: reqwest::Client::new(), reader: OnceCell::new() }
    }

    /// Somebody who has just signed up.
    pub async fn person(&self, name: &str) -> User {
        Users::of(&self.stack).expect("a user pool").sign_up(name).await.expect("a user")
    }

    /// Somebody who may see what is public, always the same.
    pub async fn reader(&self) -> &User {
        self.reader.get_or_init(|| self.person("reader")).await
    }

    /// What the API answers to `user`.
    pub async fn ask(&self, user: &User, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.ask_with(user, method, path, &[], body).await
    }

    /// The same with more headers.
    pub async fn ask_with(
        &self,
        user: &User,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let answer = user.send(&self.stack, method, path, headers, body).await.expect("an answer");
        let text = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Answer {
            status: answer.status.as_u16(),
            content_type: text("content-type").unwrap_or_default(),
            etag: text("etag"),
            body: serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
        }
    }

    /// Uploads a file as an app does.
    pub async fn send(&self, user: &User, file: &File<'_>) -> Sent {
        file.send(&self.stack, user).await.expect("sent")
    }

    /// Waits until `user` sees an item as `ready` or `failed`.
    pub async fn outcome_for(&self, user: &User, id: MediaId) -> Value {
        let path = format!("/v1/media/{id}");
        eventually(&format!("an outcome of {id}"), async || {
            let answer = self.ask(user, Method::GET, &path, None).await;
            assert!(matches!(answer.status, 200 | 404), "{answer:?}");
            Some(answer.body).filter(|item| answer.status == 200 && item["state"] != "processing")
        })
        .await
    }

    pub fn output(&self, name: &str) -> &str {
        self.stack.output(name).expect("an output")
    }

    /// Uploads an original and gives its item's id.
    pub async fn upload(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> MediaId {
        self.aws.put_object(self.output("OriginalsBucketName"), key, content_type, bytes).await.expect("stored");
        MediaId::of_key(key)
    }

    /// The same with a key of its own, for streams of uploads.
    pub async fn upload_owned(&self, key: String, content_type: &str, bytes: Vec<u8>) -> MediaId {
        self.upload(&key, content_type, bytes).await
    }

    pub async fn delete(&self, key: &str) {
        self.aws.delete_object(self.output("OriginalsBucketName"), key).await.expect("deleted");
    }

    /// Status, content type and body of a GET of the API, by somebody who is signed in.
    pub async fn get_json(&self, path: &str) -> (u16, String, Value) {
        let answer = self.ask(self.reader().await, Method::GET, path, None).await;
        (answer.status, answer.content_type, answer.body)
    }

    /// Status and body of a call of the API with a JSON body and perhaps an access token.
    pub async fn send_json(&self, method: Method, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        let mut request = self.http.request(method, self.stack.api(path).expect("a URL"));
        request = request.header("content-type", "application/json").body(body.to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.bytes().await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// What the API shows of an item, if it shows one.
    pub async fn item(&self, id: MediaId) -> Option<Value> {
        match self.get_json(&format!("/v1/media/{id}")).await {
            (200, _, item) => Some(item),
            (404, ..) => None,
            (status, _, body) => panic!("{status} {body}"),
        }
    }

    /// Waits until the API shows an item as `ready` or `failed`.
    pub async fn outcome(&self, id: MediaId) -> Value {
        eventually(&format!("an outcome of {id}"), async || {
            self.item(id).await.filter(|item| item["state"] != "processing")
        })
        .await
    }

    /// Fetches what lies behind a link, without any credentials.
    pub async fn fetch(&self, url: &str) -> (u16, String, Vec<u8>) {
        let answer = self.http.get(url).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        (status, content_type, answer.bytes().await.expect("a body").to_vec())
    }

    /// The keys of what was made from an item.
    pub async fn variants(&self, id: MediaId) -> Vec<String> {
        self.aws.list_objects(self.output("DerivedBucketName"), &format!("{id}/")).await.expect("a list")
    }
}

//! Fake AWS without latency. It stores registers, which the function reads again; it generates followers and devices
//! when they are queried.

use std::{
    collections::HashMap,
    error::Error,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use domain::{graph::Position, push::Register};
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, sync::mpsc};

pub const AUDIENCE: &str = "audience";
pub const DEVICES: &str = "devices";

const PUBLISHED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
                         <MessageId>m</MessageId></PublishResult></PublishResponse>";

pub struct FakeAws {
    pub endpoint: String,
    queue: mpsc::UnboundedReceiver<String>,
    shared: Arc<Shared>,
}

struct Shared {
    followers: u64,
    devices_each: u64,
    queue: mpsc::UnboundedSender<String>,
    published: AtomicU64,
    calls: AtomicU64,
    /// Rows of the table `audience` by partition key.
    rows: Mutex<HashMap<String, Map<String, Value>>>,
}

impl FakeAws {
    pub async fn start(followers: u64, devices_each: u64) -> Result<Self, Box<dyn Error>> {
        let (sender, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            followers,
            devices_each,
            queue: sender,
            published: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            rows: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(respond).with_state(shared.clone());
        // Runs until the process ends.
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { endpoint, queue, shared })
    }

    /// Next message that the function sent to its own queue.
    pub fn dequeue(&mut self) -> Option<String> {
        self.queue.try_recv().ok()
    }

    /// Calls of all kinds.
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    pub fn published(&self) -> u64 {
        self.shared.published.load(Ordering::Relaxed)
    }
}

async fn respond(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    shared.calls.fetch_add(1, Ordering::Relaxed);
    let Some(target) = headers.get("x-amz-target").and_then(|target| target.to_str().ok()) else {
        // SNS uses the query protocol.
        shared.published.fetch_add(1, Ordering::Relaxed);
        return ([(CONTENT_TYPE, "text/xml")], PUBLISHED).into_response();
    };
    let input: Value = serde_json::from_str(&body).unwrap_or_default();
    let output = match target.rsplit('.').next().unwrap_or_default() {
        // A dead letter ends the benchmark: no page follows.
        "SendMessage" if input["QueueUrl"].as_str().is_some_and(|url| url.contains("dead")) => json!({}),
        "SendMessage" => {
            let message = input["MessageBody"].as_str().unwrap_or_default().to_owned();
            // The receiver is gone when the benchmark has failed.
            let _ = shared.queue.send(message);
            json!({"MessageId": "m", "MD5OfMessageBody": ""})
        }
        "Query" if input["TableName"] == DEVICES => {
            let user = input["ExpressionAttributeValues"][":user"]["S"].as_str().unwrap_or_default();
            json!({"Items": shared.devices(user).collect::<Vec<_>>()})
        }
        // Devices of several followers.
        "ExecuteStatement" => {
            let users = input["Parameters"].as_array().into_iter().flatten().filter_map(|user| user["S"].as_str());
            json!({"Items": users.flat_map(|user| shared.devices(user)).collect::<Vec<_>>()})
        }
        "BatchExecuteStatement" => {
            let statements = input["Statements"].as_array().into_iter().flatten();
            json!({"Responses": statements.map(|_| json!({"TableName": "ledger"})).collect::<Vec<_>>()})
        }
        "Query" => shared.followers(&input),
        "UpdateItem" if input["TableName"] == AUDIENCE => shared.set_register(&input),
        // The end of a page, which no other call has decided.
        "UpdateItem" if input["ExpressionAttributeValues"][":next"].is_object() => {
            json!({"Attributes": {"next": input["ExpressionAttributeValues"][":next"]}})
        }
        "BatchGetItem" => shared.look_up(&input),
        // Every claim and write succeeds, and no page was continued before.
        _ => json!({}),
    };
    ([(CONTENT_TYPE, "application/x-amz-json-1.0")], output.to_string()).into_response()
}

impl Shared {
    /// Stores a register.
    fn set_register(&self, input: &Value) -> Value {
        let key = input["Key"]["pk"]["S"].as_str().unwrap_or_default().to_owned();
        let name = input["ExpressionAttributeNames"]["#register"].as_str().unwrap_or_default().to_owned();
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.entry(key).or_default();
        row.insert(name, input["ExpressionAttributeValues"][":register"].clone());
        json!({ "Attributes": row })
    }

    /// Stored rows.
    fn look_up(&self, input: &Value) -> Value {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = input["RequestItems"][AUDIENCE]["Keys"].as_array().into_iter().flatten();
        let found = keys.filter_map(|key| {
            let mut row = rows.get(key["pk"]["S"].as_str()?)?.clone();
            row.extend(key.as_object()?.clone());
            Some(Value::Object(row))
        });
        let found: Vec<_> = found.collect();
        json!({"Responses": {AUDIENCE: found}, "UnprocessedKeys": {}})
    }

    /// Page of followers; all follow since the first commit.
    fn followers(&self, input: &Value) -> Value {
        let pk = input["ExpressionAttributeValues"][":pk"]["S"].as_str().unwrap_or_default();
        if !pk.starts_with("followers#") {
            return json!({"Items": []});
        }
        let after = input["ExclusiveStartKey"]["sk"]["S"].as_str();
        let start = after.and_then(|id| id.strip_prefix("follower-")?.parse::<u64>().ok()).map_or(0, |last| last + 1);
        let end = self.followers.min(start + input["Limit"].as_u64().unwrap_or(1));
        let since = Register::new(Position::new(1, 1), "").to_string();
        let key = |number| json!({"pk": {"S": pk}, "sk": {"S": format!("follower-{number:08}")}});
        let items: Vec<_> = (start..end)
            .map(|number| {
                let mut item = key(number);
                item[format!("r:edge#f{number}")] = json!({"S": since});
                item
            })
            .collect();
        if end < self.followers {
            json!({"Items": items, "LastEvaluatedKey": key(end - 1)})
        } else {
            json!({"Items": items})
        }
    }

    /// Devices of a follower.
    fn devices(&self, user: &str) -> impl Iterator<Item = Value> {
        let device = move |number| {
            let arn = format!("arn:aws:sns:ap-northeast-2:000000000000:endpoint/GCM/iyagi-push/{user}-{number}");
            json!({
                "user": {"S": user}, "item": {"S": format!("device#{number}")}, "endpoint_arn": {"S": arn},
                "token": {"S": format!("{user}-{number}")}, "token_hash": {"S": "h"}, "platform": {"S": "android"},
                "language": {"S": "ko"}, "last_seen": {"S": "2026-11-22T00:00:00Z"},
            })
        };
        (0..self.devices_each).map(device)
    }
}

//! An AWS that answers at once: what was written is remembered where the function reads it again,
//! followers and phones are made up when they are asked for.

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

pub struct World {
    pub endpoint: String,
    handed_on: mpsc::UnboundedReceiver<String>,
    shared: Arc<Shared>,
}

struct Shared {
    followers: u64,
    phones_each: u64,
    queue: mpsc::UnboundedSender<String>,
    published: AtomicU64,
    /// Rows of the audience, by partition key.
    rows: Mutex<HashMap<String, Map<String, Value>>>,
}

impl World {
    pub async fn start(followers: u64, phones_each: u64) -> Result<Self, Box<dyn Error>> {
        let (queue, handed_on) = mpsc::unbounded_channel();
        let shared =
            Arc::new(Shared { followers, phones_each, queue, published: AtomicU64::new(0), rows: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(answer).with_state(shared.clone());
        // It ends with this process.
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { endpoint, handed_on, shared })
    }

    /// The next message that the function sent to its own queue.
    pub fn handed_on(&mut self) -> Option<String> {
        self.handed_on.try_recv().ok()
    }

    pub fn published(&self) -> u64 {
        self.shared.published.load(Ordering::Relaxed)
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    let Some(target) = headers.get("x-amz-target").and_then(|target| target.to_str().ok()) else {
        // SNS speaks the query protocol.
        shared.published.fetch_add(1, Ordering::Relaxed);
        return ([(CONTENT_TYPE, "text/xml")], PUBLISHED).into_response();
    };
    let input: Value = serde_json::from_str(&body).unwrap_or_default();
    let output = match target.rsplit('.').next().unwrap_or_default() {
        "SendMessage" => {
            let message = input["MessageBody"].as_str().unwrap_or_default().to_owned();
            // Whoever measures may have gone.
            let _ = shared.queue.send(message);
            json!({"MessageId": "m", "MD5OfMessageBody": ""})
        }
        "Query" if input["TableName"] == DEVICES => shared.phones(&input),
        "Query" => shared.followers(&input),
        "UpdateItem" if input["TableName"] == AUDIENCE => shared.learn(&input),
        "BatchGetItem" => shared.look_up(&input),
        // Claims are granted, marks and notes are taken, and no page was handed on before.
        _ => json!({}),
    };
    ([(CONTENT_TYPE, "application/x-amz-json-1.0")], output.to_string()).into_response()
}

impl Shared {
    /// Sets a register.
    fn learn(&self, input: &Value) -> Value {
        let key = input["Key"]["pk"]["S"].as_str().unwrap_or_default().to_owned();
        let name = input["ExpressionAttributeNames"]["#register"].as_str().unwrap_or_default().to_owned();
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.entry(key).or_default();
        row.insert(name, input["ExpressionAttributeValues"][":register"].clone());
        json!({ "Attributes": row })
    }

    /// The rows that were learnt.
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

    /// A page of followers: who has followed since the first commit.
    fn followers(&self, input: &Value) -> Value {
        let pk = input["ExpressionAttributeValues"][":pk"]["S"].as_str().unwrap_or_default();
        if !pk.starts_with("followers#") {
            return json!({"Items": []});
        }
        let after = input["ExclusiveStartKey"]["sk"]["S"].as_str();
        let begin = after.and_then(|id| id.strip_prefix("follower-")?.parse::<u64>().ok()).map_or(0, |last| last + 1);
        let end = self.followers.min(begin + input["Limit"].as_u64().unwrap_or(1));
        let since = Register::new(Position::new(1, 1), "").to_string();
        let key = |number| json!({"pk": {"S": pk}, "sk": {"S": format!("follower-{number:08}")}});
        let items: Vec<_> = (begin..end)
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

    /// A follower's phones.
    fn phones(&self, input: &Value) -> Value {
        let user = input["ExpressionAttributeValues"][":user"]["S"].as_str().unwrap_or_default();
        let phone = |number| {
            let arn = format!("arn:aws:sns:ap-northeast-2:000000000000:endpoint/GCM/iyagi-push/{user}-{number}");
            json!({
                "user": {"S": user}, "item": {"S": format!("device#{number}")}, "endpoint_arn": {"S": arn},
                "token": {"S": format!("{user}-{number}")}, "token_hash": {"S": "h"}, "platform": {"S": "android"},
                "language": {"S": "ko"}, "last_seen": {"S": "2026-11-22T00:00:00Z"},
            })
        };
        json!({"Items": (0..self.phones_each).map(phone).collect::<Vec<_>>()})
    }
}

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use axum::{Router, extract::State, http::HeaderMap};
use http_server::Server;
use serde_json::{Value, json};

use crate::lineage::{RecursiveLoop, invocation_trace};

/// SQS for the messages that one function sends to its own FIFO queue. Like SQS, and unlike the emulator of AWS, it keeps
/// the trace header of each message. Other calls succeed and do nothing, also messages to standard queues.
pub struct TracedQueue {
    server: Server,
    sent: Sent,
}

type Sent = Arc<Mutex<VecDeque<SentMessage>>>;

/// A message that the function sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The trace header of the call.
    pub trace: Option<String>,
    body: String,
    group: String,
}

impl TracedQueue {
    /// Starts a queue on the loopback interface. The function reaches it through `AWS_ENDPOINT_URL_SQS`.
    pub fn start() -> Result<Self> {
        let sent = Sent::default();
        let state = Arc::clone(&sent);
        let server = Server::start("traced-queue", 0, |_| Router::new().fallback(call).with_state(state))?;
        Ok(Self { server, sent })
    }

    /// The endpoint of SQS.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// Takes the oldest message.
    pub fn take(&self) -> Option<SentMessage> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl SentMessage {
    /// The trace header and the event with which Lambda invokes `function` for this message. `None` if Lambda drops the
    /// invocation as a loop.
    pub fn invocation(&self, function: &str, recursive_loop: RecursiveLoop) -> Option<(String, Value)> {
        let trace = invocation_trace(self.trace.as_deref(), function, recursive_loop)?;
        let record = json!({
            "messageId": "00000000-0000-4000-8000-000000000000", "receiptHandle": "r", "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": "1", "MessageGroupId": self.group, "AWSTraceHeader": self.trace,
            },
        });
        Some((trace, json!({"Records": [record]})))
    }
}

async fn call(State(sent): State<Sent>, headers: HeaderMap, body: String) -> String {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if header("x-amz-target").as_deref() == Some("AmazonSQS.SendMessage") {
        let request: Value = serde_json::from_str(&body).unwrap_or_default();
        let text = |name: &str| request[name].as_str().map(str::to_owned);
        if let Some(group) = text("MessageGroupId") {
            let (trace, body) = (header("x-amzn-trace-id"), text("MessageBody").unwrap_or_default());
            let message = SentMessage { trace, body, group };
            sent.lock().unwrap_or_else(PoisonError::into_inner).push_back(message);
        }
    }
    json!({"MessageId": "00000000-0000-4000-8000-000000000000"}).to_string()
}

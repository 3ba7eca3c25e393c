//! CloudFormation's side: requests, and where answers go.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::put,
};
use serde_json::{Value, json};

pub const ARN: &str = "arn:aws:sns:ap-northeast-2:123456789012:app/GCM/iyagi-push";
const STACK: &str = "arn:aws:cloudformation:ap-northeast-2:123456789012:stack/iyagi/0b4bd6f5";

/// Where pre-signed URLs lead; the first answers may be turned away.
pub struct Bucket {
    pub url: String,
    received: Received,
}

#[derive(Clone, Default)]
struct Received {
    answers: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    to_turn_away: Arc<Mutex<usize>>,
}

async fn receive(State(received): State<Received>, headers: HeaderMap, body: String) -> StatusCode {
    let mut left = received.to_turn_away.lock().expect("a number");
    if *left > 0 {
        *left -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let body = serde_json::from_str(&body).expect("JSON");
    received.answers.lock().expect("answers").push((headers, body));
    StatusCode::OK
}

impl Bucket {
    pub async fn start(to_turn_away: usize) -> Self {
        let received = Received { to_turn_away: Arc::new(Mutex::new(to_turn_away)), ..Received::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/answer?X-Amz-Signature=secret", listener.local_addr().expect("an address"));
        let router = Router::new().route("/answer", put(receive)).with_state(received.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, received }
    }

    /// All answers so far.
    pub fn answers(&self) -> Vec<Value> {
        self.received.answers.lock().expect("answers").iter().map(|(_, body)| body.clone()).collect()
    }

    /// The headers of the last answer.
    pub fn headers(&self) -> HeaderMap {
        self.received.answers.lock().expect("answers").last().expect("an answer").0.clone()
    }
}

/// A request of CloudFormation's; `more` is laid over it.
pub fn request(bucket: &Bucket, request_type: &str, more: Value) -> Value {
    let mut request = json!({
        "RequestType": request_type, "ResponseURL": bucket.url, "StackId": STACK, "RequestId": "request-1",
        "ResourceType": "Custom::PlatformApplication", "LogicalResourceId": "PlatformApplication",
        "ServiceToken": "arn:aws:lambda:ap-northeast-2:123456789012:function:platform-application",
        "ResourceProperties": properties("iyagi-push"),
    });
    request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    request
}

pub fn properties(name: &str) -> Value {
    json!({
        "ServiceToken": "arn:aws:lambda:ap-northeast-2:123456789012:function:platform-application",
        "Name": name, "CredentialsSecretArn": "arn:secret", "CredentialsVersion": "1",
    })
}

pub fn service_account() -> String {
    json!({
        "type": "service_account", "project_id": "iyagi", "client_email": "push@iyagi.iam.gserviceaccount.com",
        "private_key": "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n"
    })
    .to_string()
}

//! Requests of CloudFormation, and the bucket that receives responses.

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

/// Server behind pre-signed URLs. It can reject the first responses.
pub struct ResponseBucket {
    pub url: String,
    received: Received,
}

#[derive(Clone, Default)]
struct Received {
    responses: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    rejections: Arc<Mutex<usize>>,
}

async fn receive(State(received): State<Received>, headers: HeaderMap, body: String) -> StatusCode {
    let mut remaining = received.rejections.lock().expect("a number");
    if *remaining > 0 {
        *remaining -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let body = serde_json::from_str(&body).expect("JSON");
    received.responses.lock().expect("responses").push((headers, body));
    StatusCode::OK
}

impl ResponseBucket {
    pub async fn start(rejections: usize) -> Self {
        let received = Received { rejections: Arc::new(Mutex::new(rejections)), ..Received::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/response?X-Amz-Signature=secret", listener.local_addr().expect("an address"));
        let router = Router::new().route("/response", put(receive)).with_state(received.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, received }
    }

    /// All accepted responses.
    pub fn responses(&self) -> Vec<Value> {
        self.received.responses.lock().expect("responses").iter().map(|(_, body)| body.clone()).collect()
    }

    /// Headers of the last response.
    pub fn headers(&self) -> HeaderMap {
        self.received.responses.lock().expect("responses").last().expect("a response").0.clone()
    }
}

/// Request of CloudFormation; `fields` replace the defaults.
pub fn request(bucket: &ResponseBucket, request_type: &str, fields: Value) -> Value {
    let mut request = json!({
        "RequestType": request_type, "ResponseURL": bucket.url, "StackId": STACK, "RequestId": "request-1",
        "ResourceType": "Custom::PlatformApplication", "LogicalResourceId": "PlatformApplication",
        "ServiceToken": "arn:aws:lambda:ap-northeast-2:123456789012:function:platform-application",
        "ResourceProperties": properties("iyagi-push"),
    });
    request.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
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

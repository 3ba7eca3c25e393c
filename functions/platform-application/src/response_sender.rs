use std::time::Duration;

use aws_smithy_runtime_api::{
    client::http::{HttpConnector, SharedHttpConnector},
    http::Request as HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use function_kit::failure::Failure;
use tracing::warn;

use crate::event::Response;

/// Number of attempts. Without a response, CloudFormation waits for an hour.
const ATTEMPTS: u32 = 4;
/// Wait before the second attempt; it grows linearly.
const BACKOFF: Duration = Duration::from_millis(250);
/// Timeout of one attempt.
const TIMEOUT: Duration = Duration::from_secs(10);

const DOING: &str = "respond to CloudFormation";

/// Sends responses to CloudFormation.
pub struct ResponseSender {
    pub http: SharedHttpConnector,
}

impl ResponseSender {
    /// Stores `response` at the pre-signed `url`.
    pub async fn send(&self, url: &str, response: &Response) -> Result<(), Failure> {
        let body = serde_json::to_string(response).map_err(|error| Failure::bug(DOING, error))?;
        for attempt in 1..ATTEMPTS {
            let Err(failure) = self.put(url, body.clone()).await else { return Ok(()) };
            warn!(attempt, kind = failure.kind.as_str(), %failure, "response will be sent again");
            tokio::time::sleep(BACKOFF * attempt).await;
        }
        self.put(url, body).await
    }

    async fn put(&self, url: &str, body: String) -> Result<(), Failure> {
        // Without a content type, because the URL's signature covers an empty one.
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("PUT").map_err(|error| Failure::bug(DOING, error))?;
        // The error would contain the URL, which is secret.
        request.set_uri(url).map_err(|_| Failure::bug(DOING, "the URL is malformed"))?;
        let response = tokio::time::timeout(TIMEOUT, self.http.call(request)).await;
        let response = response.map_err(|error| Failure::transient(DOING, error))?;
        let status = response.map_err(|error| Failure::transient(DOING, error))?.status();
        if status.is_success() { Ok(()) } else { Err(Failure::transient(DOING, format!("status {}", status.as_u16()))) }
    }
}

use std::time::Duration;

use aws_smithy_runtime_api::{
    client::http::{HttpConnector, SharedHttpConnector},
    http::Request as HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use function_kit::failure::Failure;
use tracing::warn;

use crate::event::Response;

/// How often an answer is sent; without one, CloudFormation waits for an hour.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends answers to CloudFormation.
pub struct Answers {
    pub http: SharedHttpConnector,
}

impl Answers {
    /// Stores `response` where the pre-signed `url` says.
    pub async fn send(&self, url: &str, response: &Response) -> Result<(), Failure> {
        const DOING: &str = "answer CloudFormation";
        let body = serde_json::to_string(response).map_err(|error| Failure::bug(DOING, error))?;
        let mut attempt = 1;
        loop {
            let failure = match self.put(url, body.clone()).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            if attempt == ATTEMPTS {
                return Err(failure);
            }
            warn!(attempt, kind = failure.kind.as_str(), %failure, "will be tried again");
            tokio::time::sleep(PAUSE * attempt).await;
            attempt += 1;
        }
    }

    async fn put(&self, url: &str, body: String) -> Result<(), Failure> {
        const DOING: &str = "answer CloudFormation";
        // No content type: the URL's signature covers that there is none.
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("PUT").map_err(|error| Failure::bug(DOING, error))?;
        // The error would name the URL, which is secret.
        request.set_uri(url).map_err(|_| Failure::bug(DOING, "the URL is none"))?;
        let answer = tokio::time::timeout(PATIENCE, self.http.call(request)).await;
        let answer = answer.map_err(|error| Failure::transient(DOING, error))?;
        let status = answer.map_err(|error| Failure::transient(DOING, error))?.status();
        if status.is_success() { Ok(()) } else { Err(Failure::transient(DOING, format!("status {}", status.as_u16()))) }
    }
}

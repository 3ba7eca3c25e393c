//! Requests without a signature of AWS: to the API, to presigned URLs and to CloudFront.

use anyhow::{Context, Result};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use http::{Request, Response};
use serde_json::Value;

use crate::tls::http_connector;

/// The client.
#[derive(Debug)]
pub struct Http(SharedHttpConnector);

impl Http {
    pub fn new() -> Self {
        Self(http_connector())
    }

    /// Sends a request. A response of any status is not an error.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let response = self.0.call(request.map(SdkBody::from).try_into()?).await.context(host)?;
        let (parts, body) = response.try_into_http1x()?.into_parts();
        Ok(Response::from_parts(parts, ByteStream::new(body).collect().await?.to_vec()))
    }

    pub async fn get(&self, url: &str) -> Result<Response<Vec<u8>>> {
        self.send(Request::get(url).body(Vec::new())?).await
    }

    /// Sends `content` to a presigned `PUT` (`url` and `headers`); returns S3's status.
    pub async fn put_presigned(&self, presigned: &Value, content: &[u8]) -> Result<u16> {
        const MISSING: &str = "the upload has no presigned request";
        let mut request = Request::put(presigned["url"].as_str().context(MISSING)?);
        for (name, value) in presigned["headers"].as_object().context(MISSING)? {
            // The client sets it from the body.
            if name != "content-length" {
                request = request.header(name, value.as_str().context(MISSING)?);
            }
        }
        Ok(self.send(request.body(content.to_vec())?).await?.status().as_u16())
    }
}

/// The content type of a response.
pub fn content_type(response: &Response<Vec<u8>>) -> &str {
    response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

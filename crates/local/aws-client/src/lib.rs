//! Calls to the AWS emulator, signed as its administrator. The AWS SDKs would take minutes longer to build.

use anyhow::{Context as _, Result, ensure};
use aws_credential_types::Credentials;
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use http::{HeaderMap, Method, Request, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sigv4_client::Client;

/// The emulator's region: Seoul.
pub const REGION: &str = "ap-northeast-2";
/// Access key of the emulator's administrator.
pub const ACCESS_KEY: &str = "test";
/// Secret key of the emulator's administrator.
pub const SECRET_KEY: &str = "test";

/// Characters that S3 percent-encodes in a key.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A client that calls the emulator as its administrator.
#[derive(Debug, Clone)]
pub struct AwsClient {
    endpoint: String,
    client: Client,
}

/// A response of any status.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl AwsClient {
    /// A client of the emulator at `endpoint`.
    pub fn new(endpoint: String) -> Self {
        let http = SharedHttpConnector::new(Connector::builder().build_http());
        let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local");
        Self { endpoint, client: Client::new(http, REGION, credentials) }
    }

    /// Stores an object.
    pub async fn put_object(&self, bucket: &str, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        let headers = [("content-type", content_type)];
        let response = self.send("s3", Method::PUT, &object(bucket, key), &headers, bytes).await?;
        ensure!(response.status.is_success(), "cannot store {key}: {}", response.status);
        Ok(())
    }

    /// The `ETag` of an object without quotes, as in S3 event notifications.
    pub async fn etag(&self, bucket: &str, key: &str) -> Result<String> {
        let response = self.send("s3", Method::HEAD, &object(bucket, key), &[], Vec::new()).await?;
        ensure!(response.status.is_success(), "cannot read the ETag of {key}: {}", response.status);
        let etag = response.headers.get("etag").context("the object has no ETag")?;
        Ok(etag.to_str()?.trim_matches('"').to_owned())
    }

    /// Deletes an object.
    pub async fn delete_object(&self, bucket: &str, key: &str) -> Result<()> {
        let response = self.send("s3", Method::DELETE, &object(bucket, key), &[], Vec::new()).await?;
        ensure!(response.status.is_success(), "cannot delete {key}: {}", response.status);
        Ok(())
    }

    /// The first 1,000 keys with `prefix`.
    pub async fn list_objects(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        self.list_objects_after(bucket, prefix, "").await
    }

    /// The first 1,000 keys with `prefix` after the key `last`.
    pub async fn list_objects_after(&self, bucket: &str, prefix: &str, last: &str) -> Result<Vec<String>> {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let path = format!("/{bucket}?list-type=2&prefix={}&start-after={}", encode(prefix), encode(last));
        let response = self.send("s3", Method::GET, &path, &[], Vec::new()).await?;
        ensure!(response.status.is_success(), "cannot list {bucket}: {}", response.status);
        let body = String::from_utf8(response.body)?;
        // Keys of derivatives contain no character that XML escapes.
        let keys = body.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        Ok(keys.map(|(key, _)| key.to_owned()).collect())
    }

    /// Calls a service with AWS's JSON protocol; `target` is, for example, `AmazonSQS.SendMessage`.
    ///
    /// # Errors
    /// If the status is not 2xx.
    pub async fn json(&self, service: &str, target: &str, input: &Value) -> Result<Value> {
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
        let response = self.send(service, Method::POST, "/", &headers, serde_json::to_vec(input)?).await?;
        let body = String::from_utf8_lossy(&response.body).into_owned();
        ensure!(response.status.is_success(), "{target}: {} {body}", response.status);
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&body)?) }
    }

    /// Calls a service with AWS's query protocol and returns the XML of the response.
    ///
    /// # Errors
    /// If the status is not 2xx.
    pub async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let pairs: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let response = self.send(service, Method::POST, "/", &headers, pairs.join("&").into_bytes()).await?;
        let body = String::from_utf8(response.body)?;
        ensure!(response.status.is_success(), "{service}: {} {body}", response.status);
        Ok(body)
    }

    /// Signs and sends one request.
    pub async fn send(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Response> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.endpoint));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.client.send(service, request.body(body)?).await?;
        let (parts, body) = response.into_parts();
        Ok(Response { status: parts.status, headers: parts.headers, body })
    }
}

fn object(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", utf8_percent_encode(key, KEY))
}

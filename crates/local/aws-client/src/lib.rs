//! Signed calls to the emulator, for what the demo and the tests do beside the functions.

use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// The region that the emulator plays: Seoul.
pub const REGION: &str = "ap-northeast-2";
/// The emulator's administrator.
pub const ACCESS_KEY: &str = "test";
/// The emulator's administrator's secret, which is none.
pub const SECRET_KEY: &str = "test";

/// What S3 leaves as it is in a key.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The emulator's administrator.
#[derive(Debug, Clone)]
pub struct Aws {
    endpoint: String,
    http: reqwest::Client,
}

/// An answer of any status.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Aws {
    /// Calls go to `endpoint`.
    pub fn new(endpoint: String) -> Self {
        Self { endpoint, http: reqwest::Client::new() }
    }

    /// Stores an object.
    pub async fn put_object(&self, bucket: &str, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        let headers = [("content-type", content_type)];
        let answer = self.send("s3", Method::PUT, &object(bucket, key), &headers, bytes).await?;
        ensure!(answer.status.is_success(), "cannot store {key}: {}", answer.status);
        Ok(())
    }

    /// An object's `ETag`, without quotes, as S3's events have it.
    pub async fn etag(&self, bucket: &str, key: &str) -> Result<String> {
        let answer = self.send("s3", Method::HEAD, &object(bucket, key), &[], Vec::new()).await?;
        ensure!(answer.status.is_success(), "cannot look at {key}: {}", answer.status);
        let etag = answer.headers.get("etag").context("an object without ETag")?;
        Ok(etag.to_str()?.trim_matches('"').to_owned())
    }

    /// Deletes an object.
    pub async fn delete_object(&self, bucket: &str, key: &str) -> Result<()> {
        let answer = self.send("s3", Method::DELETE, &object(bucket, key), &[], Vec::new()).await?;
        ensure!(answer.status.is_success(), "cannot delete {key}: {}", answer.status);
        Ok(())
    }

    /// The keys below `prefix`: the first thousand.
    pub async fn list_objects(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        self.list_objects_after(bucket, prefix, "").await
    }

    /// The keys below `prefix` that come after `last`: the first thousand.
    pub async fn list_objects_after(&self, bucket: &str, prefix: &str, last: &str) -> Result<Vec<String>> {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let path = format!("/{bucket}?list-type=2&prefix={}&start-after={}", encode(prefix), encode(last));
        let answer = self.send("s3", Method::GET, &path, &[], Vec::new()).await?;
        ensure!(answer.status.is_success(), "cannot list {bucket}: {}", answer.status);
        let body = String::from_utf8(answer.body)?;
        // Derived keys hold no character that XML escapes.
        let keys = body.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        Ok(keys.map(|(key, _)| key.to_owned()).collect())
    }

    /// A call of a service that speaks AWS's JSON protocol: `target` as in `AmazonSQS.SendMessage`.
    pub async fn json(&self, service: &str, target: &str, input: &Value) -> Result<Value> {
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
        let answer = self.send(service, Method::POST, "/", &headers, serde_json::to_vec(input)?).await?;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        ensure!(answer.status.is_success(), "{target}: {} {body}", answer.status);
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&body)?) }
    }

    /// A call of a service that speaks AWS's query protocol; the answer is XML.
    pub async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let pairs: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.send(service, Method::POST, "/", &headers, pairs.join("&").into_bytes()).await?;
        let body = String::from_utf8(answer.body)?;
        ensure!(answer.status.is_success(), "{service}: {} {body}", answer.status);
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
    ) -> Result<Answer> {
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.endpoint));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body)?;
        let mut settings = SigningSettings::default();
        if service == "s3" {
            // S3 signs paths as they are and wants the body's hash in a header (Signature Version 4,
            // "Create a canonical request").
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local").into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()?
            .into();
        let signable_headers = request
            .headers()
            .iter()
            .map(|(name, value)| Ok((name.as_str(), value.to_str()?)))
            .collect::<Result<Vec<_>>>()?;
        let uri = request.uri().to_string();
        let signable = SignableRequest::new(
            request.method().as_str(),
            &uri,
            signable_headers.into_iter(),
            SignableBody::Bytes(request.body()),
        )?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        let answer = self.http.execute(request.try_into()?).await.context("the emulator does not answer")?;
        Ok(Answer { status: answer.status(), headers: answer.headers().clone(), body: answer.bytes().await?.into() })
    }
}

fn object(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", utf8_percent_encode(key, KEY))
}

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use function_kit::{aws::http_connector, failure::Failure};
use serde::Deserialize;
use serde_json::Value;

/// What OpenSearch Service is called in signatures.
const SERVICE: &str = "es";
/// For one call: below every function's own timeout.
const PATIENCE: Duration = Duration::from_secs(10);

/// Signed calls to one OpenSearch endpoint. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: SharedHttpConnector,
    endpoint_url: String,
    region: String,
    credentials: SharedCredentialsProvider,
}

/// The configuration does not say who is asking, or where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("calls to OpenSearch are signed: a region and credentials are needed")]
pub struct MissingCredentials;

/// An answer of any status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Vec<u8>,
}

impl Client {
    /// A client for the endpoint, such as `https://search-x.ap-northeast-2.es.amazonaws.com`.
    ///
    /// # Errors
    /// If `config` has no region or no credentials.
    pub fn new(config: &SdkConfig, endpoint_url: &str) -> Result<Self, MissingCredentials> {
        Ok(Self {
            http: http_connector(),
            endpoint_url: endpoint_url.trim_end_matches('/').to_owned(),
            region: config.region().ok_or(MissingCredentials)?.to_string(),
            credentials: config.credentials_provider().ok_or(MissingCredentials)?,
        })
    }

    /// Signs and sends one request; `path` begins with a slash and has its query.
    pub(crate) async fn send(
        &self,
        doing: &'static str,
        method: &str,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        tokio::time::timeout(PATIENCE, self.send_patiently(doing, method, path, content_type, body))
            .await
            .map_err(|error| Failure::transient(doing, error))?
    }

    /// The same with a JSON body.
    pub(crate) async fn json(
        &self,
        doing: &'static str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Failure> {
        self.send(doing, method, path, "application/json", body.to_string().into_bytes()).await
    }

    async fn send_patiently(
        &self,
        doing: &'static str,
        method: &str,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let credentials = self.credentials.provide_credentials().await;
        let identity = credentials.map_err(|error| Failure::transient(doing, error))?.into();
        let request = http::Request::builder().method(method).uri(format!("{}{path}", self.endpoint_url));
        let request = request.header(http::header::CONTENT_TYPE, content_type).body(body);
        let mut request = request.map_err(|error| Failure::bug(doing, error))?;

        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(SystemTime::now())
            .settings(settings)
            .build();
        let params = params.map_err(|error| Failure::bug(doing, error))?.into();
        let uri = request.uri().to_string();
        let headers = [("content-type", content_type)];
        let signable = SignableRequest::new(method, &uri, headers.into_iter(), SignableBody::Bytes(request.body()))
            .map_err(|error| Failure::bug(doing, error))?;
        let (instructions, _) = sign(signable, &params).map_err(|error| Failure::bug(doing, error))?.into_parts();
        instructions.apply_to_request_http1x(&mut request);

        let request = request.map(SdkBody::from).try_into().map_err(|error| Failure::bug(doing, error))?;
        let answer = self.http.call(request).await.map_err(|error| Failure::transient(doing, error))?;
        let status = answer.status().as_u16();
        let body = ByteStream::new(answer.into_body()).collect().await;
        let body = body.map_err(|error| Failure::transient(doing, error))?.to_vec();
        Ok(Answer { status, body })
    }
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON, of an answer that is a success.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self, doing: &'static str) -> Result<T, Failure> {
        if !self.is_success() {
            return Err(self.failure(doing));
        }
        serde_json::from_slice(&self.body).map_err(|error| Failure::bug(doing, error))
    }

    /// What kind of error it names. Its reason stays unread: it may repeat what a user wrote.
    pub(crate) fn error_type(&self) -> String {
        let error: Option<Value> = serde_json::from_slice(&self.body).ok();
        let kind = error.as_ref().and_then(|error| error["error"]["type"].as_str());
        kind.unwrap_or("of no known type").to_owned()
    }

    /// The failure that it is: a bug if the request itself is wrong. All else may pass, also
    /// permissions, which take time to spread after a deploy.
    pub(crate) fn failure(&self, doing: &'static str) -> Failure {
        let what = format!("status {}, {}", self.status, self.error_type());
        if is_wrong(self.status) { Failure::bug(doing, what) } else { Failure::transient(doing, what) }
    }
}

/// Whether the same request would be refused again, by the status of an answer or of one document.
pub(crate) fn is_wrong(status: u16) -> bool {
    matches!(status, 400 | 413)
}

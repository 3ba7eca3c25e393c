use std::time::Duration;

use aws_config::SdkConfig;
use function_kit::{aws::http_connector, failure::Failure};
use http::{Method, Request, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;
use sigv4_client::{Error, MissingCredentials};

/// Name of OpenSearch Service in signatures.
const SERVICE: &str = "es";
/// Timeout of one call, shorter than that of every function.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Signed calls to one OpenSearch endpoint. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: sigv4_client::Client,
    endpoint_url: String,
}

/// Response of any status.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    body: Vec<u8>,
}

impl Client {
    /// A client for the endpoint, such as `https://search-x.ap-northeast-2.es.amazonaws.com`.
    ///
    /// # Errors
    /// If `config` has no region or no credentials.
    pub fn new(config: &SdkConfig, endpoint_url: &str) -> Result<Self, MissingCredentials> {
        let http = sigv4_client::Client::of(config, http_connector())?;
        Ok(Self { http, endpoint_url: endpoint_url.trim_end_matches('/').to_owned() })
    }

    /// Signs and sends one request. `path` starts with a slash and includes the query.
    pub(crate) async fn send(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Response, Failure> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.endpoint_url));
        let request = request.header(CONTENT_TYPE, content_type).body(body);
        let request = request.map_err(|error| Failure::bug(doing, error))?;
        let response = tokio::time::timeout(TIMEOUT, self.http.send(SERVICE, request)).await;
        match response.map_err(|error| Failure::transient(doing, error))? {
            Ok(response) => Ok(Response { status: response.status().as_u16(), body: response.into_body() }),
            Err(error @ Error::Request(_)) => Err(Failure::bug(doing, error)),
            Err(error) => Err(Failure::transient(doing, error)),
        }
    }

    /// Sends one request with a JSON body.
    pub(crate) async fn json(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Response, Failure> {
        self.send(doing, method, path, "application/json", body.to_string().into_bytes()).await
    }
}

impl Response {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The JSON body of a successful response.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self, doing: &'static str) -> Result<T, Failure> {
        if !self.is_success() {
            return Err(self.failure(doing));
        }
        serde_json::from_slice(&self.body).map_err(|error| Failure::bug(doing, error))
    }

    /// Type of the error. The reason is ignored, because it may contain texts of users.
    pub(crate) fn error_type(&self) -> String {
        let error: Option<Value> = serde_json::from_slice(&self.body).ok();
        let kind = error.as_ref().and_then(|error| error["error"]["type"].as_str());
        kind.unwrap_or("unknown type").to_owned()
    }

    /// The failure of an unsuccessful response: a bug if the request is wrong, else transient. Denied permissions are
    /// transient, because they take time to spread after a deploy.
    pub(crate) fn failure(&self, doing: &'static str) -> Failure {
        let kind = self.error_type();
        let text = format!("status {}, {kind}", self.status);
        if is_permanent_error(self.status, &kind) { Failure::bug(doing, text) } else { Failure::transient(doing, text) }
    }
}

/// Whether a retry would fail as well, by the status and the error type of a response or of one document. A closed index
/// can be opened again: while an operator restores a snapshot, its indexes are closed.
pub(crate) fn is_permanent_error(status: u16, error_type: &str) -> bool {
    matches!(status, 400 | 413) && error_type != "index_closed_exception"
}

use std::time::Duration;

use aws_config::SdkConfig;
use function_kit::{
    aws::http_connector,
    error_code,
    failure::{Failure, Kind},
};
use http::{Method, Request, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;
use sigv4_client::{Error, MissingCredentials};

/// Name of OpenSearch Service in signatures.
const SERVICE: &str = "es";
const JSON: &str = "application/json";
/// Timeout of one call, shorter than that of every function.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Signed calls to one OpenSearch endpoint. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: sigv4_client::Client,
    endpoint_url: String,
    config: SdkConfig,
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
        Ok(Self { http, endpoint_url: endpoint_url.trim_end_matches('/').to_owned(), config: config.clone() })
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
        let request = self.request(doing, method, path, content_type, body)?;
        let response = tokio::time::timeout(TIMEOUT, self.http.send(SERVICE, request)).await;
        response
            .map_err(|error| Failure::transient(doing, error))?
            .map(Response::of)
            .map_err(|error| failure(doing, error))
    }

    fn request(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Request<Vec<u8>>, Failure> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.endpoint_url));
        let request = request.header(CONTENT_TYPE, content_type).body(body);
        request.map_err(|error| Failure::bug(doing, error))
    }

    /// Sends one search, which changes nothing. If its connection fails, it is sent once more on a new connection: one that
    /// was idle, for example while the execution environment was frozen, may have been closed by OpenSearch. Both tries
    /// share one timeout.
    pub(crate) async fn search(&self, doing: &'static str, path: &str, body: &Value) -> Result<Response, Failure> {
        let request = self.request(doing, Method::POST, path, JSON, body.to_string().into_bytes())?;
        let send = async {
            match self.http.send(SERVICE, request.clone()).await {
                Err(Error::Connection(_)) => {
                    let fresh = sigv4_client::Client::of(&self.config, http_connector());
                    fresh.map_err(|error| Failure::bug(doing, error))?.send(SERVICE, request).await
                }
                result => result,
            }
            .map(Response::of)
            .map_err(|error| failure(doing, error))
        };
        tokio::time::timeout(TIMEOUT, send).await.map_err(|error| Failure::transient(doing, error))?
    }

    /// Sends one request with a JSON body.
    pub(crate) async fn json(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Response, Failure> {
        self.send(doing, method, path, JSON, body.to_string().into_bytes()).await
    }
}

fn failure(doing: &'static str, error: Error) -> Failure {
    match error {
        Error::Request(_) => Failure::bug(doing, error),
        Error::Connection(_) | Error::Credentials(_) => Failure::transient(doing, error),
    }
}

impl Response {
    fn of(response: http::Response<Vec<u8>>) -> Self {
        Self { status: response.status().as_u16(), body: response.into_body() }
    }

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

    /// The failure of an unsuccessful response, by the type of the error; see [`error_code`].
    pub(crate) fn failure(&self, doing: &'static str) -> Failure {
        Failure::aws_response(doing, self.status, Some(&self.error_type()))
    }
}

/// Whether a retry would fail as well, by the status and the error's type of a response or of one document.
pub(crate) fn is_permanent_error(status: u16, kind: &str) -> bool {
    error_code::kind(status, Some(kind)) == Kind::Bug
}

#[cfg(test)]
mod tests {
    use aws_config::Region;
    use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
    use serde_json::json;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

    /// Reads one request and answers it; without an answer, the connection closes.
    async fn serve_one(connection: &mut TcpStream, answer: Option<&[u8]>) {
        let mut request = Vec::new();
        // The body of each request of this test is `{}`.
        while !request.ends_with(b"\r\n\r\n{}") {
            assert_ne!(connection.read_buf(&mut request).await.expect("a request"), 0, "the client hung up");
        }
        if let Some(answer) = answer {
            connection.write_all(answer).await.expect("a client");
        }
    }

    fn client(listener: &TcpListener) -> Client {
        let credentials = Credentials::new("id", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .region(Region::new("ap-northeast-2"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let address = listener.local_addr().expect("an address");
        Client::new(&config, &format!("http://{address}")).expect("a client")
    }

    #[tokio::test]
    async fn search_on_a_closed_connection_is_sent_again_on_a_new_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let client = client(&listener);
        let server = async {
            let (mut first, _) = listener.accept().await.expect("a connection");
            serve_one(&mut first, Some(ANSWER)).await;
            serve_one(&mut first, None).await;
            drop(first);
            let (mut second, _) = listener.accept().await.expect("a new connection");
            serve_one(&mut second, Some(ANSWER)).await;
        };
        let searches = async {
            for _ in 0..2 {
                let response = client.search("search", "/search/_search", &json!({})).await.expect("a response");
                assert!(response.is_success());
            }
        };
        tokio::join!(server, searches);
    }

    #[tokio::test]
    async fn search_is_sent_again_only_once_and_a_write_never() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let client = client(&listener);
        let server = async {
            for _ in 0..3 {
                let (mut connection, _) = listener.accept().await.expect("a connection");
                serve_one(&mut connection, None).await;
            }
        };
        let calls = async {
            let failure = client.search("search", "/search/_search", &json!({})).await.expect_err("no response");
            assert_eq!(failure.kind, Kind::Transient);
            let failure = client.json("write", Method::PUT, "/search-1", &json!({})).await.expect_err("no response");
            assert_eq!(failure.kind, Kind::Transient);
        };
        tokio::join!(server, calls);
    }

    #[test]
    fn type_of_an_error_decides_its_kind() {
        for (status, kind, is_permanent) in [
            (400, "mapper_parsing_exception", true),
            (400, "index_closed_exception", false),
            (400, "snapshot_in_progress_exception", false),
            (403, "cluster_block_exception", false),
            (429, "es_rejected_execution_exception", false),
            (400, "a new one", true),
        ] {
            assert_eq!(is_permanent_error(status, kind), is_permanent, "{kind}");
        }
    }
}

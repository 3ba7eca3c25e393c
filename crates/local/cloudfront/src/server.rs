use std::sync::Arc;

use anyhow::{Context, Result};
use aws_client::AwsClient;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, Uri, header, uri::Authority},
    response::{IntoResponse, Response},
};
use http_server::{Server, now_millis, serve_until_shutdown};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::{
    Options, PublicKeys, AccessError, ViewerRequest,
    cache_behavior::{self, CacheBehavior},
    distribution::Distribution,
    signed_url::check,
};

/// Headers that are about a connection, not about the request.
const HOP_BY_HOP: [HeaderName; 4] = [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::EXPECT];

/// A running edge, which ends with this value.
#[derive(Debug)]
pub struct EdgeServer(Server);

impl EdgeServer {
    /// Starts an edge on loopback. It answers when this returns; the distribution may come later.
    pub fn start(options: Options) -> Result<Self> {
        let uri: Uri = options.upstream.parse().with_context(|| format!("{} is no address", options.upstream))?;
        let app = Arc::new(App {
            authority: uri.authority().cloned().with_context(|| format!("{uri} names no host"))?,
            aws: AwsClient::new(options.upstream),
            keys: options.keys,
            http: Client::builder(TokioExecutor::new()).build_http(),
        });
        Ok(Self(Server::start("edge", options.port, |_| Router::new().fallback(answer).with_state(app))?))
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }
}

/// `cargo xtask edge`: runs an edge until SIGTERM or Ctrl-C.
pub async fn run(options: Options) -> Result<()> {
    serve_until_shutdown(|| EdgeServer::start(options), EdgeServer::endpoint).await
}

struct App {
    /// The emulator's host and port.
    authority: Authority,
    aws: AwsClient,
    keys: PublicKeys,
    http: Client<HttpConnector, Body>,
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let distribution = match Distribution::deployed(&app.aws).await {
        Ok(distribution) => distribution,
        Err(error) => return (StatusCode::BAD_GATEWAY, format!("{error:#}\n")).into_response(),
    };
    match admit(&distribution.behaviors, &app.keys, &request) {
        Ok(query) => app.forward(&distribution.domain, &query, request).await,
        Err(access_error) => {
            let headers = [(header::CONTENT_TYPE, "text/xml"), (header::SERVER, "CloudFront")];
            (StatusCode::FORBIDDEN, headers, access_error.document()).into_response()
        }
    }
}

/// Lets a request pass or not, and gives the query that goes on.
fn admit(behaviors: &[CacheBehavior], keys: &PublicKeys, request: &Request) -> Result<String, AccessError> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    let request = ViewerRequest {
        base_url: &format!("http://{host}"),
        path,
        query: request.uri().query().unwrap_or_default(),
        now: u64::try_from(now_millis() / 1_000).unwrap_or_default(),
    };
    match cache_behavior::of(behaviors, path) {
        Some(behavior) if behavior.is_signed => check(request, keys),
        Some(_) => Ok(request.origin_query()),
        None => Err(AccessError::AccessDenied),
    }
}

impl App {
    /// Has the emulator serve it, as the distribution with this domain name.
    async fn forward(&self, domain: &str, query: &str, mut request: Request) -> Response {
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let uri = format!("http://{}{}{query}", self.authority, request.uri().path()).parse::<Uri>();
        let (Ok(uri), Ok(host)) = (uri, HeaderValue::from_str(domain)) else {
            return (StatusCode::BAD_REQUEST, "not an address\n").into_response();
        };
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        for name in &HOP_BY_HOP {
            headers.remove(name);
        }
        headers.insert(header::HOST, host);
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        match self.http.request(request).await {
            Ok(answer) => {
                let mut answer = answer.map(Body::new);
                for name in &HOP_BY_HOP {
                    answer.headers_mut().remove(name);
                }
                answer
            }
            Err(error) => {
                (StatusCode::BAD_GATEWAY, format!("the emulator of AWS does not answer: {error}\n")).into_response()
            }
        }
    }
}

use std::sync::Arc;

use anyhow::Result;
use aws_client::AwsClient;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_server::{Server, Upstream, now_millis, serve_until_shutdown};

use super::{
    AccessError, Options, PublicKeys, ViewerRequest,
    cache_behavior::{self, CacheBehavior},
    distribution::Distribution,
    signed_url::verify_signed_url,
};

/// A running edge server. Dropping the value stops it.
#[derive(Debug)]
pub struct EdgeServer(Server);

impl EdgeServer {
    /// Starts an edge server on the loopback interface. It accepts requests when this returns. The distribution can be
    /// deployed later.
    pub fn start(options: Options) -> Result<Self> {
        let app = Arc::new(App {
            upstream: Upstream::new(&options.upstream)?,
            aws: AwsClient::new(options.upstream),
            keys: options.keys,
        });
        let router = Router::new().fallback(serve).with_state(app);
        Ok(Self(Server::start("cloudfront", options.port, |_| router)?))
    }

    /// The server's base URL.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }
}

/// Runs an edge server until SIGTERM or Ctrl-C: `cargo xtask edge`.
pub async fn run(options: Options) -> Result<()> {
    serve_until_shutdown(|| EdgeServer::start(options), EdgeServer::endpoint).await
}

struct App {
    upstream: Upstream,
    aws: AwsClient,
    keys: PublicKeys,
}

async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    let response = async {
        let distribution = Distribution::deployed(&app.aws).await?;
        match authorize(&distribution.behaviors, &app.keys, &request) {
            Ok(query) => app.forward(&distribution.domain, &query, request).await,
            Err(error) => {
                let headers = [(header::CONTENT_TYPE, "text/xml"), (header::SERVER, "CloudFront")];
                Ok((StatusCode::FORBIDDEN, headers, error.document()).into_response())
            }
        }
    };
    response.await.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, format!("{error:#}\n")).into_response())
}

/// Checks access and returns the query string for the origin.
fn authorize(behaviors: &[CacheBehavior], keys: &PublicKeys, request: &Request) -> Result<String, AccessError> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    let viewer_request = ViewerRequest {
        base_url: &format!("http://{host}"),
        path,
        query: request.uri().query().unwrap_or_default(),
        now: u64::try_from(now_millis() / 1_000).unwrap_or_default(),
    };
    match cache_behavior::of(behaviors, path) {
        Some(behavior) if behavior.is_signed => verify_signed_url(viewer_request, keys),
        Some(_) => Ok(viewer_request.origin_query()),
        None => Err(AccessError::AccessDenied),
    }
}

impl App {
    /// Forwards a request to the AWS emulator, which serves the distribution with this domain name.
    async fn forward(&self, domain: &str, query: &str, mut request: Request) -> Result<Response> {
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        *request.uri_mut() = format!("{}{query}", request.uri().path()).parse()?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_str(domain)?);
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        self.upstream.forward(request).await
    }
}

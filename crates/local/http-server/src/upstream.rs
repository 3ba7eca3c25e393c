use anyhow::{Context, Result};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, Request, Response, Uri, header, uri::Authority},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// Headers of a connection, not of a request or response.
const HOP_BY_HOP: [HeaderName; 4] = [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::EXPECT];

/// A server that requests are forwarded to.
///
/// Requests keep their path, query, `Host` and body byte for byte, so that their signatures stay valid. `reqwest` would
/// normalize the URLs.
#[derive(Debug)]
pub struct Upstream {
    authority: Authority,
    http: Client<HttpConnector, Body>,
}

impl Upstream {
    /// The server at `endpoint`, such as `http://127.0.0.1:4566`.
    pub fn new(endpoint: &str) -> Result<Self> {
        let uri: Uri = endpoint.parse().with_context(|| format!("{endpoint} is not a URL"))?;
        let authority = uri.authority().cloned().with_context(|| format!("{endpoint} has no host"))?;
        Ok(Self { authority, http: Client::builder(TokioExecutor::new()).build_http() })
    }

    /// Forwards a request and returns the response.
    ///
    /// # Errors
    /// If the server does not respond.
    pub async fn forward(&self, mut request: Request<Body>) -> Result<Response<Body>> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("http://{}{path}", self.authority).parse()?;
        remove_hop_by_hop(request.headers_mut());
        let response = self.http.request(request).await;
        let mut response = response.with_context(|| format!("{} does not respond", self.authority))?.map(Body::new);
        remove_hop_by_hop(response.headers_mut());
        Ok(response)
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

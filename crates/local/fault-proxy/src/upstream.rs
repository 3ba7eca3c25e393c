use anyhow::Result;
use aws_client::{AwsClient, Response as AwsResponse};
use axum::{
    body::{Body, Bytes},
    http::{Request, Response, request::Parts},
};
use http_server::Upstream;

use super::{Options, call::Call};

/// Headers that a changed request keeps.
const KEPT_HEADERS: [&str; 2] = ["content-type", "x-amz-target"];

/// The emulators behind the proxy.
pub struct Upstreams {
    aws: Service,
    sns: Option<Service>,
    neptune: Option<Service>,
    search: Option<Service>,
}

struct Service {
    server: Upstream,
    admin: AwsClient,
}

impl Upstreams {
    /// The emulators that `options` name.
    pub fn new(options: &Options) -> Result<Self> {
        let service = |endpoint: &Option<String>| endpoint.as_deref().map(Service::new).transpose();
        Ok(Self {
            aws: Service::new(&options.aws)?,
            sns: service(&options.sns)?,
            neptune: service(&options.neptune)?,
            search: service(&options.search)?,
        })
    }

    /// Forwards a request unchanged.
    pub async fn forward(&self, call: &Call, parts: &Parts, body: Bytes) -> Result<Response<Body>> {
        let request = Request::from_parts(parts.clone(), Body::from(body));
        self.service(call).server.forward(request).await
    }

    /// Sends a request with another body, signed by the administrator: the original signature is no longer valid.
    pub async fn resign_and_send(&self, call: &Call, parts: &Parts, body: Vec<u8>) -> Result<AwsResponse> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let header = |name| Some((name, parts.headers.get(name)?.to_str().ok()?));
        let headers: Vec<_> = KEPT_HEADERS.into_iter().filter_map(header).collect();
        self.service(call).admin.send(&call.service, parts.method.clone(), path, &headers, body).await
    }

    fn service(&self, call: &Call) -> &Service {
        let own = match call.service.as_str() {
            "sns" => &self.sns,
            "neptune-db" => &self.neptune,
            "es" => &self.search,
            _ => &None,
        };
        own.as_ref().unwrap_or(&self.aws)
    }
}

impl Service {
    fn new(endpoint: &str) -> Result<Self> {
        Ok(Self { server: Upstream::new(endpoint)?, admin: AwsClient::new(endpoint.to_owned()) })
    }
}

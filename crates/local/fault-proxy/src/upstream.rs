use anyhow::{Context, Result};
use aws_client::{Answer, AwsClient};
use axum::{
    body::{Body, Bytes},
    http::{HeaderName, Request, Response, Uri, header, request::Parts, uri::Authority},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::{Options, call::Call};

/// Headers that are about a connection, not about the request.
const HOP_BY_HOP: [HeaderName; 4] = [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::EXPECT];
/// What a request says of itself, beside its signature.
const OWN: [&str; 2] = ["content-type", "x-amz-target"];

/// What plays the services.
pub struct Upstreams {
    aws: Place,
    sns: Option<Place>,
    neptune: Option<Place>,
    search: Option<Place>,
    http: Client<HttpConnector, Body>,
}

struct Place {
    authority: Authority,
    admin: AwsClient,
}

impl Upstreams {
    /// Those that `options` name.
    pub fn new(options: &Options) -> Result<Self> {
        let place = |endpoint: &Option<String>| endpoint.as_deref().map(Place::new).transpose();
        Ok(Self {
            aws: Place::new(&options.aws)?,
            sns: place(&options.sns)?,
            neptune: place(&options.neptune)?,
            search: place(&options.search)?,
            http: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// Hands a request on as it is, also its `Host`, so that its signature holds; the answer, if there is one.
    pub async fn forward(&self, call: &Call, parts: &Parts, body: Bytes) -> Result<Response<Body>> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri: Uri = format!("http://{}{path}", self.of(call).authority).parse()?;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = parts.headers.clone();
        for name in &HOP_BY_HOP {
            request.headers_mut().remove(name);
        }
        let mut answer = self.http.request(request).await?.map(Body::new);
        for name in &HOP_BY_HOP {
            answer.headers_mut().remove(name);
        }
        Ok(answer)
    }

    /// Sends a request with another body. Its signature does not hold any more: the administrator signs.
    pub async fn resign_and_send(&self, call: &Call, parts: &Parts, body: Vec<u8>) -> Result<Answer> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let header = |name| Some((name, parts.headers.get(name)?.to_str().ok()?));
        let headers: Vec<_> = OWN.into_iter().filter_map(header).collect();
        self.of(call).admin.send(&call.service, parts.method.clone(), path, &headers, body).await
    }

    fn of(&self, call: &Call) -> &Place {
        let own = match call.service.as_str() {
            "sns" => &self.sns,
            "neptune-db" => &self.neptune,
            "es" => &self.search,
            _ => &None,
        };
        own.as_ref().unwrap_or(&self.aws)
    }
}

impl Place {
    fn new(endpoint: &str) -> Result<Self> {
        let uri: Uri = endpoint.parse().with_context(|| format!("{endpoint} is no address"))?;
        let authority = uri.authority().cloned().with_context(|| format!("{endpoint} names no host"))?;
        Ok(Self { authority, admin: AwsClient::new(endpoint.to_owned()) })
    }
}

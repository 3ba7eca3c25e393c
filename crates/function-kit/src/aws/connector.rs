//! One request to AWS and its answer: hyper's client, as the SDK calls one.

mod failed;
mod within;

use std::{sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{CaptureConnection, HttpConnector as Tcp, HttpInfo, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};

use self::within::Within;

/// How long what may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The name, the connection, the TLS handshake.
    pub connect: Option<Duration>,
    /// From when a request is sent until its answer begins.
    pub read: Option<Duration>,
}

/// Sends what the SDK has signed. Connections are kept for the next request.
#[derive(Debug)]
pub struct Connector {
    client: Client<Within<HttpsConnector<Tcp>>, SdkBody>,
    read: Option<Duration>,
}

impl Connector {
    /// A connector without connections yet.
    pub fn new(tls: &Arc<rustls::ClientConfig>, limits: Limits) -> Self {
        let mut tcp = Tcp::new();
        tcp.set_nodelay(true);
        // Whether it is to be TLS is said by each URL.
        tcp.enforce_http(false);
        let tls = rustls::ClientConfig::clone(tls);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let connect = Within { inner: https.wrap_connector(tcp), limit: limits.connect };
        // The timer closes connections that nobody has used for a while.
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connect);
        Self { client, read: limits.read }
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let answer = within::limited(self.client.request(request), self.read);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(failed::sorted)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The connection that a request went through, for the SDK: it does not use one again on which something went wrong.
fn metadata(captured: &CaptureConnection) -> Option<ConnectionMetadata> {
    let connected = captured.connection_metadata();
    let mut extras = http::Extensions::new();
    connected.as_ref()?.get_extras(&mut extras);
    let info = extras.get::<HttpInfo>();
    let captured = captured.clone();
    let mut metadata = ConnectionMetadata::builder().proxied(false).poison_fn(move || {
        if let Some(connected) = captured.connection_metadata().as_ref() {
            connected.poison();
        }
    });
    metadata.set_local_addr(info.map(HttpInfo::local_addr)).set_remote_addr(info.map(HttpInfo::remote_addr));
    Some(metadata.build())
}

#[cfg(test)]
mod tests;

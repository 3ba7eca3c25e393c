//! The HTTP connector: the SDK's own, with rustls on ring.
//!
//! The SDK's default TLS library, aws-lc, gathers entropy for 30 ms of CPU in the first call.

use std::{sync::OnceLock, time::Duration};

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use http::Uri;
use tracing::{Instrument, error_span};

use super::trust;

/// For name resolution, connection and TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A connector of SDK clients and of signed requests, without connections yet. Clones share their connections.
pub fn http_connector() -> SharedHttpConnector {
    SharedHttpConnector::new(LazyConnector::default())
}

/// Builds its connector at the first request: initialisation then does not parse certificates.
#[derive(Debug, Default)]
struct LazyConnector(OnceLock<Connector>);

impl HttpConnector for LazyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // Without the path, which may contain names of users.
        let host = request.uri().parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        let span = error_span!("aws_call", host, operation = request.headers().get("x-amz-target"));
        let connector = self.0.get_or_init(|| connector(trust::trust_store(), CONNECT_TIMEOUT));
        HttpConnectorFuture::new(connector.call(request).instrument(span))
    }
}

fn connector(trust_store: TrustStore, connect_timeout: Duration) -> Connector {
    let tls = TlsContext::builder().with_trust_store(trust_store).build().expect("a trust store is all it needs");
    Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(connect_timeout).build())
        .sleep_impl(TokioSleep::new())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build()
}

#[cfg(test)]
mod tests;

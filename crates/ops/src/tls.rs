//! The HTTP client of the operator's tool: rustls on ring, as in the functions, with the machine's own certificates.

use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector};

const PROVIDER: Provider = Provider::Rustls(CryptoMode::Ring);

/// An HTTP client for SDK clients.
pub fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(PROVIDER).build_https()
}

/// An HTTP connector for signed requests. It has no read timeout, because an invocation may take minutes.
pub fn http_connector() -> SharedHttpConnector {
    SharedHttpConnector::new(Connector::builder().tls_provider(PROVIDER).build())
}

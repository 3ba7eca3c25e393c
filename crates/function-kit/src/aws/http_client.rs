//! HTTP for the SDK's clients.
//!
//! The SDK's own crate for it is for every program there is: HTTP/2, proxies, the system's certificates. What functions
//! call is reached directly and answers HTTP/1.1, so the rest would only be loaded (`docs/benchmarks/startup.md`).

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpClient, HttpConnectorSettings, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};

use super::{
    connector::{Connector, Limits},
    tls,
};

/// An HTTP client that makes a connector, TLS included, when something is first sent, and shares it among all SDK
/// clients that set the same limits.
#[derive(Debug, Default)]
pub struct Client(Mutex<Made>);

#[derive(Debug, Default)]
struct Made {
    tls: Option<Arc<rustls::ClientConfig>>,
    /// As good as always one.
    connectors: Vec<(Limits, SharedHttpConnector)>,
}

impl Made {
    fn connector(&mut self, limits: Limits) -> SharedHttpConnector {
        if let Some((_, connector)) = self.connectors.iter().find(|(known, _)| *known == limits) {
            return connector.clone();
        }
        let tls = self.tls.get_or_insert_with(|| Arc::new(tls::config()));
        let connector = SharedHttpConnector::new(Connector::new(tls, limits));
        self.connectors.push((limits, connector.clone()));
        connector
    }
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let limits = Limits { connect: settings.connect_timeout(), read: settings.read_timeout() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).connector(limits)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some(Cow::Borrowed("1.x"))))
    }
}

/// A connector with connections of its own; only to connect is limited, to `connect`.
pub fn connector(connect: Duration) -> SharedHttpConnector {
    Made::default().connector(Limits { connect: Some(connect), read: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connectors_are_shared_by_limits() {
        let mut made = Made::default();
        let some = Limits { connect: Some(Duration::from_secs(2)), read: None };
        made.connector(some);
        made.connector(some);
        assert_eq!(made.connectors.len(), 1);
        made.connector(Limits { connect: None, read: None });
        assert_eq!(made.connectors.len(), 2);
    }
}

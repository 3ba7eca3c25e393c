use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};

/// An HTTP client that makes its connector, TLS included, when something is first sent.
///
/// The SDK's own makes one for each SDK client that is set up, only to throw it away: that loads the system's
/// certificates early, of which there are none to load here.
#[derive(Debug)]
pub struct Lazy(SharedHttpClient);

impl Lazy {
    /// The same client, later.
    pub fn new(inner: SharedHttpClient) -> Self {
        Self(inner)
    }
}

impl HttpClient for Lazy {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

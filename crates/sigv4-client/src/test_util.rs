//! A client whose requests a function answers, for tests. The SDK's clients have a feature of the same name.

use std::{fmt, str, sync::Arc};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;

use crate::Client;

/// A client without network. `answer` gets the URL and the body of each request, and returns status and body of the
/// response, or `None` if the connection fails.
pub fn client(answer: impl Fn(&str, &str) -> Option<(u16, String)> + Send + Sync + 'static) -> Client {
    let http = SharedHttpConnector::new(Answering(Arc::new(answer)));
    Client::new(http, "us-east-1", Credentials::new("id", "secret", None, None, "test"))
}

type Answer = dyn Fn(&str, &str) -> Option<(u16, String)> + Send + Sync;

#[derive(Clone)]
struct Answering(Arc<Answer>);

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering")
    }
}

impl HttpConnector for Answering {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let answer = self.0(request.uri(), body).ok_or("the connection is closed");
        let response = answer
            .map_err(Into::into)
            .and_then(|(status, body)| Ok(HttpResponse::new(status.try_into()?, SdkBody::from(body))));
        HttpConnectorFuture::ready(response.map_err(ConnectorError::io))
    }
}

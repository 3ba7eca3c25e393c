//! Around a defect of the SDK.
//!
//! `aws-sdk-neptunedata` cannot read the page that Neptune documents and sends: its model has event
//! ids as maps of strings, but they are numbers, and it does not inflate the gzip it asks for
//! (<https://github.com/awslabs/aws-sdk-rust/issues/925>). Everything around the page works:
//! endpoint, signature, retries, errors. So the answer's body is taken here, between the HTTP client
//! and the SDK, and the SDK gets to see an empty object, which its parser accepts.
//!
//! A test in `tests/wire/upstream.rs` fails once the SDK can do it by itself. This module can go then.

use std::{
    io, mem,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};

use crate::body::{self, MAX_BYTES};

/// An HTTP client for one request, which keeps the body of the answer if it is a success.
#[derive(Debug, Clone)]
pub(crate) struct Capture {
    inner: SharedHttpClient,
    body: Slot,
}

/// Where the body waits for whoever sent the request.
type Slot = Arc<Mutex<Vec<u8>>>;

impl Capture {
    pub(crate) fn new(inner: SharedHttpClient) -> Self {
        Self { inner, body: Slot::default() }
    }

    /// The body, once the request has succeeded.
    pub(crate) fn take(&self) -> Vec<u8> {
        mem::take(&mut *self.body.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpClient for Capture {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        // The connections are the inner client's, and outlive the request.
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(CaptureConnector { inner, body: Arc::clone(&self.body) })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct CaptureConnector {
    inner: SharedHttpConnector,
    body: Slot,
}

impl HttpConnector for CaptureConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.inner.call(request);
        let slot = Arc::clone(&self.body);
        HttpConnectorFuture::new(async move {
            let mut answer = answer.await?;
            // A failure counts as the connection's: the SDK then tries again.
            let body = collect(&mut answer).await.map_err(|error| ConnectorError::io(error.into()))?;
            // They are about the body as it came; the SDK holds its length against the one it gets.
            answer.headers_mut().remove("content-length");
            answer.headers_mut().remove("content-encoding");
            *answer.body_mut() = if answer.status().is_success() {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = body;
                SdkBody::from("{}")
            } else {
                SdkBody::from(body)
            };
            Ok(answer)
        })
    }
}

/// The whole body, inflated if need be.
async fn collect(answer: &mut HttpResponse) -> io::Result<Vec<u8>> {
    let mut stream = ByteStream::new(answer.take_body());
    let mut body = Vec::new();
    while let Some(chunk) = stream.try_next().await? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the answer is larger than any page"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(match body::decompressed(&body, MAX_BYTES)? {
        std::borrow::Cow::Borrowed(_) => body,
        std::borrow::Cow::Owned(inflated) => inflated,
    })
}

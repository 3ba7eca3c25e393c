//! A workaround for a defect of the SDK.
//!
//! `aws-sdk-neptunedata` cannot parse the page that Neptune documents and sends. Its model has event ids as
//! maps of strings, but Neptune sends numbers, and it does not inflate the gzip that it requests
//! (<https://github.com/awslabs/aws-sdk-rust/issues/925>). Endpoint, signature, retries and errors work.
//! This module takes the response body between the HTTP client and the SDK, and gives the SDK an empty
//! object, which its parser accepts.
//!
//! `tests/http/sdk_defect.rs` fails once the SDK can parse pages. This module can be deleted then.

use std::{
    borrow::Cow,
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

/// An HTTP client for one request that keeps the body of a successful response.
#[derive(Debug, Clone)]
pub(crate) struct BodyCapture {
    inner: SharedHttpClient,
    body: SharedBody,
}

/// Passes the body from the connector to the sender of the request.
type SharedBody = Arc<Mutex<Vec<u8>>>;

impl BodyCapture {
    pub(crate) fn new(inner: SharedHttpClient) -> Self {
        Self { inner, body: SharedBody::default() }
    }

    /// Returns the body of the successful response.
    pub(crate) fn take(&self) -> Vec<u8> {
        mem::take(&mut *self.body.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpClient for BodyCapture {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        // The inner client owns the connections, so they outlive this request.
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(BodyCaptureConnector { inner, body: Arc::clone(&self.body) })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct BodyCaptureConnector {
    inner: SharedHttpConnector,
    body: SharedBody,
}

impl HttpConnector for BodyCaptureConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let response = self.inner.call(request);
        let captured = Arc::clone(&self.body);
        HttpConnectorFuture::new(async move {
            let mut response = response.await?;
            // As a connection error, so that the SDK retries it.
            let body = collect(&mut response).await.map_err(|error| ConnectorError::io(error.into()))?;
            // These headers describe the original body. The SDK compares the length with the new one.
            response.headers_mut().remove("content-length");
            response.headers_mut().remove("content-encoding");
            *response.body_mut() = if response.status().is_success() {
                *captured.lock().unwrap_or_else(PoisonError::into_inner) = body;
                SdkBody::from("{}")
            } else {
                SdkBody::from(body)
            };
            Ok(response)
        })
    }
}

/// Reads the whole body and inflates it if it is gzipped.
async fn collect(response: &mut HttpResponse) -> io::Result<Vec<u8>> {
    let mut stream = ByteStream::new(response.take_body());
    let mut body = Vec::new();
    while let Some(chunk) = stream.try_next().await? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the response is larger than any page"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(match body::decompress(&body, MAX_BYTES)? {
        Cow::Borrowed(_) => body,
        Cow::Owned(inflated) => inflated,
    })
}

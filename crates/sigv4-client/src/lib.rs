#![doc = include_str!("../README.md")]

#[cfg(feature = "test-util")]
pub mod test_util;

use std::{error, time::SystemTime};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use aws_types::SdkConfig;
use http::{Request, Response};

type AnyError = Box<dyn error::Error + Send + Sync>;

/// Sends signed requests to services of one region. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: SharedHttpConnector,
    region: String,
    credentials: SharedCredentialsProvider,
}

/// The SDK configuration has no region or no credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signed requests need a region and credentials")]
pub struct MissingCredentials;

/// Reason why a request has no response.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credentials cannot be loaded now.
    #[error("no credentials")]
    Credentials(#[source] CredentialsError),
    /// The request cannot be signed: a header is not text, or the URL is not absolute.
    #[error("the request cannot be signed")]
    Request(#[source] AnyError),
    /// The connection failed before the whole response arrived.
    #[error("no response")]
    Connection(#[source] AnyError),
}

impl Client {
    /// A client with fixed region and credentials.
    pub fn new(
        http: SharedHttpConnector,
        region: impl Into<String>,
        credentials: impl ProvideCredentials + 'static,
    ) -> Self {
        Self { http, region: region.into(), credentials: SharedCredentialsProvider::new(credentials) }
    }

    /// A client with the region and the credentials of `config`.
    ///
    /// # Errors
    /// If `config` lacks one of them.
    pub fn of(config: &SdkConfig, http: SharedHttpConnector) -> Result<Self, MissingCredentials> {
        let region = config.region().ok_or(MissingCredentials)?.to_string();
        let credentials = config.credentials_provider().ok_or(MissingCredentials)?;
        Ok(Self { http, region, credentials })
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Signs `request` for `service` (`s3`, `es`, `lambda`, …) and sends it; the URL is absolute.
    ///
    /// # Errors
    /// If no complete response arrives. A response of any status is not an error.
    pub async fn send(&self, service: &str, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Error> {
        let credentials = self.credentials.provide_credentials().await.map_err(Error::Credentials)?;
        let request = signed(request, service, &self.region, credentials, SystemTime::now()).map_err(Error::Request)?;
        let request = request.map(SdkBody::from).try_into();
        let request = request.map_err(|error: aws_smithy_runtime_api::http::HttpError| Error::Request(error.into()))?;
        let response = self.http.call(request).await.map_err(|error| Error::Connection(error.into()))?;
        let response = response.try_into_http1x().map_err(|error| Error::Connection(error.into()))?;
        let (parts, body) = response.into_parts();
        let body = ByteStream::new(body).collect().await.map_err(|error| Error::Connection(error.into()))?;
        Ok(Response::from_parts(parts, body.to_vec()))
    }
}

fn signed(
    mut request: Request<Vec<u8>>,
    service: &str,
    region: &str,
    credentials: Credentials,
    now: SystemTime,
) -> Result<Request<Vec<u8>>, AnyError> {
    // aws-sigv4 panics without a host.
    if request.uri().host().is_none() {
        return Err("the URL is not absolute".into());
    }
    let mut settings = SigningSettings::default();
    // S3 and OpenSearch Serverless require the digest of the body as a header; all services accept it.
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if service == "s3" {
        // S3 alone signs paths as they are sent (Signature Version 4, "Create a canonical request").
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let identity = credentials.into();
    let params = SigningParams::builder().identity(&identity).region(region).name(service).time(now);
    let params = params.settings(settings).build()?.into();
    let headers = request.headers().iter().map(|(name, value)| Ok((name.as_str(), value.to_str()?)));
    let headers = headers.collect::<Result<Vec<_>, http::header::ToStrError>>()?;
    let url = request.uri().to_string();
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(request.method().as_str(), &url, headers.into_iter(), body)?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

#[cfg(test)]
mod tests;

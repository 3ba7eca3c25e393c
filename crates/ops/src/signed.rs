//! Signed calls of the two services of which one call each is needed.

use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail};
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use form_urlencoded::Serializer;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::session::TLS;

/// Signs and sends.
#[derive(Debug)]
pub struct Signed {
    http: SharedHttpConnector,
    endpoint_url: Option<String>,
    region: String,
    credentials: SharedCredentialsProvider,
}

/// An answer of any status.
struct Answer {
    status: u16,
    function_error: bool,
    body: String,
}

impl Signed {
    /// As `config` says.
    pub fn new(config: &SdkConfig) -> Result<Self> {
        // Without a time-out for reading: an invocation may take minutes.
        let http = SharedHttpConnector::new(Connector::builder().tls_provider(TLS).build());
        Ok(Self {
            http,
            endpoint_url: config.endpoint_url().map(|url| url.trim_end_matches('/').to_owned()),
            region: config.region().context("no region: set AWS_REGION")?.to_string(),
            credentials: config.credentials_provider().context("no credentials")?,
        })
    }

    /// CloudFormation's description of a stack, as XML.
    pub async fn describe_stack(&self, name: &str) -> Result<String> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs([("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", name)]);
        let form = form.finish().into_bytes();
        let answer = self.send("cloudformation", "/", "application/x-www-form-urlencoded", form).await?;
        match answer.status {
            200 => Ok(answer.body),
            status => bail!("CloudFormation answers {status} about the stack {name}: {}", answer.body.trim()),
        }
    }

    /// What a function answers to `event`.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        let path = format!("/2015-03-31/functions/{}/invocations", utf8_percent_encode(function, NON_ALPHANUMERIC));
        let answer = self.send("lambda", &path, "application/json", event.to_string().into_bytes()).await?;
        if answer.status != 200 {
            bail!("Lambda answers {} about {function}: {}", answer.status, answer.body.trim());
        }
        let body: Value = serde_json::from_str(&answer.body)?;
        if answer.function_error {
            // Functions keep what users wrote out of their errors, as out of their logs.
            bail!("{function} failed: {}", body["errorMessage"].as_str().unwrap_or("without a reason"));
        }
        Ok(body)
    }

    async fn send(&self, service: &str, path: &str, content_type: &str, body: Vec<u8>) -> Result<Answer> {
        let url = format!("{}{path}", self.endpoint_url.clone().unwrap_or_else(|| self.endpoint_of(service)));
        let request = http::Request::post(url).header(http::header::CONTENT_TYPE, content_type);
        let mut request = request.body(body)?;
        let identity = self.credentials.provide_credentials().await?.into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let uri = request.uri().to_string();
        let headers = [("content-type", content_type)];
        let signable = SignableRequest::new("POST", &uri, headers.into_iter(), SignableBody::Bytes(request.body()))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        let request = request.map(SdkBody::from).try_into()?;
        let answer = self.http.call(request).await.map_err(|error| anyhow!(error).context(service.to_owned()))?;
        let status = answer.status().as_u16();
        let function_error = answer.headers().get("x-amz-function-error").is_some();
        let body = ByteStream::new(answer.into_body()).collect().await?.to_vec();
        Ok(Answer { status, function_error, body: String::from_utf8_lossy(&body).into_owned() })
    }

    fn endpoint_of(&self, service: &str) -> String {
        let region = &self.region;
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://{service}.{region}.amazonaws.com{suffix}")
    }
}

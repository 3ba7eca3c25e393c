//! Signed calls of services whose SDKs the tool does not link: it makes few calls of each, and SDKs take minutes to compile.

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use form_urlencoded::Serializer;
use http::{Request, Response, header::CONTENT_TYPE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sigv4_client::Client;

use crate::tls::http_connector;

/// The region in which global services are signed.
const GLOBAL_REGION: &str = "us-east-1";

/// Sends the calls with the credentials, region and endpoint of an SDK configuration.
#[derive(Debug)]
pub struct SignedCalls {
    client: Client,
    /// Signs for global services: IAM, CloudFront, and the quotas of both.
    global: Client,
    endpoint_url: Option<String>,
}

/// A service: its host and the name in signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    host: &'static str,
    signing_name: &'static str,
    is_global: bool,
}

impl Service {
    pub(crate) const API_GATEWAY: Self = Self::regional("apigateway");
    pub(crate) const CLOUDFORMATION: Self = Self::regional("cloudformation");
    pub(crate) const CLOUDFRONT: Self = Self { host: "cloudfront", signing_name: "cloudfront", is_global: true };
    pub(crate) const CLOUDWATCH: Self = Self::regional("monitoring");
    pub(crate) const COGNITO: Self = Self::regional("cognito-idp");
    /// Service Quotas of global services.
    pub(crate) const GLOBAL_QUOTAS: Self =
        Self { host: "servicequotas.us-east-1", signing_name: "servicequotas", is_global: true };
    pub(crate) const IAM: Self = Self { host: "iam", signing_name: "iam", is_global: true };
    pub(crate) const LAMBDA: Self = Self::regional("lambda");
    pub(crate) const SES: Self = Self { host: "email", signing_name: "ses", is_global: false };
    pub(crate) const SSM: Self = Self::regional("ssm");
    pub(crate) const STS: Self = Self::regional("sts");

    const fn regional(name: &'static str) -> Self {
        Self { host: name, signing_name: name, is_global: false }
    }
}

/// A response of any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// The body of a response with status 200.
    ///
    /// # Errors
    /// If the status is another; the error contains the body, which is a service's error message.
    pub fn ok(self) -> Result<String> {
        match self.status {
            200 => Ok(self.body),
            status => bail!("status {status}: {}", self.body.trim()),
        }
    }
}

impl SignedCalls {
    /// Signs with the credentials and region of `config`, and sends to its endpoint.
    ///
    /// # Errors
    /// If it has no region or no credentials.
    pub fn new(config: &SdkConfig) -> Result<Self> {
        let client = Client::of(config, http_connector()).context("set AWS_REGION and credentials")?;
        let credentials = config.credentials_provider().context("set credentials")?;
        Ok(Self {
            client,
            global: Client::new(http_connector(), GLOBAL_REGION, credentials),
            endpoint_url: config.endpoint_url().map(|url| url.trim_end_matches('/').to_owned()),
        })
    }

    /// The region of the calls.
    pub fn region(&self) -> &str {
        self.client.region()
    }

    /// CloudFormation's description of a stack, as XML.
    pub async fn describe_stack(&self, name: &str) -> Result<String> {
        let answer =
            self.query(Service::CLOUDFORMATION, "2010-05-15", "DescribeStacks", &[("StackName", name)]).await?;
        answer.ok().with_context(|| format!("CloudFormation refuses to describe the stack {name}"))
    }

    /// The response of a function to `event`.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        let path = format!("/2015-03-31/functions/{}/invocations", utf8_percent_encode(function, NON_ALPHANUMERIC));
        let request = Request::post(self.url(Service::LAMBDA, &path)).header(CONTENT_TYPE, "application/json");
        let response = self.send(Service::LAMBDA, request, event.to_string().into_bytes()).await?;
        if response.status() != 200 {
            bail!("Lambda returns {} for {function}: {}", response.status().as_u16(), text(&response).trim());
        }
        let body: Value = serde_json::from_slice(response.body())?;
        if response.headers().contains_key("x-amz-function-error") {
            // The errors of the functions contain no text of users.
            bail!("{function} failed: {}", body["errorMessage"].as_str().unwrap_or("no error message"));
        }
        Ok(body)
    }

    /// Calls an action of a service with the Query protocol.
    pub async fn query(&self, service: Service, version: &str, action: &str, input: &[(&str, &str)]) -> Result<Answer> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs([("Action", action), ("Version", version)]).extend_pairs(input);
        let request = Request::post(self.url(service, "/")).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = self.send(service, request, form.finish().into_bytes()).await?;
        Ok(answer(&response))
    }

    /// Calls an operation of a service with the JSON protocol. `target` is the value of `X-Amz-Target`.
    pub async fn json(&self, service: Service, target: &str, input: &Value) -> Result<Answer> {
        let request = Request::post(self.url(service, "/")).header(CONTENT_TYPE, "application/x-amz-json-1.1");
        let response =
            self.send(service, request.header("x-amz-target", target), input.to_string().into_bytes()).await?;
        Ok(answer(&response))
    }

    /// Gets a path of a service with the REST protocol.
    pub async fn get(&self, service: Service, path: &str) -> Result<Answer> {
        let response = self.send(service, Request::get(self.url(service, path)), Vec::new()).await?;
        Ok(answer(&response))
    }

    async fn send(
        &self,
        service: Service,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<Response<Vec<u8>>> {
        let client = if service.is_global { &self.global } else { &self.client };
        client.send(service.signing_name, request.body(body)?).await.with_context(|| service.host.to_owned())
    }

    fn url(&self, service: Service, path: &str) -> String {
        match &self.endpoint_url {
            Some(endpoint) => format!("{endpoint}{path}"),
            None => format!("https://{}{path}", host(service, self.client.region())),
        }
    }
}

/// The host of a service in a region.
fn host(service: Service, region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    match service.is_global {
        true => format!("{}.amazonaws.com{suffix}", service.host),
        false => format!("{}.{region}.amazonaws.com{suffix}", service.host),
    }
}

fn answer(response: &Response<Vec<u8>>) -> Answer {
    Answer { status: response.status().as_u16(), body: text(response) }
}

fn text(response: &Response<Vec<u8>>) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_has_the_region_unless_the_service_is_global() {
        assert_eq!(host(Service::SES, "ap-northeast-2"), "email.ap-northeast-2.amazonaws.com");
        assert_eq!(host(Service::IAM, "ap-northeast-2"), "iam.amazonaws.com");
        assert_eq!(host(Service::SSM, "cn-north-1"), "ssm.cn-north-1.amazonaws.com.cn");
    }
}

//! Calls of CloudFormation and Lambda. The tool makes one call of each, and their SDKs take minutes to compile.

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use form_urlencoded::Serializer;
use http::{Request, Response, header::CONTENT_TYPE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sigv4_client::Client;

use crate::tls::http_connector;

/// Sends the calls with the credentials, region and endpoint of an SDK configuration.
#[derive(Debug)]
pub struct SignedCalls {
    client: Client,
    endpoint_url: Option<String>,
}

impl SignedCalls {
    /// Signs with the credentials and region of `config`, and sends to its endpoint.
    ///
    /// # Errors
    /// If it has no region or no credentials.
    pub fn new(config: &SdkConfig) -> Result<Self> {
        Ok(Self {
            client: Client::of(config, http_connector()).context("set AWS_REGION and credentials")?,
            endpoint_url: config.endpoint_url().map(|url| url.trim_end_matches('/').to_owned()),
        })
    }

    /// CloudFormation's description of a stack, as XML.
    pub async fn describe_stack(&self, name: &str) -> Result<String> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs([("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", name)]);
        let form = form.finish().into_bytes();
        let response = self.post("cloudformation", "/", "application/x-www-form-urlencoded", form).await?;
        let body = text(&response);
        match response.status().as_u16() {
            200 => Ok(body),
            status => bail!("CloudFormation returns {status} for the stack {name}: {}", body.trim()),
        }
    }

    /// The response of a function to `event`.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        let path = format!("/2015-03-31/functions/{}/invocations", utf8_percent_encode(function, NON_ALPHANUMERIC));
        let response = self.post("lambda", &path, "application/json", event.to_string().into_bytes()).await?;
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

    async fn post(&self, service: &str, path: &str, content_type: &str, body: Vec<u8>) -> Result<Response<Vec<u8>>> {
        let url = format!("{}{path}", self.endpoint_url.clone().unwrap_or_else(|| self.endpoint_of(service)));
        let request = Request::post(url).header(CONTENT_TYPE, content_type).body(body)?;
        self.client.send(service, request).await.with_context(|| service.to_owned())
    }

    fn endpoint_of(&self, service: &str) -> String {
        let region = self.client.region();
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://{service}.{region}.amazonaws.com{suffix}")
    }
}

fn text(response: &Response<Vec<u8>>) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}

//! A deployed stack: its outputs and the clients of its services.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use aws_config::{BehaviorVersion, SdkConfig};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{signed_calls::SignedCalls, tls::http_client};

/// A deployed stack, with the clients of its services.
#[derive(Debug)]
pub struct Session {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) calls: SignedCalls,
    /// The name of the stack.
    pub(crate) stack: String,
    endpoint_url: Option<String>,
    outputs: BTreeMap<String, String>,
}

/// The configuration of SDK clients. Credentials and region come from the environment and profiles.
pub async fn config(endpoint_url: Option<String>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http_client());
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

impl Session {
    /// Reads the outputs of the stack `stack`.
    ///
    /// # Errors
    /// If it does not exist, or the caller may not describe it.
    pub async fn of(config: SdkConfig, stack: &str) -> Result<Self> {
        let calls = SignedCalls::new(&config)?;
        let outputs =
            outputs(&calls.describe_stack(stack).await?).with_context(|| format!("cannot read the stack {stack}"))?;
        // The emulator has no host names for buckets.
        let path_style = config.endpoint_url().is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(path_style).build();
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sns: aws_sdk_sns::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            calls,
            stack: stack.to_owned(),
            endpoint_url: config.endpoint_url().map(str::to_owned),
            outputs,
        })
    }

    /// The stack's output `name`.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        let output = self.outputs.get(name).map(String::as_str);
        output.with_context(|| format!("the stack has no output {name}: its resource is not deployed"))
    }

    /// Whether the stack has the output `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.outputs.contains_key(name)
    }

    /// Whether the stack runs in an emulator.
    pub(crate) fn is_emulated(&self) -> bool {
        self.endpoint_url.is_some()
    }

    /// The URL of `path`, which starts with a slash, in the REST API.
    pub(crate) fn api_url(&self, path: &str) -> Result<String> {
        Ok(match &self.endpoint_url {
            // The emulator's API Gateway has no host names.
            Some(endpoint) => format!("{endpoint}/_aws/execute-api/{}/$default{path}", self.output("ApiId")?),
            None => format!("{}{path}", self.output("ApiUrl")?),
        })
    }

    /// Invokes a function with `event`, and reads its response.
    pub(crate) async fn invoke<T: DeserializeOwned>(&self, function: &str, event: &Value) -> Result<T> {
        let response = self.calls.invoke(function, event).await?;
        serde_json::from_value(response).with_context(|| format!("the response of {function} has an unknown form"))
    }
}

/// The outputs in CloudFormation's response.
fn outputs(xml: &str) -> Result<BTreeMap<String, String>> {
    let document = roxmltree::Document::parse(xml)?;
    let text = |node: roxmltree::Node<'_, '_>, name: &str| {
        let child = node.children().find(|child| child.tag_name().name() == name)?;
        Some(child.text().unwrap_or_default().to_owned())
    };
    let members = document.descendants().filter(|node| node.tag_name().name() == "Outputs");
    let members = members.flat_map(|outputs| outputs.children().filter(|child| child.tag_name().name() == "member"));
    let outputs: BTreeMap<_, _> =
        members.filter_map(|member| Some((text(member, "OutputKey")?, text(member, "OutputValue")?))).collect();
    if outputs.is_empty() {
        bail!("the stack has no outputs");
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_description_is_parsed_into_outputs() {
        let xml = r#"<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
            <DescribeStacksResult><Stacks><member><StackName>iyagi</StackName><Outputs>
            <member><OutputKey>MediaTableName</OutputKey><OutputValue>media-1</OutputValue></member>
            <member><Description>d</Description><OutputKey>ApiId</OutputKey><OutputValue>a&amp;b</OutputValue></member>
            </Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"#;
        let outputs = outputs(xml).expect("outputs");
        assert_eq!(outputs.len(), 2);
        assert_eq!((outputs["MediaTableName"].as_str(), outputs["ApiId"].as_str()), ("media-1", "a&b"));
        assert!(super::outputs("<a/>").is_err() && super::outputs("no").is_err());
    }
}

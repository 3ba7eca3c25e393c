//! The settings of a deployed stack's functions.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use aws_client::AwsClient;
use http::Method;
use roxmltree::Document;
use serde_json::Value;

use crate::deployment::STACK;

/// The settings of functions: the values of their variables, by logical id.
pub type Settings = BTreeMap<String, BTreeMap<String, String>>;

/// Reads the variables of all functions of the stack.
pub async fn deployed(aws: &AwsClient) -> Result<Settings> {
    let input = [("Action", "DescribeStackResources"), ("Version", "2010-05-15"), ("StackName", STACK)];
    let functions = functions(&aws.query("cloudformation", &input).await?)?;
    let mut settings = Settings::new();
    for (logical_id, name) in functions {
        let path = format!("/2015-03-31/functions/{name}/configuration");
        let response = aws.send("lambda", Method::GET, &path, &[], Vec::new()).await?;
        ensure!(response.status.is_success(), "Lambda returns {} for {logical_id}", response.status);
        settings.insert(logical_id, variables(&serde_json::from_slice(&response.body)?)?);
    }
    Ok(settings)
}

/// Logical ids and names of the functions in CloudFormation's response.
fn functions(xml: &str) -> Result<BTreeMap<String, String>> {
    let document = Document::parse(xml)?;
    let text = |node: roxmltree::Node<'_, '_>, name: &str| {
        let child = node.children().find(|child| child.tag_name().name() == name)?;
        child.text().map(str::to_owned)
    };
    let members = document.descendants().filter(|node| node.tag_name().name() == "member");
    let functions: BTreeMap<_, _> = members
        .filter(|member| text(*member, "ResourceType").as_deref() == Some("AWS::Lambda::Function"))
        .filter_map(|member| Some((text(member, "LogicalResourceId")?, text(member, "PhysicalResourceId")?)))
        .collect();
    ensure!(!functions.is_empty(), "the stack {STACK} has no functions");
    Ok(functions)
}

/// The variables in a function's configuration.
fn variables(configuration: &Value) -> Result<BTreeMap<String, String>> {
    let variables = configuration["Environment"]["Variables"].as_object().into_iter().flatten();
    let text = |(name, value): (&String, &Value)| {
        Ok((name.clone(), value.as_str().with_context(|| format!("{name} is no text"))?.to_owned()))
    };
    variables.map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn functions_are_found_among_resources() {
        let member = |kind: &str, id: &str| {
            format!(
                "<member><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>iyagi-{id}</PhysicalResourceId>\
                 <ResourceType>{kind}</ResourceType></member>"
            )
        };
        let both = [member("AWS::Lambda::Function", "MediaApi"), member("AWS::SQS::Queue", "PushQueue")].concat();
        let found = functions(&format!("<a xmlns=\"n\"><b>{both}</b></a>")).expect("functions");
        assert_eq!(found, BTreeMap::from([("MediaApi".to_owned(), "iyagi-MediaApi".to_owned())]));
        assert!(functions("<a/>").is_err());
    }

    #[test]
    fn function_without_variables_has_no_settings() {
        assert_eq!(variables(&json!({})).expect("settings"), BTreeMap::new());
        let some = variables(&json!({"Environment": {"Variables": {"A": "b"}}})).expect("settings");
        assert_eq!(some, BTreeMap::from([("A".to_owned(), "b".to_owned())]));
    }
}

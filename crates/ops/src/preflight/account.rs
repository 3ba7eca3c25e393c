//! What an account offers: its quotas, roles, regions and names.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use serde::Deserialize;
use serde_json::{Value, json};

use super::plan::Plan;
use crate::signed_calls::{Service, SignedCalls};

/// A fact, or the reason why it is unknown.
pub type Fact<T> = Result<T, String>;

/// What is known of an account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: Fact<String>,
    /// Concurrent executions of Lambda.
    pub lambda: Fact<LambdaLimits>,
    /// The throttle of all APIs in API Gateway together.
    pub api_throttle: Fact<ApiThrottle>,
    /// Services in the region, by their short names.
    pub services: Fact<BTreeSet<String>>,
    /// Number of CloudFront distributions.
    pub distributions: Fact<u64>,
    /// Maximum number of distributions.
    pub max_distributions: Fact<u64>,
    /// Sending of mail.
    pub mail: Fact<Mail>,
    /// Whether service-linked roles exist, by name.
    pub roles: BTreeMap<&'static str, Fact<bool>>,
    /// The stack; `None` if there is none.
    pub stack: Fact<Option<Stack>>,
    /// Names of the plan's buckets and queues that exist.
    pub names: Fact<BTreeSet<String>>,
}

/// An existing stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stack {
    /// Its status.
    pub status: String,
    /// Values of its parameters.
    pub parameters: BTreeMap<String, String>,
}

/// Lambda's limits on concurrent executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LambdaLimits {
    /// Of the account in the region.
    #[serde(rename = "ConcurrentExecutions")]
    pub all: u64,
    /// Without those that functions have reserved.
    #[serde(rename = "UnreservedConcurrentExecutions")]
    pub unreserved: u64,
}

/// The account's sending of mail through SES.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mail {
    /// Whether it may send to any address.
    pub is_in_production: bool,
    /// Maximum number of mails in 24 hours.
    pub daily: u64,
}

/// The throttle of all APIs in API Gateway together.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiThrottle {
    /// Requests per second.
    #[serde(rename = "rateLimit")]
    pub rate: f64,
    /// Requests at once.
    #[serde(rename = "burstLimit")]
    pub burst: u64,
}

/// API Gateway: requests per second of all APIs together. Service Quotas shows 10,000 also where less applies, so it only
/// names the quota to raise.
pub const API_RATE: &str = "L-8A5B8E43";
/// CloudFront: distributions of an account.
pub const DISTRIBUTIONS: &str = "L-24B04930";
/// The role with which OpenSearch Service creates network interfaces in a VPC.
pub const OPENSEARCH_ROLE: &str = "AWSServiceRoleForAmazonOpenSearchService";
/// The role with which Neptune creates network interfaces and publishes metrics.
pub const NEPTUNE_ROLE: &str = "AWSServiceRoleForRDS";

/// Reads an account. A call that fails makes its fact unknown, not the others.
pub async fn read(config: &SdkConfig, calls: &SignedCalls, id: Fact<String>, plan: &Plan) -> Account {
    let mut roles = BTreeMap::new();
    for name in [OPENSEARCH_ROLE, NEPTUNE_ROLE] {
        roles.insert(name, fact(role_exists(calls, name).await));
    }
    Account {
        id,
        lambda: fact(lambda_limits(calls).await),
        api_throttle: fact(api_throttle(calls).await),
        services: fact(services(calls).await),
        distributions: fact(distributions(calls).await),
        max_distributions: fact(max_distributions(calls).await),
        mail: fact(mail(calls).await),
        roles,
        stack: fact(stack(calls, &plan.stack).await),
        names: fact(existing_names(config, plan).await),
    }
}

/// The ARN of the identity whose credentials sign the calls.
///
/// # Errors
/// If STS refuses to tell.
pub async fn caller_arn(calls: &SignedCalls) -> Result<String> {
    xml_text(&calls.query(Service::STS, "2011-06-15", "GetCallerIdentity", &[]).await?.ok()?, "Arn")
}

/// The id of the account.
pub async fn id(calls: &SignedCalls) -> Fact<String> {
    fact(
        async { xml_text(&calls.query(Service::STS, "2011-06-15", "GetCallerIdentity", &[]).await?.ok()?, "Account") }
            .await,
    )
}

fn fact<T>(result: Result<T>) -> Fact<T> {
    result.map_err(|error| format!("{error:#}"))
}

async fn lambda_limits(calls: &SignedCalls) -> Result<LambdaLimits> {
    let settings: Value =
        serde_json::from_str(&calls.get(Service::LAMBDA, "/2016-08-19/account-settings/").await?.ok()?)?;
    serde_json::from_value(settings["AccountLimit"].clone()).context("Lambda's answer has no limits")
}

async fn api_throttle(calls: &SignedCalls) -> Result<ApiThrottle> {
    parse_api_throttle(&calls.get(Service::API_GATEWAY, "/account").await?.ok()?)
}

fn parse_api_throttle(json: &str) -> Result<ApiThrottle> {
    let account: Value = serde_json::from_str(json)?;
    serde_json::from_value(account["throttleSettings"].clone()).context("API Gateway's answer has no throttle")
}

async fn max_distributions(calls: &SignedCalls) -> Result<u64> {
    let input = json!({"ServiceCode": "cloudfront", "QuotaCode": DISTRIBUTIONS});
    let answer = calls.json(Service::GLOBAL_QUOTAS, "ServiceQuotasV20190624.GetServiceQuota", &input).await?.ok()?;
    let answer: Value = serde_json::from_str(&answer)?;
    // A quota is a number of things, but written with a fraction.
    let value = answer["Quota"]["Value"].as_f64().context("Service Quotas' answer has no value")?;
    Ok(value.round().max(0.0) as u64)
}

/// The short names of services in the region, from the public parameters of Systems Manager.
async fn services(calls: &SignedCalls) -> Result<BTreeSet<String>> {
    let path = format!("/aws/service/global-infrastructure/regions/{}/services", calls.region());
    let (mut services, mut next) = (BTreeSet::new(), Value::Null);
    loop {
        let mut input = json!({"Path": path});
        if !next.is_null() {
            input["NextToken"] = next;
        }
        let page: Value =
            serde_json::from_str(&calls.json(Service::SSM, "AmazonSSM.GetParametersByPath", &input).await?.ok()?)?;
        let parameters = page["Parameters"].as_array().context("Systems Manager's answer has no parameters")?;
        services.extend(parameters.iter().filter_map(|one| Some(one["Value"].as_str()?.to_owned())));
        next = page["NextToken"].clone();
        if next.is_null() {
            break;
        }
    }
    if services.is_empty() {
        bail!("Systems Manager lists no services");
    }
    Ok(services)
}

async fn distributions(calls: &SignedCalls) -> Result<u64> {
    let answer = calls.get(Service::CLOUDFRONT, "/2020-05-31/distribution?MaxItems=1000").await?.ok()?;
    Ok(xml_text(&answer, "Quantity")?.parse()?)
}

async fn mail(calls: &SignedCalls) -> Result<Mail> {
    let answer: Value = serde_json::from_str(&calls.get(Service::SES, "/v2/email/account").await?.ok()?)?;
    Ok(Mail {
        is_in_production: answer["ProductionAccessEnabled"].as_bool().context("SES's answer has no access")?,
        daily: answer["SendQuota"]["Max24HourSend"].as_f64().unwrap_or_default().max(0.0) as u64,
    })
}

async fn role_exists(calls: &SignedCalls, name: &str) -> Result<bool> {
    let answer = calls.query(Service::IAM, "2010-05-08", "GetRole", &[("RoleName", name)]).await?;
    if answer.status == 404 && answer.body.contains("<Code>NoSuchEntity</Code>") {
        return Ok(false);
    }
    answer.ok().map(|_| true)
}

async fn stack(calls: &SignedCalls, name: &str) -> Result<Option<Stack>> {
    let input = [("StackName", name)];
    let answer = calls.query(Service::CLOUDFORMATION, "2010-05-15", "DescribeStacks", &input).await?;
    if answer.status == 400 && answer.body.contains("does not exist") {
        return Ok(None);
    }
    parse_stack(&answer.ok()?).map(Some)
}

fn parse_stack(xml: &str) -> Result<Stack> {
    let document = roxmltree::Document::parse(xml)?;
    let text = |node: roxmltree::Node<'_, '_>, name: &str| {
        let child = node.children().find(|child| child.tag_name().name() == name)?;
        Some(child.text().unwrap_or_default().to_owned())
    };
    let members = document.descendants().filter(|node| node.tag_name().name() == "member");
    let parameters =
        members.filter_map(|member| Some((text(member, "ParameterKey")?, text(member, "ParameterValue")?)));
    Ok(Stack { status: xml_text(xml, "StackStatus")?, parameters: parameters.collect() })
}

async fn existing_names(config: &SdkConfig, plan: &Plan) -> Result<BTreeSet<String>> {
    // The emulator has no host names for buckets.
    let path_style = config.endpoint_url().is_some();
    let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(path_style).build();
    let (s3, sqs) = (aws_sdk_s3::Client::from_conf(s3), aws_sdk_sqs::Client::new(config));
    let mut names = BTreeSet::new();
    for bucket in &plan.buckets {
        match s3.head_bucket().bucket(bucket).send().await.map_err(aws_sdk_s3::error::SdkError::into_service_error) {
            Ok(_) => {
                names.insert(bucket.clone());
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error).with_context(|| format!("the bucket {bucket}")),
        }
    }
    for queue in &plan.queues {
        match sqs
            .get_queue_url()
            .queue_name(queue)
            .send()
            .await
            .map_err(aws_sdk_sqs::error::SdkError::into_service_error)
        {
            Ok(_) => {
                names.insert(queue.clone());
            }
            Err(error) if error.is_queue_does_not_exist() => {}
            Err(error) => return Err(error).with_context(|| format!("the queue {queue}")),
        }
    }
    Ok(names)
}

/// The text of the first element `name`, in any namespace.
fn xml_text(xml: &str, name: &str) -> Result<String> {
    let document = roxmltree::Document::parse(xml)?;
    let node = document.descendants().find(|node| node.tag_name().name() == name);
    Ok(node.and_then(|node| node.text()).with_context(|| format!("the answer has no {name}"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttle_is_read_from_the_account_of_api_gateway() {
        let account = r#"{"apiKeyVersion": "4", "features": ["UsagePlans"], "throttleSettings": {"burstLimit": 1250, "rateLimit": 2500.0}}"#;
        assert_eq!(parse_api_throttle(account).expect("a throttle"), ApiThrottle { rate: 2_500.0, burst: 1_250 });
        assert!(parse_api_throttle(r#"{"apiKeyVersion": "4"}"#).is_err());
    }

    #[test]
    fn stack_is_read_from_its_description() {
        let xml = "<a xmlns=\"n\"><Stacks><member><StackStatus>CREATE_COMPLETE</StackStatus><Parameters><member>\
            <ParameterKey>Scale</ParameterKey><ParameterValue>small</ParameterValue></member><member>\
            <ParameterKey>CorsOrigins</ParameterKey><ParameterValue/></member></Parameters></member></Stacks></a>";
        let stack = parse_stack(xml).expect("a stack");
        assert_eq!(stack.status, "CREATE_COMPLETE");
        assert_eq!((stack.parameters["Scale"].as_str(), stack.parameters["CorsOrigins"].as_str()), ("small", ""));
        assert!(parse_stack("<a/>").is_err());
    }
}

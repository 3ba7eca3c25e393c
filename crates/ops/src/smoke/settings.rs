//! Settings that AWS applies and that templates or emulators do not show.

use anyhow::{Context, Result, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{findings::Finding, session::Session, signed_calls::Service};

/// Outputs with the names of functions that consume queues.
const CONSUMERS: [&str; 3] = ["PushFanoutName", "SearchIndexerName", "DeviceApiName"];

/// Checks the settings of functions, event sources and the event bus.
pub async fn check(session: &Session) -> Vec<Finding> {
    let mut findings = vec![Finding::of("recursion", allows_recursion(session).await)];
    for output in CONSUMERS.into_iter().filter(|output| session.has(output)) {
        findings.push(Finding::of("event source", reports_failures(session, output).await));
    }
    findings.push(Finding::of("event bus", deduplicates_per_group(session).await));
    findings.push(Finding::of("subscriptions", keep_undeliverable(session).await));
    findings
}

fn function(session: &Session, output: &str) -> Result<String> {
    Ok(utf8_percent_encode(session.output(output)?, NON_ALPHANUMERIC).to_string())
}

async fn lambda(session: &Session, path: &str) -> Result<Value> {
    Ok(serde_json::from_str(&session.calls.get(Service::LAMBDA, path).await?.ok()?)?)
}

/// push-fanout feeds itself with pages of an audience.
async fn allows_recursion(session: &Session) -> Result<String> {
    let path = format!("/2024-08-31/functions/{}/recursion-config", function(session, "PushFanoutName")?);
    let config = lambda(session, &path).await?;
    let mode = config["RecursiveLoop"].as_str().unwrap_or("unknown");
    ensure!(mode == "Allow", "push-fanout has RecursiveLoop {mode}: Lambda stops it after 16 pages");
    Ok("push-fanout may feed itself".to_owned())
}

/// The event source reports single messages, and Lambda can read the queue.
async fn reports_failures(session: &Session, output: &str) -> Result<String> {
    let path = format!("/2015-03-31/event-source-mappings/?FunctionName={}", function(session, output)?);
    let sources = lambda(session, &path).await?;
    let source = sources["EventSourceMappings"].get(0).context("the function has no event source")?;
    let text = |name: &str| source[name].as_str().unwrap_or_default().to_owned();
    let function = output.trim_end_matches("Name");
    ensure!(text("State") == "Enabled", "the event source of {function} is {}", text("State"));
    let reports = source["FunctionResponseTypes"].as_array().into_iter().flatten();
    ensure!(reports.into_iter().any(|kind| kind == "ReportBatchItemFailures"), "{function} loses failed messages");
    let result = text("LastProcessingResult");
    ensure!(!result.starts_with("PROBLEM"), "{function}: {result}");
    Ok(format!("{function} is enabled and reports single messages"))
}

/// Otherwise changes of different entities with equal ids would be lost.
async fn deduplicates_per_group(session: &Session) -> Result<String> {
    let topic = session.output("GraphChangesTopicArn")?;
    let attributes = session.sns.get_topic_attributes().topic_arn(topic).send().await?.attributes.unwrap_or_default();
    let attribute = |name: &str| attributes.get(name).map_or("", String::as_str);
    ensure!(attribute("FifoTopic") == "true", "the topic is not FIFO");
    let scope = attribute("FifoThroughputScope");
    ensure!(matches!(scope, "MessageGroup" | ""), "FifoThroughputScope is {scope}");
    Ok("the topic is FIFO, and groups are independent".to_owned())
}

/// Each subscription has a queue for messages that SNS cannot deliver.
async fn keep_undeliverable(session: &Session) -> Result<String> {
    let mut count = 0;
    for topic in ["GraphChangesTopicArn", "PictureEventsArn", "AudioEventsArn"] {
        let list = session.sns.list_subscriptions_by_topic().topic_arn(session.output(topic)?).send().await?;
        for subscription in list.subscriptions() {
            let arn = subscription.subscription_arn().unwrap_or_default();
            let attributes = session.sns.get_subscription_attributes().subscription_arn(arn).send().await?;
            let attributes = attributes.attributes.unwrap_or_default();
            let has_queue =
                attributes.get("RedrivePolicy").is_some_and(|policy| policy.contains("deadLetterTargetArn"));
            ensure!(has_queue, "{arn} has no dead-letter queue");
            count += 1;
        }
    }
    ensure!(count > 0, "the topics have no subscriptions");
    Ok(format!("{count} keep what cannot be delivered"))
}

//! Settings that AWS applies and that templates or emulators do not show.

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_sqs::types::QueueAttributeName;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{findings::Finding, session::Session, signed_calls::Service};

/// A queue with a function that consumes it.
struct Consumed {
    /// The output with the queue's URL.
    queue: &'static str,
    /// The function sends messages to it, too.
    feeds_itself: bool,
    /// Without an ffmpeg layer, the template switches its event source off.
    needs_ffmpeg: bool,
}

const CONSUMED: [Consumed; 12] = [
    queue("ThumbnailQueueUrl"),
    of_sound("AudioQueueUrl"),
    of_sound("SlowAudioQueueUrl"),
    queue("MetadataQueueUrl"),
    queue("PictureReportsQueueUrl"),
    of_sound("SoundReportsQueueUrl"),
    fed_by_its_function("PushQueueUrl"),
    fed_by_its_function("PushEventsQueueUrl"),
    fed_by_its_function("ErasureQueueUrl"),
    fed_by_its_function("ExportsQueueUrl"),
    queue("SearchQueueUrl"),
    fed_by_its_function("StoryFilesQueueUrl"),
];

const fn queue(queue: &'static str) -> Consumed {
    Consumed { queue, feeds_itself: false, needs_ffmpeg: false }
}

const fn of_sound(queue: &'static str) -> Consumed {
    Consumed { queue, feeds_itself: false, needs_ffmpeg: true }
}

const fn fed_by_its_function(queue: &'static str) -> Consumed {
    Consumed { queue, feeds_itself: true, needs_ffmpeg: false }
}

/// Checks the settings of functions, event sources and the event bus.
pub async fn check(session: &Session) -> Vec<Finding> {
    let mut findings = Vec::new();
    for consumed in CONSUMED.iter().filter(|consumed| session.has(consumed.queue)) {
        match event_source(session, consumed.queue).await {
            // Without push there is no device-api.
            Ok(None) if consumed.queue == "PushEventsQueueUrl" && !session.has("DeviceApiName") => {}
            Ok(None) => findings.push(Finding::of("event source", Err(anyhow!("{} has no consumer", consumed.queue)))),
            Ok(Some(source)) => {
                findings.push(Finding::of("event source", reports_failures(consumed, &source)));
                if consumed.feeds_itself {
                    findings.push(Finding::of("recursion", allows_recursion(session, &source).await));
                }
            }
            Err(error) => findings.push(Finding::of("event source", Err(error))),
        }
    }
    findings.push(Finding::of("event bus", deduplicates_per_group(session).await));
    findings.push(Finding::of("subscriptions", keep_undeliverable(session).await));
    findings
}

async fn lambda(session: &Session, path: &str) -> Result<Value> {
    Ok(serde_json::from_str(&session.calls.get(Service::LAMBDA, path).await?.ok()?)?)
}

/// The event source of the queue whose URL is in `output`.
async fn event_source(session: &Session, output: &str) -> Result<Option<Value>> {
    let url = session.output(output)?;
    let attributes = session.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
    let attributes = attributes.send().await?.attributes.unwrap_or_default();
    let arn = attributes.get(&QueueAttributeName::QueueArn).context("the queue has no ARN")?;
    let arn = utf8_percent_encode(arn, NON_ALPHANUMERIC);
    let sources = lambda(session, &format!("/2015-03-31/event-source-mappings/?EventSourceArn={arn}")).await?;
    Ok(sources["EventSourceMappings"].get(0).cloned())
}

fn text<'a>(source: &'a Value, name: &str) -> &'a str {
    source[name].as_str().unwrap_or_default()
}

/// The event source reports single messages, and Lambda can read the queue.
fn reports_failures(consumed: &Consumed, source: &Value) -> Result<String> {
    let queue = consumed.queue.trim_end_matches("Url");
    let state = text(source, "State");
    if consumed.needs_ffmpeg && state == "Disabled" {
        return Ok(format!("{queue} is switched off, as there is no ffmpeg layer"));
    }
    ensure!(state == "Enabled", "the event source of {queue} is {state}");
    let reports = source["FunctionResponseTypes"].as_array().into_iter().flatten();
    ensure!(reports.into_iter().any(|kind| kind == "ReportBatchItemFailures"), "{queue} loses failed messages");
    let result = text(source, "LastProcessingResult");
    ensure!(!result.starts_with("PROBLEM"), "{queue}: {result}");
    Ok(format!("{queue} is enabled and reports single messages"))
}

/// The function may feed itself.
async fn allows_recursion(session: &Session, source: &Value) -> Result<String> {
    // arn:aws:lambda:<region>:<account>:function:<name>, and for an alias :<alias>
    let function = text(source, "FunctionArn").split(':').nth(6).context("the event source has no function")?;
    let name = utf8_percent_encode(function, NON_ALPHANUMERIC);
    let config = lambda(session, &format!("/2024-08-31/functions/{name}/recursion-config")).await?;
    let mode = config["RecursiveLoop"].as_str().unwrap_or("unknown");
    ensure!(mode == "Allow", "{function} has RecursiveLoop {mode}: Lambda stops it after 16 turns");
    Ok(format!("{function} may feed itself"))
}

/// Otherwise changes of different entities with equal ids would be lost.
async fn deduplicates_per_group(session: &Session) -> Result<String> {
    let topic = session.output("GraphChangesTopicArn")?;
    let attributes = session.sns.get_topic_attributes().topic_arn(topic).send().await?.attributes.unwrap_or_default();
    let attribute = |name: &str| attributes.get(name).map_or("", String::as_str);
    ensure!(attribute("FifoTopic") == "true", "the topic is not FIFO");
    let scope = attribute("FifoThroughputScope");
    // The emulator does not know it.
    ensure!(scope == "MessageGroup" || session.is_emulated() && scope.is_empty(), "FifoThroughputScope is {scope}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_source_of_the_template_is_checked() {
        let template = include_str!("../../../../template.yaml");
        let mut sources: Vec<_> = template
            .lines()
            .filter_map(|line| line.trim().strip_prefix("EventSourceArn: !GetAtt ")?.strip_suffix(".Arn"))
            .collect();
        let mut checked: Vec<_> = CONSUMED.iter().map(|consumed| consumed.queue.trim_end_matches("Url")).collect();
        sources.sort_unstable();
        checked.sort_unstable();
        assert_eq!(sources, checked);
        let feeding = template.lines().filter(|line| line.trim() == "RecursiveLoop: Allow").count();
        assert_eq!(CONSUMED.iter().filter(|consumed| consumed.feeds_itself).count(), feeding);
    }
}

//! Redrives dead letters one by one. SQS's `StartMessageMoveTask` is not used: it does not send to topics, it would send
//! messages that the bus cannot accept, and it would redrive messages that fail again meanwhile without end.

use std::fmt;

use anyhow::{Context, Result};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Attribute};
use jiff::Timestamp;
use serde::Serialize;

use super::{DeadLetterQueue, RedriveOptions, Source, description::is_change, in_flight::Queue, peek::sent_at};
use crate::Session;

/// Attributes that describe the failure. A redriven message does not have them.
const FAILURE_ATTRIBUTES: [&str; 2] = ["failure", "message_id"];

/// The result of a redrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RedriveReport {
    /// Whether messages were sent. `false`: they were only counted.
    pub applied: bool,
    /// The number of messages sent back, or the approximate number that would be.
    pub messages: usize,
    /// The number of messages that arrived during the redrive and stay.
    #[serde(rename = "cameMeanwhile")]
    pub arrived_meanwhile: usize,
    /// The number of messages that the source cannot accept and that stay.
    #[serde(rename = "unfit")]
    pub too_large: usize,
}

/// Sends dead letters back to their source, or counts them.
///
/// # Errors
/// If a message cannot be sent. This message and those behind it stay in the queue.
pub async fn redrive(session: &Session, options: &RedriveOptions) -> Result<RedriveReport> {
    let dead_letters = options.queue.dead_letter_queue(session)?;
    let queue = Queue { sqs: &session.sqs, url: dead_letters.url };
    let mut report = RedriveReport { applied: options.apply, messages: 0, arrived_meanwhile: 0, too_large: 0 };
    if !options.apply {
        report.messages = queue.count().await?.0.min(options.limit);
        return Ok(report);
    }
    let start = Timestamp::now();
    let mut kept = Vec::new();
    let outcome = send_all(session, dead_letters, options.limit, start, &mut report, &mut kept).await;
    queue.release(&kept).await?;
    outcome.map(|()| report)
}

async fn send_all(
    session: &Session,
    dead_letters: DeadLetterQueue<'_>,
    limit: usize,
    start: Timestamp,
    report: &mut RedriveReport,
    kept: &mut Vec<Message>,
) -> Result<()> {
    let queue = Queue { sqs: &session.sqs, url: dead_letters.url };
    while report.messages < limit {
        let batch = queue.receive(limit - report.messages).await?;
        if batch.is_empty() {
            break;
        }
        let mut batch = batch.into_iter();
        while let Some(message) = batch.next() {
            match decide(&message, dead_letters.source, start) {
                Decision::KeepArrivedMeanwhile => {
                    report.arrived_meanwhile += 1;
                    kept.push(message);
                }
                Decision::KeepTooLarge => {
                    report.too_large += 1;
                    kept.push(message);
                }
                Decision::Send => {
                    if let Err(error) = send_and_delete(session, dead_letters, &message).await {
                        kept.push(message);
                        kept.extend(batch);
                        return Err(error.context(format!("stopped after {} messages", report.messages)));
                    }
                    report.messages += 1;
                }
            }
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Send,
    KeepArrivedMeanwhile,
    KeepTooLarge,
}

fn decide(message: &Message, source: Source<'_>, start: Timestamp) -> Decision {
    let body = message.body().unwrap_or_default();
    if sent_at(message).is_some_and(|sent| sent > start) {
        // A redriven message can fail again at once. Redriving it again might never end.
        Decision::KeepArrivedMeanwhile
    } else if matches!(source, Source::Topic(_)) && !is_change(body) {
        // The dead letter of a change that is too large is a stub without the change.
        Decision::KeepTooLarge
    } else {
        Decision::Send
    }
}

/// Sends a message, then deletes the dead letter. A failure in between leaves a duplicate and loses nothing.
async fn send_and_delete(session: &Session, dead_letters: DeadLetterQueue<'_>, message: &Message) -> Result<()> {
    let attribute = |name| message.attributes().and_then(|attributes| attributes.get(&name)).cloned();
    let body = message.body().unwrap_or_default();
    let group = attribute(Attribute::MessageGroupId);
    // FIFO queues and topics drop a second send of the same dead letter.
    let id = format!("redriven/{}", message.message_id().context("the message has no id")?);
    match dead_letters.source {
        Source::Queue(url) => {
            let mut request = session.sqs.send_message().queue_url(url).message_body(body);
            for (name, value) in message.message_attributes().into_iter().flatten() {
                if !FAILURE_ATTRIBUTES.contains(&name.as_str()) {
                    request = request.message_attributes(name, value.clone());
                }
            }
            let deduplication = group.is_some().then_some(id);
            request.set_message_group_id(group).set_message_deduplication_id(deduplication).send().await?;
        }
        Source::Topic(arn) => {
            let request = session.sns.publish().topic_arn(arn).message(body).set_message_group_id(group);
            request.message_deduplication_id(id).send().await?;
        }
    }
    let handle = message.receipt_handle().unwrap_or_default();
    session.sqs.delete_message().queue_url(dead_letters.url).receipt_handle(handle).send().await?;
    Ok(())
}

impl fmt::Display for RedriveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.applied {
            return write!(f, "About {} messages would be redriven. To redrive them: --apply", self.messages);
        }
        write!(f, "Redrove {} messages.", self.messages)?;
        if self.too_large > 0 {
            write!(f, " {} are too large for the event bus and stay.", self.too_large)?;
        }
        if self.arrived_meanwhile > 0 {
            write!(f, " {} arrived during the redrive and stay.", self.arrived_meanwhile)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_that_failed_again_or_is_no_change_stays() {
        let message = |sent: i64, body: &str| {
            let sent = (sent * 1_000).to_string();
            Message::builder().body(body).attributes(Attribute::SentTimestamp, sent).build()
        };
        let start = Timestamp::constant(10, 0);
        let (queue, topic) = (Source::Queue("url"), Source::Topic("arn"));
        assert_eq!(decide(&message(9, "x"), queue, start), Decision::Send, "a queue accepts any body");
        assert_eq!(decide(&message(11, "x"), queue, start), Decision::KeepArrivedMeanwhile);
        let stub = r#"{"id":"main/7/1","type":"app.iyagi.graph.vertex.added","bytes":300000}"#;
        assert_eq!(decide(&message(9, stub), topic, start), Decision::KeepTooLarge);
    }
}

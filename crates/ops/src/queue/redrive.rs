//! Sends dead letters back to their source. SQS's own task (`StartMessageMoveTask`) cannot send to topics, would also send
//! unreadable messages, and would repeatedly send messages that fail again meanwhile.

use std::fmt;

use anyhow::{Context, Result};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Attribute};
use jiff::Timestamp;
use serde::Serialize;

use super::{DeadLetterQueue, RedriveArguments, Source, in_flight::Queue, kind::is_change, sent_at::sent_at};
use crate::Session;

/// Attributes of the failure. The sent message does not have them.
const FAILURE_ATTRIBUTES: [&str; 2] = ["failure", "message_id"];

/// The result of `redrive`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RedriveReport {
    /// Whether messages were sent, or only counted.
    pub applied: bool,
    /// Number of sent messages; without `applied`, the approximate number of messages to send.
    pub messages: usize,
    /// Messages that failed after the start of the command and stay.
    pub failed_meanwhile: usize,
    /// Stubs of changes that are too large for a message. They stay.
    pub too_large: usize,
}

/// Sends dead letters back to their source, or counts them.
///
/// # Errors
/// If a message cannot be sent. This message and the following stay.
pub async fn redrive(session: &Session, arguments: &RedriveArguments) -> Result<RedriveReport> {
    let dead_letters = arguments.queue.dead_letters(session)?;
    let queue = Queue { sqs: &session.sqs, url: dead_letters.url };
    let mut report = RedriveReport { applied: arguments.apply, messages: 0, failed_meanwhile: 0, too_large: 0 };
    if !arguments.apply {
        report.messages = queue.count().await?.0.min(arguments.limit);
        return Ok(report);
    }
    let start = Timestamp::now();
    let mut kept = Vec::new();
    let sent = send_all(session, dead_letters, arguments.limit, start, &mut report, &mut kept).await;
    queue.make_visible(&kept).await?;
    sent.map(|()| report)
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
                Decision::FailedMeanwhile => {
                    report.failed_meanwhile += 1;
                    kept.push(message);
                }
                Decision::MessageTooLarge => {
                    report.too_large += 1;
                    kept.push(message);
                }
                Decision::Send => {
                    if let Err(error) = send_and_delete(session, dead_letters, &message).await {
                        kept.push(message);
                        kept.extend(batch);
                        return Err(error.context(format!("sent only {} messages", report.messages)));
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
    FailedMeanwhile,
    MessageTooLarge,
}

fn decide(message: &Message, source: Source<'_>, start: Timestamp) -> Decision {
    let body = message.body().unwrap_or_default();
    if sent_at(message).is_some_and(|sent| sent > start) {
        // The message has failed again. Sending it again might never end.
        Decision::FailedMeanwhile
    } else if matches!(source, Source::Topic(_)) && !is_change(body) {
        // The dead letter of a change that is too large for a message is only a stub.
        Decision::MessageTooLarge
    } else {
        Decision::Send
    }
}

/// Sends a message and then deletes the dead letter. An interruption causes a duplicate, not a loss.
async fn send_and_delete(session: &Session, dead_letters: DeadLetterQueue<'_>, message: &Message) -> Result<()> {
    let attribute = |name| message.attributes().and_then(|attributes| attributes.get(&name)).cloned();
    let body = message.body().unwrap_or_default();
    let group = attribute(Attribute::MessageGroupId);
    // The same id for every attempt, so that the target can drop duplicates.
    let id = format!("redriven/{}", message.message_id().context("the message has no id")?);
    match dead_letters.source {
        Source::Queue(url) => {
            let mut request = session.sqs.send_message().queue_url(url).message_body(body);
            for (name, value) in message.message_attributes().into_iter().flatten() {
                if !FAILURE_ATTRIBUTES.contains(&name.as_str()) {
                    request = request.message_attributes(name, value.clone());
                }
            }
            let deduplication_id = group.is_some().then_some(id);
            request.set_message_group_id(group).set_message_deduplication_id(deduplication_id).send().await?;
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
            return write!(f, "Would send about {} messages. Add --apply to do it.", self.messages);
        }
        write!(f, "Sent {} messages.", self.messages)?;
        if self.too_large > 0 {
            write!(f, " {} are too large and stay.", self.too_large)?;
        }
        if self.failed_meanwhile > 0 {
            write!(f, " {} failed meanwhile and stay.", self.failed_meanwhile)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_fail_again_and_stubs_stay() {
        let message = |sent: i64, body: &str| {
            let sent = (sent * 1_000).to_string();
            Message::builder().body(body).attributes(Attribute::SentTimestamp, sent).build()
        };
        let start = Timestamp::constant(10, 0);
        let (queue, topic) = (Source::Queue("url"), Source::Topic("arn"));
        assert_eq!(decide(&message(9, "x"), queue, start), Decision::Send, "queues accept any message");
        assert_eq!(decide(&message(11, "x"), queue, start), Decision::FailedMeanwhile);
        let stub = r#"{"id":"main/7/1","type":"app.iyagi.graph.vertex.added","bytes":300000}"#;
        assert_eq!(decide(&message(9, stub), topic, start), Decision::MessageTooLarge);
    }
}

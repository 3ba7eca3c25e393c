//! Sending back, message by message and not by SQS's own task (`StartMessageMoveTask`): that knows no topics,
//! would send what is unreadable to who cannot read it, and takes back at once what fails again meanwhile.

use std::fmt;

use anyhow::{Context, Result};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Attribute};
use jiff::Timestamp;
use serde::Serialize;

use super::{Home, Place, Redrive, held::Queue, kind::is_change, look::sent_at};
use crate::Session;

/// What the dead letter says of its failure, which is over.
const OF_THE_FAILURE: [&str; 2] = ["failure", "message_id"];

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Redriven {
    /// Whether they were sent; else they were only counted.
    pub applied: bool,
    /// Messages that were sent back, or about how many would be.
    pub messages: usize,
    /// Messages that came while others were sent back, and stay.
    pub came_meanwhile: usize,
    /// Messages that are none for where they would go, and stay.
    pub unfit: usize,
}

/// Sends back what lies in a queue, or counts it.
///
/// # Errors
/// If a message cannot be sent: it stays, and so does the rest.
pub async fn redrive(session: &Session, order: &Redrive) -> Result<Redriven> {
    let place = order.queue.place(session)?;
    let queue = Queue { sqs: &session.sqs, url: place.dead_letters };
    let mut redriven = Redriven { applied: order.apply, messages: 0, came_meanwhile: 0, unfit: 0 };
    if !order.apply {
        redriven.messages = queue.count().await?.0.min(order.limit);
        return Ok(redriven);
    }
    let start = Timestamp::now();
    let mut kept = Vec::new();
    let moved = send_all(session, place, order.limit, start, &mut redriven, &mut kept).await;
    queue.release(&kept).await?;
    moved.map(|()| redriven)
}

async fn send_all(
    session: &Session,
    place: Place<'_>,
    limit: usize,
    start: Timestamp,
    redriven: &mut Redriven,
    kept: &mut Vec<Message>,
) -> Result<()> {
    let queue = Queue { sqs: &session.sqs, url: place.dead_letters };
    while redriven.messages < limit {
        let batch = queue.hold(limit - redriven.messages).await?;
        if batch.is_empty() {
            break;
        }
        let mut batch = batch.into_iter();
        while let Some(message) = batch.next() {
            match verdict(&message, place.home, start) {
                Verdict::CameMeanwhile => {
                    redriven.came_meanwhile += 1;
                    kept.push(message);
                }
                Verdict::MessageTooLarge => {
                    redriven.unfit += 1;
                    kept.push(message);
                }
                Verdict::Send => {
                    if let Err(error) = send_and_delete(session, place, &message).await {
                        kept.push(message);
                        kept.extend(batch);
                        return Err(error.context(format!("after {} messages", redriven.messages)));
                    }
                    redriven.messages += 1;
                }
            }
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Send,
    CameMeanwhile,
    MessageTooLarge,
}

fn verdict(message: &Message, home: Home<'_>, start: Timestamp) -> Verdict {
    let body = message.body().unwrap_or_default();
    if sent_at(message).is_some_and(|sent| sent > start) {
        // What was sent back has failed again. Without this, there might be no end to it.
        Verdict::CameMeanwhile
    } else if matches!(home, Home::Topic(_)) && !is_change(body) {
        // What fits no message is represented by a few words for people.
        Verdict::MessageTooLarge
    } else {
        Verdict::Send
    }
}

/// Sends it, and then deletes it: where that breaks off, it is there twice and not lost.
async fn send_and_delete(session: &Session, place: Place<'_>, message: &Message) -> Result<()> {
    let attribute = |name| message.attributes().and_then(|attributes| attributes.get(&name)).cloned();
    let body = message.body().unwrap_or_default();
    let group = attribute(Attribute::MessageGroupId);
    // Each dead letter is one message to who gets it, also if it is sent twice.
    let id = format!("redriven/{}", message.message_id().context("a message without an id")?);
    match place.home {
        Home::Queue(url) => {
            let mut request = session.sqs.send_message().queue_url(url).message_body(body);
            for (name, value) in message.message_attributes().into_iter().flatten() {
                if !OF_THE_FAILURE.contains(&name.as_str()) {
                    request = request.message_attributes(name, value.clone());
                }
            }
            let deduplication = group.is_some().then_some(id);
            request.set_message_group_id(group).set_message_deduplication_id(deduplication).send().await?;
        }
        Home::Topic(arn) => {
            let request = session.sns.publish().topic_arn(arn).message(body).set_message_group_id(group);
            request.message_deduplication_id(id).send().await?;
        }
    }
    let handle = message.receipt_handle().unwrap_or_default();
    session.sqs.delete_message().queue_url(place.dead_letters).receipt_handle(handle).send().await?;
    Ok(())
}

impl fmt::Display for Redriven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.applied {
            return write!(f, "About {} messages would be sent back. To do it: --apply", self.messages);
        }
        write!(f, "Sent {} messages back.", self.messages)?;
        if self.unfit > 0 {
            write!(f, " {} are none that could be sent, and stay.", self.unfit)?;
        }
        if self.came_meanwhile > 0 {
            write!(f, " {} came meanwhile, and stay.", self.came_meanwhile)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_again_and_what_is_no_change_stays() {
        let message = |sent: i64, body: &str| {
            let sent = (sent * 1_000).to_string();
            Message::builder().body(body).attributes(Attribute::SentTimestamp, sent).build()
        };
        let start = Timestamp::constant(10, 0);
        let (queue, topic) = (Home::Queue("url"), Home::Topic("arn"));
        assert_eq!(verdict(&message(9, "x"), queue, start), Verdict::Send, "a queue may have anything");
        assert_eq!(verdict(&message(11, "x"), queue, start), Verdict::CameMeanwhile);
        let stub = r#"{"id":"main/7/1","type":"app.iyagi.graph.vertex.added","bytes":300000}"#;
        assert_eq!(verdict(&message(9, stub), topic, start), Verdict::MessageTooLarge);
    }
}

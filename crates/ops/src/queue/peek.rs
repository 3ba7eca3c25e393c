use std::{fmt, time::Duration};

use anyhow::Result;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Attribute};
use jiff::Timestamp;
use serde::Serialize;

use super::{PeekOptions, description::kind, in_flight::Queue, reason::without_quotes};
use crate::{
    Session,
    table::{between, duration},
};

/// The contents of a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeekReport {
    /// The approximate number of visible messages.
    pub messages: usize,
    /// The approximate number of messages that other consumers have received.
    #[serde(rename = "inHands")]
    pub in_flight: usize,
    /// Some of the messages. SQS returns at most ten messages of a FIFO group.
    #[serde(rename = "letters")]
    pub dead_letters: Vec<DeadLetter>,
}

/// A message in a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The message id.
    pub id: String,
    /// A description of the message without text of users.
    pub kind: String,
    /// The failure. `None` if SQS moved the message after the maximum number of receives.
    pub failure: Option<String>,
    /// The time since the message was sent, in seconds.
    pub age: u64,
    /// The approximate number of receives.
    pub received: u32,
}

/// Shows messages of a dead-letter queue without consuming them.
///
/// # Errors
/// If the queue cannot be read. Received messages become visible again within a minute.
pub async fn peek(session: &Session, options: &PeekOptions) -> Result<PeekReport> {
    let queue = Queue { sqs: &session.sqs, url: options.queue.dead_letter_queue(session)?.url };
    let (messages, in_flight) = queue.count().await?;
    let mut received = Vec::new();
    let outcome = loop {
        if received.len() >= options.limit {
            break Ok(());
        }
        match queue.receive(options.limit - received.len()).await {
            Ok(batch) if batch.is_empty() => break Ok(()),
            Ok(batch) => received.extend(batch),
            Err(error) => break Err(error),
        }
    };
    queue.release(&received).await?;
    outcome?;
    let now = Timestamp::now();
    let dead_letters = received.iter().map(|message| dead_letter(message, now)).collect();
    Ok(PeekReport { messages, in_flight, dead_letters })
}

fn dead_letter(message: &Message, now: Timestamp) -> DeadLetter {
    let failure = message.message_attributes().and_then(|attributes| attributes.get("failure"));
    DeadLetter {
        id: message.message_id().unwrap_or_default().to_owned(),
        kind: kind(message.body().unwrap_or_default()),
        failure: failure.and_then(|failure| failure.string_value()).map(without_quotes),
        age: sent_at(message).map_or(0, |sent| between(sent, now).as_secs()),
        received: number(message, &Attribute::ApproximateReceiveCount).unwrap_or(0),
    }
}

/// The time at which the message was sent to the dead-letter queue. If SQS moved it there from a standard queue, the
/// time at which it was sent to that queue.
pub(super) fn sent_at(message: &Message) -> Option<Timestamp> {
    Timestamp::from_millisecond(number(message, &Attribute::SentTimestamp)?).ok()
}

fn number<T: std::str::FromStr>(message: &Message, name: &Attribute) -> Option<T> {
    message.attributes()?.get(name)?.parse().ok()
}

impl fmt::Display for PeekReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages, {} more in flight", self.messages, self.in_flight)?;
        for DeadLetter { id, kind, failure, age, received } in &self.dead_letters {
            let age = duration(Duration::from_secs(*age));
            write!(f, "\n\n{id}\n    {kind}\n    sent {age} ago, received {received} times")?;
            let failure =
                failure.as_deref().unwrap_or("maximum number of receives reached: see the log of the function");
            write!(f, "\n    {failure}")?;
        }
        if self.dead_letters.len() < self.messages {
            write!(f, "\n\n{} of {} messages are shown", self.dead_letters.len(), self.messages)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::MessageAttributeValue;

    use super::*;

    #[test]
    fn dead_letter_shows_failure_and_age_without_text_of_users() {
        let failure = MessageAttributeValue::builder()
            .data_type("String")
            .string_value("could not read the message: invalid type: string \"미나\"");
        let message = Message::builder()
            .message_id("m1")
            .body("미나의 이야기")
            .attributes(Attribute::SentTimestamp, "1000")
            .attributes(Attribute::ApproximateReceiveCount, "3")
            .message_attributes("failure", failure.build().expect("an attribute"))
            .build();
        let dead_letter = dead_letter(&message, Timestamp::constant(63, 0));
        let expected = DeadLetter {
            id: "m1".into(),
            kind: "unreadable, 19 bytes".into(),
            failure: Some("could not read the message: invalid type: string …".into()),
            age: 62,
            received: 3,
        };
        assert_eq!(dead_letter, expected);
        let shown = PeekReport { messages: 2, in_flight: 0, dead_letters: vec![dead_letter] }.to_string();
        assert!(shown.contains("1 min 2 s") && shown.ends_with("1 of 2 messages are shown"), "{shown}");
    }
}

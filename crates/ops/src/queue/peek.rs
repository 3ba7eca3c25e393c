use std::{fmt, time::Duration};

use anyhow::Result;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Attribute};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    PeekArguments,
    in_flight::Queue,
    kind::kind,
    redaction::without_quotes,
    sent_at::{number, sent_at},
};
use crate::{
    Session,
    durations::{between, duration},
};

/// Messages of a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeekReport {
    /// Approximate number of visible messages.
    pub messages: usize,
    /// Approximate number of messages in flight.
    pub in_flight: usize,
    /// Some of the messages. SQS returns at most ten of a FIFO group.
    pub dead_letters: Vec<DeadLetter>,
}

/// A message in a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Message id.
    pub id: String,
    /// Description of the content.
    pub kind: String,
    /// The reason of the failure. `None` if SQS moved the message after the maximum number of receives.
    pub failure: Option<String>,
    /// Seconds since the message was sent.
    pub age: u64,
    /// Receive count.
    pub received: u32,
}

/// Reads messages of a dead-letter queue without consuming them.
///
/// # Errors
/// If a call of SQS fails. Messages in flight become visible after a minute at the latest.
pub async fn peek(session: &Session, arguments: &PeekArguments) -> Result<PeekReport> {
    let queue = Queue { sqs: &session.sqs, url: arguments.queue.dead_letters(session)?.url };
    let (messages, in_flight) = queue.count().await?;
    let mut received = Vec::new();
    let result = loop {
        if received.len() >= arguments.limit {
            break Ok(());
        }
        match queue.receive(arguments.limit - received.len()).await {
            Ok(batch) if batch.is_empty() => break Ok(()),
            Ok(batch) => received.extend(batch),
            Err(error) => break Err(error),
        }
    };
    queue.make_visible(&received).await?;
    result?;
    let now = Timestamp::now();
    Ok(PeekReport {
        messages,
        in_flight,
        dead_letters: received.iter().map(|message| dead_letter(message, now)).collect(),
    })
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

impl fmt::Display for PeekReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages, {} in flight", self.messages, self.in_flight)?;
        for letter in &self.dead_letters {
            let age = duration(Duration::from_secs(letter.age));
            write!(
                f,
                "\n\n{}\n    {}\n    sent {age} ago, received {} times",
                letter.id, letter.kind, letter.received
            )?;
            let failure = letter.failure.as_deref().unwrap_or("failed at every receive; see the log of the function");
            write!(f, "\n    {failure}")?;
        }
        if self.dead_letters.len() < self.messages {
            write!(f, "\n\nShown: {}", self.dead_letters.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::MessageAttributeValue;

    use super::*;

    #[test]
    fn dead_letter_has_its_reason_and_age_but_no_text_of_users() {
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
        let letter = dead_letter(&message, Timestamp::constant(63, 0));
        let expected = DeadLetter {
            id: "m1".into(),
            kind: "unreadable, 19 bytes".into(),
            failure: Some("could not read the message: invalid type: string …".into()),
            age: 62,
            received: 3,
        };
        assert_eq!(letter, expected);
        let shown = PeekReport { messages: 2, in_flight: 0, dead_letters: vec![letter] }.to_string();
        assert!(shown.contains("1 min 2 s") && shown.ends_with("Shown: 1"), "{shown}");
    }
}

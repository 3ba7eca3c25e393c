use std::{fmt, time::Duration};

use anyhow::Result;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Attribute};
use jiff::Timestamp;
use serde::Serialize;

use super::{Look, held::Queue, kind::kind, reason::without_quotes};
use crate::{
    Session,
    table::{between, duration},
};

/// What lies in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Looked {
    /// About how many messages there are.
    pub messages: usize,
    /// About how many more messages are in flight.
    pub in_hands: usize,
    /// Some of them. Of a group in a FIFO queue, ten can be seen at a time.
    pub letters: Vec<Letter>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Letter {
    /// Of the queue.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// Why it is here; `None` where its queue gave up on it after its tries.
    pub failure: Option<String>,
    /// Seconds since it was sent.
    pub age: u64,
    /// How often anybody received it since.
    pub received: u32,
}

/// Looks into a queue.
///
/// # Errors
/// If it cannot be read. What was held becomes visible again, at the latest after a minute.
pub async fn look(session: &Session, order: &Look) -> Result<Looked> {
    let place = order.queue.place(session)?;
    let queue = Queue { sqs: &session.sqs, url: place.dead_letters };
    let (messages, in_hands) = queue.count().await?;
    let mut held = Vec::new();
    let seen = loop {
        if held.len() >= order.limit {
            break Ok(());
        }
        match queue.hold(order.limit - held.len()).await {
            Ok(batch) if batch.is_empty() => break Ok(()),
            Ok(batch) => held.extend(batch),
            Err(error) => break Err(error),
        }
    };
    queue.release(&held).await?;
    seen?;
    let now = Timestamp::now();
    Ok(Looked { messages, in_hands, letters: held.iter().map(|message| letter(message, now)).collect() })
}

fn letter(message: &Message, now: Timestamp) -> Letter {
    let failure = message.message_attributes().and_then(|attributes| attributes.get("failure"));
    Letter {
        id: message.message_id().unwrap_or_default().to_owned(),
        kind: kind(message.body().unwrap_or_default()),
        failure: failure.and_then(|failure| failure.string_value()).map(without_quotes),
        age: sent_at(message).map_or(0, |sent| between(sent, now).as_secs()),
        received: number(message, &Attribute::ApproximateReceiveCount).unwrap_or(0),
    }
}

/// When it was sent to where it lies; by a standard queue that gave up on it, when it was sent to that.
pub(super) fn sent_at(message: &Message) -> Option<Timestamp> {
    Timestamp::from_millisecond(number(message, &Attribute::SentTimestamp)?).ok()
}

fn number<T: std::str::FromStr>(message: &Message, name: &Attribute) -> Option<T> {
    message.attributes()?.get(name)?.parse().ok()
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages, {} in flight", self.messages, self.in_hands)?;
        for letter in &self.letters {
            let age = duration(Duration::from_secs(letter.age));
            write!(
                f,
                "\n\n{}\n    {}\n    sent {age} ago, received {} times",
                letter.id, letter.kind, letter.received
            )?;
            let failure =
                letter.failure.as_deref().unwrap_or("given up on after its tries: the function's log says why");
            write!(f, "\n    {failure}")?;
        }
        if self.letters.len() < self.messages {
            write!(f, "\n\n{} of them are shown", self.letters.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::MessageAttributeValue;

    use super::*;

    #[test]
    fn a_letter_tells_why_and_for_how_long_and_nothing_that_was_written() {
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
        let letter = letter(&message, Timestamp::constant(63, 0));
        let expected = Letter {
            id: "m1".into(),
            kind: "unreadable, 19 bytes".into(),
            failure: Some("could not read the message: invalid type: string …".into()),
            age: 62,
            received: 3,
        };
        assert_eq!(letter, expected);
        let shown = Looked { messages: 2, in_hands: 0, letters: vec![letter] }.to_string();
        assert!(shown.contains("1 min 2 s") && shown.ends_with("1 of them are shown"), "{shown}");
    }
}

use std::str::FromStr;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Attribute};
use jiff::Timestamp;

/// When a message was sent to its queue. SQS keeps this time when it moves a message from a standard queue to the
/// dead-letter queue.
pub fn sent_at(message: &Message) -> Option<Timestamp> {
    Timestamp::from_millisecond(number(message, &Attribute::SentTimestamp)?).ok()
}

/// A numeric system attribute.
pub fn number<T: FromStr>(message: &Message, name: &Attribute) -> Option<T> {
    message.attributes()?.get(name)?.parse().ok()
}

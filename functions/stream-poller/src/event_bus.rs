//! The event bus and its dead-letter queue.

use function_kit::failure::Failure;

use crate::outbox::Entry;

/// The result of publishing one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishOutcome {
    /// The message is on the bus.
    Accepted,
    /// The message is not on the bus. A retry may succeed. With the bus's error code.
    Retry(String),
    /// The bus will never accept the message. With the bus's error code.
    Rejected(String),
}

/// The event bus with its dead-letter queue. [`SnsBus`](crate::sns::SnsBus) implements it.
pub trait Bus {
    /// Publishes the entries of one call. Returns the outcome of each, in order.
    fn publish(&self, entries: &[Entry]) -> impl Future<Output = Vec<PublishOutcome>>;

    /// Sends a rejected message to the dead-letter queue.
    ///
    /// # Errors
    /// If the message is not in the queue.
    fn send_to_dlq(&self, entry: &Entry, reason: &str) -> impl Future<Output = Result<(), Failure>>;
}

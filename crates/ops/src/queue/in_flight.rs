//! Receives messages of a queue without consuming them.

use anyhow::{Context, Result};
use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName as Attribute, QueueAttributeName,
    },
};

/// The visibility timeout of received messages. They become visible after it if the tool ends before the release.
const VISIBILITY_TIMEOUT_SECONDS: i32 = 60;
/// The maximum number of messages in one call of SQS.
const BATCH: usize = 10;

/// A queue whose messages are received without being consumed.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    /// The client of SQS.
    pub sqs: &'a Client,
    /// The URL of the queue.
    pub url: &'a str,
}

impl Queue<'_> {
    /// The approximate numbers of visible messages and of messages in flight.
    pub async fn count(&self) -> Result<(usize, usize)> {
        let (visible, in_flight) = (
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        );
        let request = self.sqs.get_queue_attributes().queue_url(self.url);
        let response = request.attribute_names(visible.clone()).attribute_names(in_flight.clone()).send().await?;
        let number = |name| response.attributes()?.get(&name)?.parse().ok();
        Ok((number(visible).context("SQS returns no message count")?, number(in_flight).unwrap_or_default()))
    }

    /// Receives up to ten messages, which are then in flight. An empty result means that no message is visible. In a
    /// FIFO queue, a group with messages in flight has no visible messages.
    pub async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        let limit = i32::try_from(limit.clamp(1, BATCH))?;
        let request = self.sqs.receive_message().queue_url(self.url).visibility_timeout(VISIBILITY_TIMEOUT_SECONDS);
        let response = request
            .max_number_of_messages(limit)
            // A short poll reads only some of the servers of a queue, and can miss messages.
            .wait_time_seconds(1)
            .message_system_attribute_names(Attribute::All)
            .message_attribute_names("All")
            .send()
            .await?;
        Ok(response.messages.unwrap_or_default())
    }

    /// Makes messages visible again.
    pub async fn release(&self, messages: &[Message]) -> Result<()> {
        for batch in messages.chunks(BATCH) {
            let mut request = self.sqs.change_message_visibility_batch().queue_url(self.url);
            for (at, message) in batch.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(at.to_string())
                    .receipt_handle(message.receipt_handle().unwrap_or_default())
                    .visibility_timeout(0);
                request = request.entries(entry.build()?);
            }
            // Entries that fail become visible after the visibility timeout.
            request.send().await.context("cannot release the messages; they become visible within a minute")?;
        }
        Ok(())
    }
}

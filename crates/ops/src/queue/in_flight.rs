//! Receives messages, which are then in flight: invisible to other receivers until the visibility timeout.

use anyhow::{Context, Result};
use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName as Attribute, QueueAttributeName,
    },
};

/// Visibility timeout in seconds, in case this program exits before it makes messages visible again.
const VISIBILITY_TIMEOUT: i32 = 60;
/// Maximum number of messages of a call.
const MAX_BATCH: usize = 10;

/// A queue to receive from.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    /// Client of SQS.
    pub sqs: &'a Client,
    /// URL of the queue.
    pub url: &'a str,
}

impl Queue<'_> {
    /// Approximate numbers of visible messages and of messages in flight.
    pub async fn count(&self) -> Result<(usize, usize)> {
        let (visible, in_flight) = (
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        );
        let request = self.sqs.get_queue_attributes().queue_url(self.url);
        let output = request.attribute_names(visible.clone()).attribute_names(in_flight.clone()).send().await?;
        let number = |name| output.attributes()?.get(&name)?.parse().ok();
        Ok((number(visible).context("the queue has no message count")?, number(in_flight).unwrap_or_default()))
    }

    /// Receives up to ten messages. The result is empty if no message is visible, or, in a FIFO queue, if every group has
    /// a message in flight.
    pub async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        let limit = i32::try_from(limit.clamp(1, MAX_BATCH))?;
        let request = self.sqs.receive_message().queue_url(self.url).visibility_timeout(VISIBILITY_TIMEOUT);
        let output = request
            .max_number_of_messages(limit)
            // A short poll queries only some of the servers of a queue and may miss messages.
            .wait_time_seconds(1)
            .message_system_attribute_names(Attribute::All)
            .message_attribute_names("All")
            .send()
            .await?;
        Ok(output.messages.unwrap_or_default())
    }

    /// Makes messages visible again.
    pub async fn make_visible(&self, messages: &[Message]) -> Result<()> {
        for batch in messages.chunks(MAX_BATCH) {
            let mut request = self.sqs.change_message_visibility_batch().queue_url(self.url);
            for (index, message) in batch.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(message.receipt_handle().unwrap_or_default())
                    .visibility_timeout(0);
                request = request.entries(entry.build()?);
            }
            // After a failure, messages become visible at the visibility timeout.
            request.send().await.context("the messages are visible again in a minute")?;
        }
        Ok(())
    }
}

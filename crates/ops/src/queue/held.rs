//! Messages that are held for a while: other consumers do not receive them, and they stay unchanged.

use anyhow::{Context, Result};
use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName as Attribute, QueueAttributeName,
    },
};

/// For how long messages are held, in seconds, should this program end in between.
const HOLD_SECONDS: i32 = 60;
/// The most that one call gives or takes.
const BATCH: usize = 10;

/// A queue that is looked into.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    /// How to reach SQS.
    pub sqs: &'a Client,
    /// Its URL.
    pub url: &'a str,
}

impl Queue<'_> {
    /// How many messages there are, about: visible, and in flight.
    pub async fn count(&self) -> Result<(usize, usize)> {
        let (visible, held) = (
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        );
        let request = self.sqs.get_queue_attributes().queue_url(self.url);
        let answer = request.attribute_names(visible.clone()).attribute_names(held.clone()).send().await?;
        let number = |name| answer.attributes()?.get(&name)?.parse().ok();
        Ok((number(visible).context("a queue without a count")?, number(held).unwrap_or_default()))
    }

    /// Up to ten messages, held from now on. None: there are none that are not held already, or, in a FIFO
    /// queue, whose group is not.
    pub async fn hold(&self, limit: usize) -> Result<Vec<Message>> {
        let limit = i32::try_from(limit.clamp(1, BATCH))?;
        let request = self.sqs.receive_message().queue_url(self.url).visibility_timeout(HOLD_SECONDS);
        let answer = request
            .max_number_of_messages(limit)
            // Short polls ask some of a queue's servers only, and may find nothing where there is something.
            .wait_time_seconds(1)
            .message_system_attribute_names(Attribute::All)
            .message_attribute_names("All")
            .send()
            .await?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Lets go of messages: they are visible at once.
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
            // What is not let go of becomes visible by itself.
            request.send().await.context("the messages are visible again in a minute")?;
        }
        Ok(())
    }
}

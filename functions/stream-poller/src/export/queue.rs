//! The queue of an export.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use function_kit::failure::Failure;

use crate::message::Message;

const DOING: &str = "send the graph to the queue";

/// One consumer's queue. [`SqsQueue`] implements it.
pub trait Queue {
    /// Sends the messages of one call.
    ///
    /// # Errors
    /// If any message is not in the queue.
    fn send(&self, messages: &[Message]) -> impl Future<Output = Result<(), Failure>>;
}

/// An SQS FIFO queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    /// The SQS client.
    pub sqs: aws_sdk_sqs::Client,
    /// The URL of the queue.
    pub url: String,
}

impl Queue for SqsQueue {
    #[tracing::instrument(level = "error", skip_all, fields(messages = messages.len()))]
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        let mut request = self.sqs.send_message_batch().queue_url(&self.url);
        for (at, message) in messages.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_group_id(&message.group)
                .message_deduplication_id(&message.deduplication_id)
                .message_body(&message.body)
                .build()
                .map_err(|error| Failure::bug(DOING, error))?;
            request = request.entries(entry);
        }
        let response = request.send().await.map_err(|error| Failure::aws(DOING, error))?;
        // Messages may fail in a response with status 200.
        match response.failed().first() {
            None => Ok(()),
            Some(failed) => Err(Failure::aws_entry(DOING, Some(failed.code()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::{
        Client,
        operation::send_message_batch::SendMessageBatchOutput,
        types::{BatchResultErrorEntry, SendMessageBatchResultEntry},
    };
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use function_kit::failure::Kind;

    use super::*;

    #[tokio::test]
    async fn failed_message_fails_the_call_with_its_kind() {
        let failed = |code: &str, is_sender_fault| {
            let entry = BatchResultErrorEntry::builder().id("1").code(code).sender_fault(is_sender_fault);
            vec![entry.build().expect("an entry")]
        };
        for (failed, kind) in [
            (vec![], None),
            (failed("InternalError", false), Some(Kind::Transient)),
            (failed("InvalidMessageContents", true), Some(Kind::Bug)),
            (failed("KmsAccessDenied", true), Some(Kind::Transient)),
        ] {
            let response = mock!(Client::send_message_batch)
                .match_requests(|request| {
                    let entry = &request.entries()[1];
                    request.queue_url() == Some("https://queue")
                        && (entry.message_group_id(), entry.message_deduplication_id(), entry.message_body())
                            == (Some("vertex/1"), Some("id/1"), "body 1")
                })
                .then_output(move || {
                    let sent = SendMessageBatchResultEntry::builder().id("0").message_id("m").md5_of_message_body("5");
                    SendMessageBatchOutput::builder()
                        .successful(sent.build().expect("an entry"))
                        .set_failed(Some(failed.clone()))
                        .build()
                        .expect("a response")
                });
            let queue = SqsQueue {
                sqs: mock_client!(aws_sdk_sqs, RuleMode::Sequential, [&response]),
                url: "https://queue".to_owned(),
            };
            let message = |at| Message {
                group: format!("vertex/{at}"),
                deduplication_id: format!("id/{at}"),
                body: format!("body {at}"),
                rejection: None,
            };
            let result = queue.send(&[message(0), message(1)]).await;
            assert_eq!(result.err().map(|failure| failure.kind), kind);
        }
    }
}

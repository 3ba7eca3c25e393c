use std::time::Duration;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use aws_sdk_sqs::{Client, types::MessageAttributeValue};
use futures_util::future::join_all;
use tracing::{error, warn};

use crate::failure::{Failure, Kind};

/// The attribute with the group of a FIFO message.
pub(super) const MESSAGE_GROUP_ID: &str = "MessageGroupId";
/// The longest failure text on a dead letter, in bytes. The log has all of it.
const MAX_FAILURE_BYTES: usize = 1_000;

/// The queue of a function, and its dead-letter queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The client.
    pub sqs: Client,
    /// The URL of the queue.
    pub url: String,
    /// The URL of the dead-letter queue.
    pub dead_letters_url: String,
}

/// What happens to a failed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It is reported to Lambda and delivered again.
    Retry,
    /// It is in the dead-letter queue.
    DeadLettered,
}

impl Queue {
    /// Whether Lambda took `batch` from this queue. Lambda names the queue; a message cannot.
    pub fn is_source_of(&self, batch: &SqsEvent) -> bool {
        let arn = batch.records.first().and_then(|message| message.event_source_arn.as_deref());
        let name = arn.and_then(|arn| arn.rsplit(':').next());
        name.is_some() && name == self.url.rsplit('/').next()
    }

    /// Sends `message` to the dead-letter queue if `failure` is a bug; else, or if that fails, it is to be retried.
    pub(super) async fn route_failure(&self, message: &SqsMessage, failure: &Failure) -> Disposition {
        let kind = failure.kind.as_str();
        if failure.kind == Kind::Bug {
            error!(kind, %failure, "sending to the dead-letter queue");
            match self.send_to_dlq(message, failure).await {
                Ok(()) => return Disposition::DeadLettered,
                Err(failure) => warn!(kind = failure.kind.as_str(), %failure, "will be retried"),
            }
        } else {
            warn!(kind, %failure, "will be retried");
        }
        Disposition::Retry
    }

    /// Sets the visibility timeout of each message to its backoff. If that fails, the timeout of the queue remains, which
    /// is several times the longest run of the function.
    pub(super) async fn set_visibility_timeouts(&self, messages: &[(&SqsMessage, Duration)]) {
        join_all(messages.iter().map(|(message, backoff)| self.set_visibility_timeout(message, *backoff))).await;
    }

    #[tracing::instrument(level = "error", skip_all, fields(message_id = message.message_id))]
    async fn set_visibility_timeout(&self, message: &SqsMessage, backoff: Duration) {
        // A direct invocation has no receipt.
        let Some(receipt) = message.receipt_handle.as_deref().filter(|receipt| !receipt.is_empty()) else { return };
        let seconds = i32::try_from(backoff.as_secs()).unwrap_or(i32::MAX);
        let call = self.sqs.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        if let Err(error) = call.visibility_timeout(seconds).send().await {
            let failure = Failure::aws("set the visibility timeout", error);
            warn!(kind = failure.kind.as_str(), %failure, "the visibility timeout of the queue applies");
        }
    }

    /// Sends a copy of `message` with the attributes `failure` and `message_id`. A FIFO message keeps its group, and its id
    /// deduplicates a second copy.
    #[tracing::instrument(level = "error", skip_all)]
    async fn send_to_dlq(&self, message: &SqsMessage, failure: &Failure) -> Result<(), Failure> {
        let attribute = |text: String| {
            MessageAttributeValue::builder().data_type("String").string_value(text).build().map_err(|error| {
                // Unreachable: the type is set.
                Failure::bug("describe the failure", error)
            })
        };
        let group = message.attributes.get(MESSAGE_GROUP_ID);
        self.sqs
            .send_message()
            .queue_url(&self.dead_letters_url)
            .set_message_group_id(group.cloned())
            .set_message_deduplication_id(group.and(message.message_id.clone()))
            // SQS refuses an empty body.
            .message_body(message.body.as_deref().filter(|body| !body.is_empty()).unwrap_or("(empty)"))
            .message_attributes("failure", attribute(attribute_text(&failure.to_string()))?)
            .message_attributes("message_id", attribute(message.message_id.clone().unwrap_or_default())?)
            .send()
            .await
            .map_err(|error| Failure::aws("send the message to the dead-letter queue", error))?;
        Ok(())
    }
}

/// `text` as SQS accepts it in an attribute: shortened, and only with characters of XML 1.0 (Amazon SQS API Reference,
/// `SendMessage`). A failure may repeat a message, which may have other characters.
fn attribute_text(text: &str) -> String {
    let is_accepted =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let short = &text[..text.floor_char_boundary(MAX_FAILURE_BYTES)];
    short.chars().map(|c| if is_accepted(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::operation::send_message::SendMessageOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// If SQS refused the copy, a poisoned message would block its group until its tries are used up.
    #[tokio::test]
    async fn failure_with_characters_that_sqs_refuses_is_dead_lettered() {
        let text = format!("unknown variant `\0\u{ffff}{}`", "x".repeat(300_000));
        let rule = mock!(Client::send_message)
            .match_requests(|request| {
                let attribute = request.message_attributes().and_then(|attributes| attributes.get("failure"));
                let text = attribute.and_then(|attribute| attribute.string_value()).unwrap_or_default();
                text.starts_with("could not read: unknown variant `\u{fffd}\u{fffd}xxx") && text.len() < 2_000
            })
            .then_output(|| SendMessageOutput::builder().build());
        let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&rule]);
        let queue = Queue { sqs, url: "https://sqs/q".to_owned(), dead_letters_url: "https://sqs/dlq".to_owned() };
        let message = serde_json::from_value(json!({"messageId": "1", "body": "x"})).expect("a message");
        assert_eq!(queue.route_failure(&message, &Failure::bug("read", text)).await, Disposition::DeadLettered);
    }

    proptest! {
        #[test]
        fn attribute_text_has_no_character_that_sqs_refuses(text in malformed_inputs::text()) {
            let attribute = attribute_text(&text);
            prop_assert!(attribute.len() <= 3 * MAX_FAILURE_BYTES);
            let is_refused = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
            let is_accepted = !attribute.contains(is_refused);
            prop_assert!(is_accepted);
        }
    }
}

use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use aws_sdk_sqs::{Client, types::MessageAttributeValue};
use futures_util::future::join_all;
use tracing::{error, warn};

use super::MESSAGE_GROUP_ID;
use crate::failure::{Failure, Kind};

/// The longest text of a failure on a dead letter, in bytes: the rest of it is in the log.
const MAX_FAILURE_BYTES: usize = 1_000;

/// The queue that a function reads, with its dead-letter queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// How to reach SQS.
    pub sqs: Client,
    /// Its URL.
    pub url: String,
    /// Its dead-letter queue's URL.
    pub dead_letters_url: String,
}

/// What becomes of a message that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is to be reported to Lambda.
    ComesAgain,
    /// It lies in the dead-letter queue.
    Buried,
}

impl Queue {
    /// Says what `failure` means for `message`, and buries it if that is what it means.
    pub(super) async fn settle(&self, message: &SqsMessage, failure: &Failure) -> Settled {
        let kind = failure.kind.as_str();
        if failure.kind == Kind::Bug {
            error!(kind, %failure, "to the dead-letter queue");
            match self.bury(message, failure).await {
                Ok(()) => return Settled::Buried,
                Err(failure) => warn!(kind = failure.kind.as_str(), %failure, "will be tried again"),
            }
        } else {
            warn!(kind, %failure, "will be tried again");
        }
        Settled::ComesAgain
    }

    /// Has each message come again after its pause. The queue's visibility timeout is for functions
    /// that died: it outlives their longest run several times.
    ///
    /// Where this fails, that timeout is what counts.
    pub(super) async fn postpone(&self, messages: &[(&SqsMessage, Duration)]) {
        join_all(messages.iter().map(|(message, pause)| self.postpone_one(message, *pause))).await;
    }

    async fn postpone_one(&self, message: &SqsMessage, pause: Duration) {
        // What did not come from a queue has none.
        let Some(receipt) = message.receipt_handle.as_deref().filter(|receipt| !receipt.is_empty()) else { return };
        let seconds = i32::try_from(pause.as_secs()).unwrap_or(i32::MAX);
        let call = self.sqs.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        if let Err(error) = call.visibility_timeout(seconds).send().await {
            let failure = Failure::aws("postpone the message", error);
            warn!(kind = failure.kind.as_str(), %failure, "comes again with the visibility timeout only");
        }
    }

    /// Sends a copy of `message` with the attributes `failure` and `message_id`. What came from a
    /// FIFO queue keeps its group; its id tells SQS if it is buried twice.
    async fn bury(&self, message: &SqsMessage, failure: &Failure) -> Result<(), Failure> {
        let attribute = |text: String| {
            MessageAttributeValue::builder().data_type("String").string_value(text).build().map_err(|error| {
                // Cannot happen: the type is set.
                Failure::bug("describe the failure", error)
            })
        };
        let group = message.attributes.get(MESSAGE_GROUP_ID);
        self.sqs
            .send_message()
            .queue_url(&self.dead_letters_url)
            .set_message_group_id(group.cloned())
            .set_message_deduplication_id(group.and(message.message_id.clone()))
            // SQS refuses empty bodies.
            .message_body(message.body.as_deref().filter(|body| !body.is_empty()).unwrap_or("(empty)"))
            .message_attributes("failure", attribute(attribute_text(&failure.to_string()))?)
            .message_attributes("message_id", attribute(message.message_id.clone().unwrap_or_default())?)
            .send()
            .await
            .map_err(|error| Failure::aws("bury the message", error))?;
        Ok(())
    }
}

/// `text` as SQS takes it in an attribute: shortened, and in the characters of XML 1.0 (Amazon SQS API
/// Reference, `SendMessage`). A failure may repeat what a message says, which may hold any others.
fn attribute_text(text: &str) -> String {
    let is_taken =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let short = &text[..text.floor_char_boundary(MAX_FAILURE_BYTES)];
    short.chars().map(|c| if is_taken(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::operation::send_message::SendMessageOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Were it refused, a poisoned message would hold up all that follow in its group, try by try.
    #[tokio::test]
    async fn a_failure_that_repeats_what_nobody_may_send_is_still_buried() {
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
        assert_eq!(queue.settle(&message, &Failure::bug("read", text)).await, Settled::Buried);
    }

    proptest! {
        #[test]
        fn an_attribute_has_nothing_that_sqs_refuses(text in malformed_inputs::text()) {
            let attribute = attribute_text(&text);
            prop_assert!(attribute.len() <= 3 * MAX_FAILURE_BYTES);
            let is_refused = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
            let is_taken = !attribute.contains(is_refused);
            prop_assert!(is_taken);
        }
    }
}

//! An SQS batch, message by message.

use std::{any::Any, panic::AssertUnwindSafe};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::{Client, types::MessageAttributeValue};
use futures_util::FutureExt;
use tracing::{error, warn};

use crate::failure::{Failure, Kind};

/// Hands each message's body to `handle`, and each failure to where its kind belongs.
///
/// A transient failure is reported to Lambda: the message becomes visible again. A bug, a panic
/// included, goes to `dead_letters` at once and is acknowledged. Neither touches the messages
/// beside it. Use with `ReportBatchItemFailures` only: otherwise reports are acknowledgements.
///
/// # Errors
/// If a message has no id, since then nothing can be reported of it: the whole batch comes again.
pub async fn run(
    batch: SqsEvent,
    dead_letters: &DeadLetters,
    handle: impl AsyncFn(&str) -> Result<(), Failure>,
) -> Result<SqsBatchResponse, Failure> {
    let mut response = SqsBatchResponse::default();
    for message in &batch.records {
        let Some(id) = message.message_id.as_deref().filter(|id| !id.is_empty()) else {
            return Err(Failure::bug("tell which message failed", "a message without an id"));
        };
        let body = message.body.as_deref().unwrap_or_default();
        let outcome =
            AssertUnwindSafe(handle(body)).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(&*panic)));
        let Err(failure) = outcome else { continue };
        match failure.kind {
            Kind::Transient => {
                warn!(message_id = id, kind = failure.kind.as_str(), %failure, "will be tried again");
                response.add_failure(id);
            }
            Kind::Bug => {
                error!(message_id = id, kind = failure.kind.as_str(), %failure, "to the dead-letter queue");
                if let Err(failure) = dead_letters.bury(message, &failure).await {
                    warn!(message_id = id, kind = failure.kind.as_str(), %failure, "will be tried again");
                    response.add_failure(id);
                }
            }
        }
    }
    Ok(response)
}

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Failure::bug("handle the message", text.unwrap_or_else(|| "a panic without a text".to_owned()))
}

/// The dead-letter queue of the queue that a function reads.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    /// How to reach SQS.
    pub sqs: Client,
    /// The queue's URL.
    pub queue_url: String,
}

impl DeadLetters {
    /// Sends a copy of `message` with the attributes `failure` and `message_id`.
    async fn bury(&self, message: &SqsMessage, failure: &Failure) -> Result<(), Failure> {
        let attribute = |text: String| {
            MessageAttributeValue::builder().data_type("String").string_value(text).build().map_err(|error| {
                // Cannot happen: the type is set.
                Failure::bug("describe the failure", error)
            })
        };
        self.sqs
            .send_message()
            .queue_url(&self.queue_url)
            // SQS refuses empty bodies.
            .message_body(message.body.as_deref().filter(|body| !body.is_empty()).unwrap_or("(empty)"))
            .message_attributes("failure", attribute(failure.to_string())?)
            .message_attributes("message_id", attribute(message.message_id.clone().unwrap_or_default())?)
            .send()
            .await
            .map_err(|error| Failure::aws("bury the message", error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use serde_json::json;

    use super::*;

    fn batch(bodies: &[&str]) -> SqsEvent {
        let records: Vec<_> =
            bodies.iter().map(|body| json!({"messageId": format!("id-{body}"), "body": body})).collect();
        serde_json::from_value(json!({ "Records": records })).expect("an event")
    }

    fn dead_letters(rule: &Rule) -> DeadLetters {
        let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [rule]);
        DeadLetters { sqs, queue_url: "https://sqs/dlq".to_owned() }
    }

    async fn handle(body: &str) -> Result<(), Failure> {
        match body {
            "transient" => Err(Failure::transient("try", "later")),
            "bug" => Err(Failure::bug("try", "never")),
            "panic" => panic!("out of hand"),
            _ => Ok(()),
        }
    }

    fn failed(response: &SqsBatchResponse) -> Vec<&str> {
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
    }

    #[tokio::test]
    async fn every_failure_goes_its_own_way() {
        let buried = mock!(Client::send_message)
            .match_requests(|request| {
                let failure = request.message_attributes().and_then(|attributes| attributes.get("failure"));
                let failure = failure.and_then(|failure| failure.string_value());
                matches!(
                    (request.message_body(), failure),
                    (Some("bug"), Some("could not try: never"))
                        | (Some("panic"), Some("could not handle the message: out of hand"))
                )
            })
            .then_output(|| SendMessageOutput::builder().build());
        let messages = batch(&["good", "bug", "transient", "panic", "fine"]);
        let response = run(messages, &dead_letters(&buried), handle).await.expect("a response");
        assert_eq!(failed(&response), ["id-transient"]);
        assert_eq!(buried.num_calls(), 2);
    }

    #[tokio::test]
    async fn what_cannot_be_buried_comes_again() {
        let refused = mock!(Client::send_message).then_error(|| SendMessageError::unhandled("the queue is gone"));
        let response = run(batch(&["bug"]), &dead_letters(&refused), handle).await.expect("a response");
        assert_eq!(failed(&response), ["id-bug"]);
    }

    #[tokio::test]
    async fn a_message_without_an_id_fails_the_batch() {
        let unused = mock!(Client::send_message).then_output(|| SendMessageOutput::builder().build());
        let nameless = serde_json::from_value(json!({"Records": [{"body": "good"}]})).expect("an event");
        assert!(run(nameless, &dead_letters(&unused), handle).await.is_err());
    }
}

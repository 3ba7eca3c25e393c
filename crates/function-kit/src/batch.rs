//! An SQS batch, message by message.

mod fifo;

use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::{Client, types::MessageAttributeValue};
use futures_util::FutureExt;
use tracing::{Instrument, error, warn};

use crate::{
    failure::{Failure, Kind},
    logs,
};

pub use fifo::run_fifo;

/// The attribute of a message from a FIFO queue that names its group.
const MESSAGE_GROUP_ID: &str = "MessageGroupId";

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
        let id = id(message)?;
        let body = message.body.as_deref().unwrap_or_default();
        let settled = async {
            let failure = caught(handle(body)).await.err()?;
            Some(dead_letters.settle(message, &failure).await)
        };
        if settled.instrument(logs::message(message)).await == Some(Settled::ComesAgain) {
            response.add_failure(id);
        }
    }
    Ok(response)
}

fn id(message: &SqsMessage) -> Result<&str, Failure> {
    let id = message.message_id.as_deref().filter(|id| !id.is_empty());
    id.ok_or_else(|| Failure::bug("tell which message failed", "a message without an id"))
}

/// What comes of `handling`, where a panic is a failure like others.
async fn caught<T>(handling: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    AssertUnwindSafe(handling)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(Failure::panicked("handle the message", &*panic)))
}

/// The dead-letter queue of the queue that a function reads.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    /// How to reach SQS.
    pub sqs: Client,
    /// The queue's URL.
    pub queue_url: String,
}

/// What becomes of a message that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    /// It is to be reported to Lambda.
    ComesAgain,
    /// It lies in the dead-letter queue.
    Buried,
}

impl DeadLetters {
    /// Says what `failure` means for `message`, and buries it if that is what it means.
    async fn settle(&self, message: &SqsMessage, failure: &Failure) -> Settled {
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
            .queue_url(&self.queue_url)
            .set_message_group_id(group.cloned())
            .set_message_deduplication_id(group.and(message.message_id.clone()))
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

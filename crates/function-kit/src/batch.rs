//! An SQS batch, message by message.

mod fifo;
mod pause;
mod queue;

use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt;
use tracing::Instrument;

use crate::{failure::Failure, logs};

pub use fifo::run_fifo;
pub use queue::Queue;
use queue::Settled;

/// The attribute of a message from a FIFO queue that names its group.
const MESSAGE_GROUP_ID: &str = "MessageGroupId";

/// Hands each message's body to `handle`, and each failure to where its kind belongs.
///
/// A transient failure is reported to Lambda, and the message comes again: after seconds at first,
/// after minutes when it goes on failing. A bug, a panic included, goes to the dead-letter queue at
/// once and is acknowledged. Neither touches the messages beside it. Use with
/// `ReportBatchItemFailures` only: otherwise reports are acknowledgements.
///
/// # Errors
/// If a message has no id, since then nothing can be reported of it: the whole batch comes again.
pub async fn run(
    batch: SqsEvent,
    queue: &Queue,
    handle: impl AsyncFn(&str) -> Result<(), Failure>,
) -> Result<SqsBatchResponse, Failure> {
    let mut response = SqsBatchResponse::default();
    let mut again = Vec::new();
    for message in &batch.records {
        let id = id(message)?;
        let body = message.body.as_deref().unwrap_or_default();
        let settled = async {
            let failure = caught(handle(body)).await.err()?;
            Some(queue.settle(message, &failure).await)
        };
        if settled.instrument(logs::message(message)).await == Some(Settled::ComesAgain) {
            response.add_failure(id);
            again.push((message, pause::after(message)));
        }
    }
    queue.postpone(&again).await;
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

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::{
        Client,
        operation::{
            change_message_visibility::{ChangeMessageVisibilityError, ChangeMessageVisibilityOutput},
            send_message::{SendMessageError, SendMessageOutput},
        },
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use serde_json::json;

    use super::*;

    fn batch(bodies: &[&str]) -> SqsEvent {
        let records: Vec<_> =
            bodies.iter().map(|body| json!({"messageId": format!("id-{body}"), "body": body})).collect();
        serde_json::from_value(json!({ "Records": records })).expect("an event")
    }

    fn queue(rule: &Rule) -> Queue {
        let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [rule]);
        Queue { sqs, url: "https://sqs/q".to_owned(), dead_letters_url: "https://sqs/dlq".to_owned() }
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
        let response = run(messages, &queue(&buried), handle).await.expect("a response");
        assert_eq!(failed(&response), ["id-transient"]);
        assert_eq!(buried.num_calls(), 2);
    }

    #[tokio::test]
    async fn what_cannot_be_buried_comes_again() {
        let refused = mock!(Client::send_message).then_error(|| SendMessageError::unhandled("the queue is gone"));
        let response = run(batch(&["bug"]), &queue(&refused), handle).await.expect("a response");
        assert_eq!(failed(&response), ["id-bug"]);
    }

    #[tokio::test]
    async fn what_failed_for_now_comes_back_soon() {
        let postponed = mock!(Client::change_message_visibility)
            .match_requests(|request| {
                let pause = request.visibility_timeout().unwrap_or_default();
                request.queue_url() == Some("https://sqs/q")
                    && match request.receipt_handle() {
                        Some("r1") => (5..7).contains(&pause),
                        Some("r3") => (180..226).contains(&pause),
                        _ => false,
                    }
            })
            .then_output(|| ChangeMessageVisibilityOutput::builder().build());
        let record = |number: u32, body: &str| {
            json!({
                "messageId": number.to_string(), "receiptHandle": format!("r{number}"), "body": body,
                "attributes": {"ApproximateReceiveCount": number.to_string()},
            })
        };
        let records = [record(1, "transient"), record(2, "good"), record(3, "transient")];
        let messages = serde_json::from_value(json!({ "Records": records })).expect("an event");
        let response = run(messages, &queue(&postponed), handle).await.expect("a response");
        assert_eq!(failed(&response), ["1", "3"]);
        assert_eq!(postponed.num_calls(), 2);
    }

    #[tokio::test]
    async fn what_cannot_be_postponed_comes_again_all_the_same() {
        let refused = mock!(Client::change_message_visibility)
            .then_error(|| ChangeMessageVisibilityError::unhandled("out of reach"));
        let record = json!({"messageId": "1", "receiptHandle": "r", "body": "transient"});
        let messages = serde_json::from_value(json!({"Records": [record]})).expect("an event");
        let response = run(messages, &queue(&refused), handle).await.expect("a response");
        assert_eq!(failed(&response), ["1"]);
        assert_eq!(refused.num_calls(), 1);
    }

    #[tokio::test]
    async fn a_message_without_an_id_fails_the_batch() {
        let unused = mock!(Client::send_message).then_output(|| SendMessageOutput::builder().build());
        let nameless = serde_json::from_value(json!({"Records": [{"body": "good"}]})).expect("an event");
        assert!(run(nameless, &queue(&unused), handle).await.is_err());
    }
}

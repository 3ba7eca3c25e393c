//! Runs SQS batches, message by message, and routes each failure by its kind.

mod backoff;
mod fifo;
mod queue;

use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt;
use tracing::Instrument;

use crate::{failure::Failure, logs::message_span};

use backoff::backoff;
pub use fifo::run_fifo;
use queue::Disposition;
pub use queue::Queue;

/// Runs `handle` with the body of each message of a standard queue.
///
/// A transient failure is reported to Lambda, and the message is delivered again after a backoff. A bug, which includes a
/// panic, goes to the dead-letter queue at once and is acknowledged. Neither affects the other messages. The event source
/// must have `ReportBatchItemFailures`, because otherwise Lambda takes a reported failure for success.
///
/// # Errors
/// If a message has no id and so cannot be reported. Lambda then delivers the whole batch again.
pub async fn run(
    batch: SqsEvent,
    queue: &Queue,
    handle: impl AsyncFn(&str) -> Result<(), Failure>,
) -> Result<SqsBatchResponse, Failure> {
    let mut response = SqsBatchResponse::default();
    let mut retries = Vec::new();
    for message in &batch.records {
        let id = id(message)?;
        let body = message.body.as_deref().unwrap_or_default();
        let disposition = async {
            let failure = catch_panic(handle(body)).await.err()?;
            Some(queue.route_failure(message, &failure).await)
        };
        if disposition.instrument(message_span(message)).await == Some(Disposition::Retry) {
            response.add_failure(id);
            retries.push((message, backoff(message)));
        }
    }
    queue.set_visibility_timeouts(&retries).await;
    Ok(response)
}

fn id(message: &SqsMessage) -> Result<&str, Failure> {
    let id = message.message_id.as_deref().filter(|id| !id.is_empty());
    id.ok_or_else(|| Failure::bug("report a failed message", "it has no id"))
}

/// The result of `handling`; a panic is a bug.
async fn catch_panic<T>(handling: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
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
    async fn transient_failure_is_reported_and_bug_is_dead_lettered() {
        let dead_lettered = mock!(Client::send_message)
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
        let response = run(messages, &queue(&dead_lettered), handle).await.expect("a response");
        assert_eq!(failed(&response), ["id-transient"]);
        assert_eq!(dead_lettered.num_calls(), 2);
    }

    #[tokio::test]
    async fn bug_that_cannot_be_dead_lettered_is_reported() {
        let refused = mock!(Client::send_message).then_error(|| SendMessageError::unhandled("the queue is gone"));
        let response = run(batch(&["bug"]), &queue(&refused), handle).await.expect("a response");
        assert_eq!(failed(&response), ["id-bug"]);
    }

    #[tokio::test]
    async fn transient_failure_sets_the_visibility_timeout_to_the_backoff() {
        let changed = mock!(Client::change_message_visibility)
            .match_requests(|request| {
                let timeout = request.visibility_timeout().unwrap_or_default();
                request.queue_url() == Some("https://sqs/q")
                    && match request.receipt_handle() {
                        Some("r1") => (5..7).contains(&timeout),
                        Some("r3") => (180..226).contains(&timeout),
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
        let response = run(messages, &queue(&changed), handle).await.expect("a response");
        assert_eq!(failed(&response), ["1", "3"]);
        assert_eq!(changed.num_calls(), 2);
    }

    #[tokio::test]
    async fn failure_to_set_the_visibility_timeout_is_still_reported() {
        let refused = mock!(Client::change_message_visibility)
            .then_error(|| ChangeMessageVisibilityError::unhandled("out of reach"));
        let record = json!({"messageId": "1", "receiptHandle": "r", "body": "transient"});
        let messages = serde_json::from_value(json!({"Records": [record]})).expect("an event");
        let response = run(messages, &queue(&refused), handle).await.expect("a response");
        assert_eq!(failed(&response), ["1"]);
        assert_eq!(refused.num_calls(), 1);
    }

    #[tokio::test]
    async fn message_without_id_fails_the_batch() {
        let unused = mock!(Client::send_message).then_output(|| SendMessageOutput::builder().build());
        let without_id = serde_json::from_value(json!({"Records": [{"body": "good"}]})).expect("an event");
        assert!(run(without_id, &queue(&unused), handle).await.is_err());
    }
}

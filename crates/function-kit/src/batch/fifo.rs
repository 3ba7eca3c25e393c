//! Runs a batch of a FIFO queue, group by group.

use std::{collections::BTreeMap, time::Duration};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{StreamExt, stream};
use tracing::Instrument;

use super::{
    Disposition, Queue,
    backoff::{backoff, holds_back},
    catch_panic, id,
    queue::MESSAGE_GROUP_ID,
};
use crate::{failure::Failure, logs::message_span};

/// The most messages, and so groups, that a FIFO queue delivers in one batch.
const MAX_GROUPS: usize = 10;

/// Runs `prepare` with the body of each message, and then `finish` with each result. Groups run concurrently; within a
/// group, both steps keep the order.
///
/// A transient failure, in either step, ends its group for this batch. The message and those that follow it in the group
/// are reported to Lambda and delivered again in the same order after a backoff; `prepare` runs again for them. Messages
/// prepared before it are still finished. From its fourth receive on, a failed message no longer holds back the others:
/// consumers accept changes out of order, and a message must not reach the dead-letter queue untried. A bug, which includes a panic, goes to the dead-letter queue at once, under its
/// own group, and the group continues. Neither affects other groups. The event source must have `ReportBatchItemFailures`.
///
/// # Errors
/// If a message has no id and so cannot be reported. Lambda then delivers the whole batch again.
pub async fn run_fifo<T>(
    batch: SqsEvent,
    queue: &Queue,
    prepare: impl AsyncFn(&str) -> Result<T, Failure>,
    finish: impl AsyncFn(T) -> Result<(), Failure>,
) -> Result<SqsBatchResponse, Failure> {
    let mut groups: BTreeMap<&str, Vec<(Message<'_>, &str)>> = BTreeMap::new();
    for message in &batch.records {
        let id = id(message)?;
        let group = message.attributes.get(MESSAGE_GROUP_ID).map_or(id, String::as_str);
        let body = message.body.as_deref().unwrap_or_default();
        groups.entry(group).or_default().push((Message { id, message }, body));
    }
    let mut response = SqsBatchResponse::default();
    let mut prepared = Vec::with_capacity(groups.len());
    let mut steps =
        stream::iter(groups.into_values()).map(|group| run_step(group, queue, &prepare)).buffer_unordered(MAX_GROUPS);
    let mut failed = Vec::new();
    while let Some(group) = steps.next().await {
        failed.extend(group.failed);
        prepared.push(group.done);
    }
    let mut steps = stream::iter(prepared).map(|group| run_step(group, queue, &finish)).buffer_unordered(MAX_GROUPS);
    while let Some(group) = steps.next().await {
        failed.extend(group.failed);
    }
    failed.iter().for_each(|message| response.add_failure(message.id));
    queue.set_visibility_timeouts(&backoffs(&failed)).await;
    Ok(response)
}

/// The backoff of each message: the longest in its group, so that a group is delivered again together.
fn backoffs<'a>(failed: &[Message<'a>]) -> Vec<(&'a SqsMessage, Duration)> {
    let mut longest: BTreeMap<Option<&String>, Duration> = BTreeMap::new();
    let group = |message: &Message<'a>| message.message.attributes.get(MESSAGE_GROUP_ID);
    for message in failed {
        let longest = longest.entry(group(message)).or_default();
        *longest = backoff(message.message).max(*longest);
    }
    failed.iter().map(|message| (message.message, longest[&group(message)])).collect()
}

/// A message with its id.
#[derive(Clone, Copy)]
struct Message<'a> {
    id: &'a str,
    message: &'a SqsMessage,
}

/// The result of one step for one group.
struct GroupResult<'a, T> {
    /// Ready for the next step.
    done: Vec<(Message<'a>, T)>,
    /// To be retried: the messages that failed, and those that one of them holds back.
    failed: Vec<Message<'a>>,
}

async fn run_step<'a, I, O>(
    group: Vec<(Message<'a>, I)>,
    queue: &Queue,
    step: &impl AsyncFn(I) -> Result<O, Failure>,
) -> GroupResult<'a, O> {
    let mut result = GroupResult { done: Vec::with_capacity(group.len()), failed: Vec::new() };
    let mut group = group.into_iter();
    while let Some((message, input)) = group.next() {
        let step = async {
            match catch_panic(step(input)).await {
                Ok(output) => Ok(output),
                Err(failure) => Err(queue.route_failure(message.message, &failure).await),
            }
        };
        match step.instrument(message_span(message.message)).await {
            Ok(output) => result.done.push((message, output)),
            Err(Disposition::DeadLettered) => {}
            Err(Disposition::Retry) => {
                result.failed.push(message);
                if holds_back(message.message) {
                    result.failed.extend(group.by_ref().map(|(message, _)| message));
                }
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, time::Duration};

    use aws_sdk_sqs::{
        Client,
        operation::{
            change_message_visibility::ChangeMessageVisibilityOutput,
            send_message::{SendMessageError, SendMessageOutput},
        },
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use serde_json::json;

    use super::*;

    /// A batch of messages `group:body`.
    fn batch(messages: &[&str]) -> SqsEvent {
        let record = |message: &&str| {
            let (group, body) = message.split_once(':').expect("group and body");
            json!({"messageId": format!("id-{body}"), "body": body, "attributes": {"MessageGroupId": group}})
        };
        let records: Vec<_> = messages.iter().map(record).collect();
        serde_json::from_value(json!({ "Records": records })).expect("an event")
    }

    fn queue(rule: &Rule) -> Queue {
        let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [rule]);
        Queue { sqs, url: "https://sqs/q.fifo".to_owned(), dead_letters_url: "https://sqs/dlq.fifo".to_owned() }
    }

    fn accepts_all() -> Rule {
        mock!(Client::send_message).then_output(|| SendMessageOutput::builder().build())
    }

    /// Fails in the step and in the way that the body names.
    fn outcome(step: &str, body: &str) -> Result<(), Failure> {
        match body.strip_prefix(step) {
            Some("-transient") => Err(Failure::transient("try", "later")),
            Some("-bug") => Err(Failure::bug("try", "never")),
            Some("-panic") => panic!("out of hand"),
            _ => Ok(()),
        }
    }

    /// The steps that ran, in order, and the ids that were reported.
    async fn run_batch(messages: &[&str], queue: &Queue) -> (Vec<String>, Vec<String>) {
        let happened = RefCell::new(Vec::new());
        let prepare = async |body: &str| {
            outcome("prepare", body)?;
            happened.borrow_mut().push(format!("prepare {body}"));
            Ok(body.to_owned())
        };
        let finish = async |body: String| {
            outcome("finish", &body)?;
            happened.borrow_mut().push(format!("finish {body}"));
            Ok(())
        };
        let response = run_fifo(batch(messages), queue, prepare, finish).await.expect("a response");
        let mut failed: Vec<_> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect();
        failed.sort();
        (happened.into_inner(), failed)
    }

    #[tokio::test]
    async fn all_messages_are_prepared_before_any_is_finished() {
        let (happened, failed) = run_batch(&["a:1", "b:2", "a:3"], &queue(&accepts_all())).await;
        assert_eq!(happened, ["prepare 1", "prepare 3", "prepare 2", "finish 1", "finish 3", "finish 2"]);
        assert!(failed.is_empty());
    }

    #[tokio::test]
    async fn transient_failure_holds_back_the_rest_of_its_group_only() {
        let unused = accepts_all();
        let messages = ["a:1", "b:2", "a:prepare-transient", "a:3", "b:finish-transient", "b:4", "c:5"];
        let (happened, failed) = run_batch(&messages, &queue(&unused)).await;
        assert_eq!(failed, ["id-3", "id-4", "id-finish-transient", "id-prepare-transient"]);
        let finished: Vec<_> = happened.iter().filter(|what| what.starts_with("finish")).collect();
        assert_eq!(finished, ["finish 1", "finish 2", "finish 5"]);
        assert!(!happened.contains(&"prepare 3".to_owned()), "not before what comes first");
        assert_eq!(unused.num_calls(), 0);
    }

    #[tokio::test]
    async fn message_is_tried_before_the_one_ahead_of_it_is_dead_lettered() {
        for step in ["prepare", "finish"] {
            let tried = RefCell::new(Vec::new());
            // SQS dead-letters both after the fifth receive.
            for receives in 1..=5_u32 {
                let record = |body: String| {
                    json!({
                        "messageId": body, "body": body,
                        "attributes": {"MessageGroupId": "a", "ApproximateReceiveCount": receives.to_string()},
                    })
                };
                let records = [record(format!("{step}-transient")), record("next".to_owned())];
                let messages = serde_json::from_value(json!({ "Records": records })).expect("an event");
                let finish = async |body: String| {
                    outcome("finish", &body)?;
                    tried.borrow_mut().push(receives);
                    Ok(())
                };
                let prepare = async |body: &str| outcome("prepare", body).map(|()| body.to_owned());
                let response = run_fifo(messages, &queue(&accepts_all()), prepare, finish).await.expect("a response");
                let failed = response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone());
                let is_held_back = failed.collect::<Vec<_>>().contains(&"next".to_owned());
                assert_eq!(is_held_back, receives <= 3, "{step} {receives}");
            }
            assert_eq!(*tried.borrow(), [4, 5], "{step}");
        }
    }

    #[tokio::test]
    async fn bug_is_dead_lettered_under_its_group_and_the_group_continues() {
        let dead_lettered = mock!(Client::send_message)
            .match_requests(|request| {
                let id = request.message_deduplication_id().unwrap_or_default();
                request.message_group_id() == Some("a") && request.message_body() == id.strip_prefix("id-")
            })
            .then_output(|| SendMessageOutput::builder().build());
        let messages = ["a:prepare-bug", "a:1", "a:finish-panic", "a:2"];
        let (happened, failed) = run_batch(&messages, &queue(&dead_lettered)).await;
        assert!(failed.is_empty(), "{failed:?}");
        assert!(happened.ends_with(&["finish 1".to_owned(), "finish 2".to_owned()]), "{happened:?}");
        assert_eq!(dead_lettered.num_calls(), 2);
    }

    #[tokio::test]
    async fn bug_that_cannot_be_dead_lettered_holds_back_its_group() {
        let refused = mock!(Client::send_message).then_error(|| SendMessageError::unhandled("the queue is gone"));
        let (happened, failed) = run_batch(&["a:prepare-bug", "a:1", "b:2"], &queue(&refused)).await;
        assert_eq!(failed, ["id-1", "id-prepare-bug"]);
        assert_eq!(happened, ["prepare 2", "finish 2"]);
    }

    #[tokio::test]
    async fn messages_of_a_group_have_the_longest_backoff() {
        let changed = mock!(Client::change_message_visibility)
            .match_requests(|request| {
                let timeout = request.visibility_timeout().unwrap_or_default();
                match request.receipt_handle() {
                    Some("r1" | "r2") => timeout >= 180,
                    Some("r3") => timeout < 7,
                    _ => false,
                }
            })
            .then_output(|| ChangeMessageVisibilityOutput::builder().build());
        let record = |receipt: &str, group: &str, body: &str, receives: u32| {
            json!({
                "messageId": receipt, "receiptHandle": receipt, "body": body,
                "attributes": {"MessageGroupId": group, "ApproximateReceiveCount": receives.to_string()},
            })
        };
        // The second message was not received before.
        let records = [
            record("r1", "a", "prepare-transient", 3),
            record("r2", "a", "next", 1),
            record("r3", "b", "finish-transient", 1),
        ];
        let messages = serde_json::from_value(json!({ "Records": records })).expect("an event");
        let prepare = async |body: &str| outcome("prepare", body).map(|()| body.to_owned());
        let finish = async |body: String| outcome("finish", &body);
        let response = run_fifo(messages, &queue(&changed), prepare, finish).await.expect("a response");
        assert_eq!(response.batch_item_failures.len(), 3);
        assert_eq!(changed.num_calls(), 3);
    }

    #[tokio::test]
    async fn groups_run_concurrently() {
        let (waiting, release) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
        let finish = async |body: String| {
            if body == "slow" {
                waiting.notify_one();
                release.notified().await;
            } else {
                waiting.notified().await;
                release.notify_one();
            }
            Ok(())
        };
        let queue = queue(&accepts_all());
        let run = run_fifo(batch(&["a:slow", "b:quick"]), &queue, async |body| Ok(body.to_owned()), finish);
        // In sequence they would never end.
        let response = tokio::time::timeout(Duration::from_secs(30), run).await.expect("in time").expect("a response");
        assert!(response.batch_item_failures.is_empty());
    }

    #[tokio::test]
    async fn message_without_id_fails_the_batch() {
        let without_id = serde_json::from_value(json!({"Records": [{"body": "good"}]})).expect("an event");
        let queue = queue(&accepts_all());
        let run = run_fifo(without_id, &queue, async |_| Ok(()), async |()| Ok(()));
        assert!(run.await.is_err());
    }
}

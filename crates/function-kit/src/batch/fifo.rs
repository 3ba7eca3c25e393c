//! A batch of a FIFO queue, group by group.

use std::{collections::BTreeMap, time::Duration};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{StreamExt, stream};
use tracing::Instrument;

use super::{MESSAGE_GROUP_ID, Queue, Settled, caught, id, pause};
use crate::{failure::Failure, logs};

/// FIFO queues give out no more than ten messages in a batch, so no batch has more groups.
const GROUPS_AT_A_TIME: usize = 10;

/// Hands each message's body to `prepare`, and when all messages of the batch have been there, what
/// it made of them to `finish`. Groups go side by side; within a group, both keep the order.
///
/// A transient failure, in either step, ends its group for this time: the message and all that
/// follow it in the group are reported to Lambda and come again in the same order, after seconds at
/// first, after minutes when it goes on failing. What was prepared before it is still finished; what
/// comes again is prepared again. A bug, a panic included, goes to the dead-letter queue at once,
/// under its own group, and the group goes on without it. Neither touches the other groups. Use with
/// `ReportBatchItemFailures` only.
///
/// # Errors
/// If a message has no id, since then nothing can be reported of it: the whole batch comes again.
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
    let mut passes =
        stream::iter(groups.into_values()).map(|group| pass(group, queue, &prepare)).buffer_unordered(GROUPS_AT_A_TIME);
    let mut failed = Vec::new();
    while let Some(passed) = passes.next().await {
        failed.extend(passed.failed);
        prepared.push(passed.done);
    }
    let mut passes = stream::iter(prepared).map(|group| pass(group, queue, &finish)).buffer_unordered(GROUPS_AT_A_TIME);
    while let Some(passed) = passes.next().await {
        failed.extend(passed.failed);
    }
    failed.iter().for_each(|message| response.add_failure(message.id));
    queue.postpone(&pauses(&failed)).await;
    Ok(response)
}

/// The messages of a group come again together: when that may which has failed most often.
fn pauses<'a>(failed: &[Message<'a>]) -> Vec<(&'a SqsMessage, Duration)> {
    let mut longest: BTreeMap<Option<&String>, Duration> = BTreeMap::new();
    let group = |message: &Message<'a>| message.message.attributes.get(MESSAGE_GROUP_ID);
    for message in failed {
        let pause = longest.entry(group(message)).or_default();
        *pause = pause::after(message.message).max(*pause);
    }
    failed.iter().map(|message| (message.message, longest[&group(message)])).collect()
}

/// A message that can be reported.
#[derive(Clone, Copy)]
struct Message<'a> {
    id: &'a str,
    message: &'a SqsMessage,
}

/// What became of a group in one step.
struct Passed<'a, T> {
    /// Ready for the next step.
    done: Vec<(Message<'a>, T)>,
    /// To come again: the first that failed, and all after it.
    failed: Vec<Message<'a>>,
}

async fn pass<'a, I, O>(
    group: Vec<(Message<'a>, I)>,
    queue: &Queue,
    step: &impl AsyncFn(I) -> Result<O, Failure>,
) -> Passed<'a, O> {
    let mut passed = Passed { done: Vec::with_capacity(group.len()), failed: Vec::new() };
    let mut group = group.into_iter();
    while let Some((message, input)) = group.next() {
        let step = async {
            match caught(step(input)).await {
                Ok(output) => Ok(output),
                Err(failure) => Err(queue.settle(message.message, &failure).await),
            }
        };
        match step.instrument(logs::message(message.message)).await {
            Ok(output) => passed.done.push((message, output)),
            Err(Settled::Buried) => {}
            Err(Settled::ComesAgain) => {
                passed.failed.push(message);
                passed.failed.extend(group.by_ref().map(|(message, _)| message));
            }
        }
    }
    passed
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

    /// `group:body`, in the order of the queue.
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

    fn takes_all() -> Rule {
        mock!(Client::send_message).then_output(|| SendMessageOutput::builder().build())
    }

    /// Fails as the body says, in the step that it says.
    fn outcome(step: &str, body: &str) -> Result<(), Failure> {
        match body.strip_prefix(step) {
            Some("-transient") => Err(Failure::transient("try", "later")),
            Some("-bug") => Err(Failure::bug("try", "never")),
            Some("-panic") => panic!("out of hand"),
            _ => Ok(()),
        }
    }

    /// What happened, in order, and what is to come again.
    async fn ran(messages: &[&str], queue: &Queue) -> (Vec<String>, Vec<String>) {
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
    async fn all_are_prepared_before_any_is_finished() {
        let (happened, failed) = ran(&["a:1", "b:2", "a:3"], &queue(&takes_all())).await;
        assert_eq!(happened, ["prepare 1", "prepare 3", "prepare 2", "finish 1", "finish 3", "finish 2"]);
        assert!(failed.is_empty());
    }

    #[tokio::test]
    async fn a_transient_failure_holds_back_the_rest_of_its_group_only() {
        let unused = takes_all();
        let messages = ["a:1", "b:2", "a:prepare-transient", "a:3", "b:finish-transient", "b:4", "c:5"];
        let (happened, failed) = ran(&messages, &queue(&unused)).await;
        assert_eq!(failed, ["id-3", "id-4", "id-finish-transient", "id-prepare-transient"]);
        let finished: Vec<_> = happened.iter().filter(|what| what.starts_with("finish")).collect();
        assert_eq!(finished, ["finish 1", "finish 2", "finish 5"]);
        assert!(!happened.contains(&"prepare 3".to_owned()), "not before what comes first");
        assert_eq!(unused.num_calls(), 0);
    }

    #[tokio::test]
    async fn a_bug_is_buried_under_its_group_and_the_group_goes_on() {
        let buried = mock!(Client::send_message)
            .match_requests(|request| {
                let id = request.message_deduplication_id().unwrap_or_default();
                request.message_group_id() == Some("a") && request.message_body() == id.strip_prefix("id-")
            })
            .then_output(|| SendMessageOutput::builder().build());
        let messages = ["a:prepare-bug", "a:1", "a:finish-panic", "a:2"];
        let (happened, failed) = ran(&messages, &queue(&buried)).await;
        assert!(failed.is_empty(), "{failed:?}");
        assert!(happened.ends_with(&["finish 1".to_owned(), "finish 2".to_owned()]), "{happened:?}");
        assert_eq!(buried.num_calls(), 2);
    }

    #[tokio::test]
    async fn what_cannot_be_buried_holds_back_its_group() {
        let refused = mock!(Client::send_message).then_error(|| SendMessageError::unhandled("the queue is gone"));
        let (happened, failed) = ran(&["a:prepare-bug", "a:1", "b:2"], &queue(&refused)).await;
        assert_eq!(failed, ["id-1", "id-prepare-bug"]);
        assert_eq!(happened, ["prepare 2", "finish 2"]);
    }

    #[tokio::test]
    async fn a_group_comes_again_together() {
        let postponed = mock!(Client::change_message_visibility)
            .match_requests(|request| {
                let pause = request.visibility_timeout().unwrap_or_default();
                match request.receipt_handle() {
                    Some("r1" | "r2") => pause >= 180,
                    Some("r3") => pause < 7,
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
        // The second has come with the first only now.
        let records = [
            record("r1", "a", "prepare-transient", 3),
            record("r2", "a", "next", 1),
            record("r3", "b", "finish-transient", 1),
        ];
        let messages = serde_json::from_value(json!({ "Records": records })).expect("an event");
        let prepare = async |body: &str| outcome("prepare", body).map(|()| body.to_owned());
        let finish = async |body: String| outcome("finish", &body);
        let response = run_fifo(messages, &queue(&postponed), prepare, finish).await.expect("a response");
        assert_eq!(response.batch_item_failures.len(), 3);
        assert_eq!(postponed.num_calls(), 3);
    }

    #[tokio::test]
    async fn groups_do_not_wait_for_each_other() {
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
        let queue = queue(&takes_all());
        let run = run_fifo(batch(&["a:slow", "b:quick"]), &queue, async |body| Ok(body.to_owned()), finish);
        // One after the other they would wait for ever.
        let response = tokio::time::timeout(Duration::from_secs(30), run).await.expect("in time").expect("a response");
        assert!(response.batch_item_failures.is_empty());
    }

    #[tokio::test]
    async fn a_message_without_an_id_fails_the_batch() {
        let nameless = serde_json::from_value(json!({"Records": [{"body": "good"}]})).expect("an event");
        let queue = queue(&takes_all());
        let run = run_fifo(nameless, &queue, async |_| Ok(()), async |()| Ok(()));
        assert!(run.await.is_err());
    }
}

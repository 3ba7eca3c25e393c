//! A batch of a FIFO queue, group by group.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{StreamExt, stream};
use tracing::Instrument;

use super::{DeadLetters, MESSAGE_GROUP_ID, Settled, caught, id};
use crate::{failure::Failure, logs};

/// FIFO queues give out no more than ten messages in a batch, so no batch has more groups.
const GROUPS_AT_A_TIME: usize = 10;

/// Hands each message's body to `prepare`, and when all messages of the batch have been there, what
/// it made of them to `finish`. Groups go side by side; within a group, both keep the order.
///
/// A transient failure, in either step, ends its group for this time: the message and all that
/// follow it in the group are reported to Lambda and come again in the same order. What was
/// prepared before it is still finished; what comes again is prepared again. A bug, a panic
/// included, goes to `dead_letters` at once, under its own group, and the group goes on without
/// it. Neither touches the other groups. Use with `ReportBatchItemFailures` only.
///
/// # Errors
/// If a message has no id, since then nothing can be reported of it: the whole batch comes again.
pub async fn run_fifo<T>(
    batch: SqsEvent,
    dead_letters: &DeadLetters,
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
    let mut passes = stream::iter(groups.into_values())
        .map(|group| pass(group, dead_letters, &prepare))
        .buffer_unordered(GROUPS_AT_A_TIME);
    while let Some(passed) = passes.next().await {
        passed.failed.iter().for_each(|message| response.add_failure(message.id));
        prepared.push(passed.done);
    }
    let mut passes =
        stream::iter(prepared).map(|group| pass(group, dead_letters, &finish)).buffer_unordered(GROUPS_AT_A_TIME);
    while let Some(passed) = passes.next().await {
        passed.failed.iter().for_each(|message| response.add_failure(message.id));
    }
    Ok(response)
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
    dead_letters: &DeadLetters,
    step: &impl AsyncFn(I) -> Result<O, Failure>,
) -> Passed<'a, O> {
    let mut passed = Passed { done: Vec::with_capacity(group.len()), failed: Vec::new() };
    let mut group = group.into_iter();
    while let Some((message, input)) = group.next() {
        let step = async {
            match caught(step(input)).await {
                Ok(output) => Ok(output),
                Err(failure) => Err(dead_letters.settle(message.message, &failure).await),
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
        operation::send_message::{SendMessageError, SendMessageOutput},
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

    fn dead_letters(rule: &Rule) -> DeadLetters {
        let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [rule]);
        DeadLetters { sqs, queue_url: "https://sqs/dlq.fifo".to_owned() }
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
    async fn ran(messages: &[&str], dead_letters: &DeadLetters) -> (Vec<String>, Vec<String>) {
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
        let response = run_fifo(batch(messages), dead_letters, prepare, finish).await.expect("a response");
        let mut failed: Vec<_> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect();
        failed.sort();
        (happened.into_inner(), failed)
    }

    #[tokio::test]
    async fn all_are_prepared_before_any_is_finished() {
        let (happened, failed) = ran(&["a:1", "b:2", "a:3"], &dead_letters(&takes_all())).await;
        assert_eq!(happened, ["prepare 1", "prepare 3", "prepare 2", "finish 1", "finish 3", "finish 2"]);
        assert!(failed.is_empty());
    }

    #[tokio::test]
    async fn a_transient_failure_holds_back_the_rest_of_its_group_only() {
        let unused = takes_all();
        let messages = ["a:1", "b:2", "a:prepare-transient", "a:3", "b:finish-transient", "b:4", "c:5"];
        let (happened, failed) = ran(&messages, &dead_letters(&unused)).await;
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
        let (happened, failed) = ran(&messages, &dead_letters(&buried)).await;
        assert!(failed.is_empty(), "{failed:?}");
        assert!(happened.ends_with(&["finish 1".to_owned(), "finish 2".to_owned()]), "{happened:?}");
        assert_eq!(buried.num_calls(), 2);
    }

    #[tokio::test]
    async fn what_cannot_be_buried_holds_back_its_group() {
        let refused = mock!(Client::send_message).then_error(|| SendMessageError::unhandled("the queue is gone"));
        let (happened, failed) = ran(&["a:prepare-bug", "a:1", "b:2"], &dead_letters(&refused)).await;
        assert_eq!(failed, ["id-1", "id-prepare-bug"]);
        assert_eq!(happened, ["prepare 2", "finish 2"]);
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
        let letters = dead_letters(&takes_all());
        let run = run_fifo(batch(&["a:slow", "b:quick"]), &letters, async |body| Ok(body.to_owned()), finish);
        // One after the other they would wait for ever.
        let response = tokio::time::timeout(Duration::from_secs(30), run).await.expect("in time").expect("a response");
        assert!(response.batch_item_failures.is_empty());
    }

    #[tokio::test]
    async fn a_message_without_an_id_fails_the_batch() {
        let nameless = serde_json::from_value(json!({"Records": [{"body": "good"}]})).expect("an event");
        let letters = dead_letters(&takes_all());
        let run = run_fifo(nameless, &letters, async |_| Ok(()), async |()| Ok(()));
        assert!(run.await.is_err());
    }
}

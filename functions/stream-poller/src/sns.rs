//! The bus: an SNS FIFO topic, and an SQS FIFO queue for what it refuses.

use aws_sdk_sns::{
    error::{ProvideErrorMetadata, SdkError},
    operation::publish_batch::{PublishBatchError, PublishBatchOutput},
    types::{BatchResultErrorEntry, PublishBatchRequestEntry},
};
use aws_sdk_sqs::types::MessageAttributeValue;
use function_kit::failure::Failure;
use tracing::warn;

use crate::{
    bus::{Bus, PublishOutcome},
    outbox::Entry,
};

/// The topic `graph-changes.fifo` and its queue of dead letters.
#[derive(Debug, Clone)]
pub struct SnsBus {
    /// How to reach SNS.
    pub sns: aws_sdk_sns::Client,
    /// The topic.
    pub topic_arn: String,
    /// How to reach SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// A FIFO queue.
    pub dead_letter_queue_url: String,
}

impl Bus for SnsBus {
    async fn publish(&self, entries: &[Entry]) -> Vec<PublishOutcome> {
        match self.publish_batch(entries).await {
            Ok(output) => verdicts(entries.len(), &output),
            Err(error) if is_about_a_message(&error) && entries.len() > 1 => {
                // Which entry is at fault nobody says: each by itself, then.
                let mut verdicts = Vec::with_capacity(entries.len());
                for entry in entries {
                    verdicts.push(self.publish_one(entry).await);
                }
                verdicts
            }
            Err(error) => vec![verdict_of_call(error); entries.len()],
        }
    }

    async fn bury(&self, entry: &Entry, reason: &str) -> Result<(), Failure> {
        let message = &entry.message;
        let failure = MessageAttributeValue::builder().data_type("String").string_value(reason).build();
        self.sqs
            .send_message()
            .queue_url(&self.dead_letter_queue_url)
            .message_group_id(&message.group)
            .message_deduplication_id(&message.deduplication_id)
            .message_body(&message.body)
            // Cannot fail: the type is set.
            .message_attributes("failure", failure.map_err(|error| Failure::bug("describe the failure", error))?)
            .send()
            .await
            .map_err(|error| Failure::aws("bury a change", error))?;
        Ok(())
    }
}

impl SnsBus {
    async fn publish_batch(&self, entries: &[Entry]) -> Result<PublishBatchOutput, SdkError<PublishBatchError>> {
        let mut request = self.sns.publish_batch().topic_arn(&self.topic_arn);
        for (at, entry) in entries.iter().enumerate() {
            let message = &entry.message;
            let entry = PublishBatchRequestEntry::builder()
                .id(at.to_string())
                .message_group_id(&message.group)
                .message_deduplication_id(&message.deduplication_id)
                .message(&message.body)
                .build()
                .map_err(SdkError::construction_failure)?;
            request = request.publish_batch_request_entries(entry);
        }
        request.send().await
    }

    async fn publish_one(&self, entry: &Entry) -> PublishOutcome {
        match self.publish_batch(std::slice::from_ref(entry)).await {
            Ok(output) => verdicts(1, &output).pop().unwrap_or_else(|| PublishOutcome::Again("no answer".to_owned())),
            Err(error) => verdict_of_call(error),
        }
    }
}

/// What the bus says of each of `number` entries. Of whom it says nothing is sent again.
fn verdicts(number: usize, output: &PublishBatchOutput) -> Vec<PublishOutcome> {
    let mut verdicts = vec![PublishOutcome::Again("no answer".to_owned()); number];
    let mut put = |id: Option<&str>, verdict| {
        if let Some(place) = id.and_then(|id| id.parse::<usize>().ok()).and_then(|at| verdicts.get_mut(at)) {
            *place = verdict;
        }
    };
    for entry in output.successful() {
        put(entry.id(), PublishOutcome::Accepted);
    }
    for entry in output.failed() {
        put(Some(entry.id()), verdict_of_entry(entry));
    }
    verdicts
}

fn verdict_of_entry(entry: &BatchResultErrorEntry) -> PublishOutcome {
    let code = entry.code().to_owned();
    if entry.sender_fault() && names_a_message(&code) {
        PublishOutcome::Refused(code)
    } else {
        PublishOutcome::Again(code)
    }
}

/// The call as a whole failed.
fn verdict_of_call(error: SdkError<PublishBatchError>) -> PublishOutcome {
    let refused = is_about_a_message(&error);
    let code = error.code().map_or_else(|| "no answer".to_owned(), str::to_owned);
    warn!(failure = %Failure::aws("publish changes", error), "a call to the bus failed");
    if refused { PublishOutcome::Refused(code) } else { PublishOutcome::Again(code) }
}

/// Whether it is a message that SNS finds fault with, and not the topic, a key or a permission,
/// for which a sender is at fault, too, but which somebody can put right.
fn is_about_a_message(error: &SdkError<PublishBatchError>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(_) => error.code().is_some_and(names_a_message),
        _ => false,
    }
}

/// With and without the `Exception` that the API model appends to some of them.
fn names_a_message(code: &str) -> bool {
    const CODES: [&str; 6] = [
        "BatchRequestTooLong",
        "InvalidMessageContents",
        "InvalidParameter",
        "InvalidParameterValue",
        "ParameterValueInvalid",
        "ValidationError",
    ];
    let code = code.strip_suffix("Exception").unwrap_or(code);
    code == "Validation" || CODES.contains(&code)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use aws_sdk_sns::{
        Client,
        types::{PublishBatchResultEntry, error::InvalidParameterException},
    };
    use aws_sdk_sqs::operation::send_message::SendMessageOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::graph::Position;

    use super::*;
    use crate::{
        message::Message,
        outbox::{NextAction, Outbox},
    };

    fn entries(number: usize) -> Vec<Entry> {
        let message = |at| Message {
            group: format!("vertex/{at}"),
            deduplication_id: format!("main/{at}/1"),
            body: format!("body {at}"),
            refused: None,
        };
        let mut outbox = Outbox::default();
        outbox.push(Position::new(1, 1), 0, (0..number).map(message).collect());
        let Some(NextAction::Publish(entries)) = outbox.next(Instant::now()) else { panic!("a call") };
        entries
    }

    fn bus(rules: &[&Rule]) -> SnsBus {
        let buried = mock!(aws_sdk_sqs::Client::send_message)
            .match_requests(|request| {
                let failure = request.message_attributes().and_then(|attributes| attributes.get("failure"));
                (request.message_group_id(), request.message_deduplication_id(), request.message_body())
                    == (Some("vertex/0"), Some("main/0/1"), Some("body 0"))
                    && failure.and_then(|failure| failure.string_value()) == Some("InvalidParameter")
            })
            .then_output(|| SendMessageOutput::builder().build());
        SnsBus {
            sns: mock_client!(aws_sdk_sns, RuleMode::Sequential, rules),
            topic_arn: "topic".to_owned(),
            sqs: mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&buried]),
            dead_letter_queue_url: "https://queue".to_owned(),
        }
    }

    fn failed(id: &str, code: &str, is_sender_fault: bool) -> BatchResultErrorEntry {
        let entry = BatchResultErrorEntry::builder().id(id).code(code).sender_fault(is_sender_fault);
        entry.build().expect("an entry")
    }

    #[tokio::test]
    async fn every_entry_has_its_own_verdict() {
        let answered = mock!(Client::publish_batch)
            .match_requests(|request| {
                let entries = request.publish_batch_request_entries();
                request.topic_arn() == Some("topic")
                    && entries.len() == 5
                    && entries[3].message_group_id() == Some("vertex/3")
                    && entries[3].message_deduplication_id() == Some("main/3/1")
                    && entries[3].message() == "body 3"
            })
            .then_output(|| {
                PublishBatchOutput::builder()
                    .successful(PublishBatchResultEntry::builder().id("3").build())
                    .failed(failed("0", "InternalError", false))
                    .failed(failed("1", "InvalidParameter", true))
                    .failed(failed("4", "KMSAccessDenied", true))
                    .build()
            });
        let verdicts = bus(&[&answered]).publish(&entries(5)).await;
        let again = |code: &str| PublishOutcome::Again(code.to_owned());
        let refused = PublishOutcome::Refused("InvalidParameter".to_owned());
        let expected =
            [again("InternalError"), refused, again("no answer"), PublishOutcome::Accepted, again("KMSAccessDenied")];
        assert_eq!(verdicts, expected);
    }

    #[tokio::test]
    async fn where_one_message_fails_the_call_the_others_go_alone() {
        let wrong = || {
            let meta = aws_sdk_sns::error::ErrorMetadata::builder().code("InvalidParameter").build();
            PublishBatchError::InvalidParameterException(InvalidParameterException::builder().meta(meta).build())
        };
        let fine = || {
            let accepted = PublishBatchResultEntry::builder().id("0").build();
            mock!(Client::publish_batch)
                .then_output(move || PublishBatchOutput::builder().successful(accepted.clone()).build())
        };
        let (all, one) =
            (mock!(Client::publish_batch).then_error(wrong), mock!(Client::publish_batch).then_error(wrong));
        let verdicts = bus(&[&all, &fine(), &one, &fine()]).publish(&entries(3)).await;
        assert_eq!(
            verdicts,
            [
                PublishOutcome::Accepted,
                PublishOutcome::Refused("InvalidParameter".to_owned()),
                PublishOutcome::Accepted
            ]
        );
    }

    #[tokio::test]
    async fn a_missing_topic_is_no_fault_of_the_messages() {
        let gone = mock!(Client::publish_batch).then_error(|| {
            let meta = aws_sdk_sns::error::ErrorMetadata::builder().code("NotFound").build();
            PublishBatchError::generic(meta)
        });
        let verdicts = bus(&[&gone]).publish(&entries(2)).await;
        assert_eq!(verdicts, vec![PublishOutcome::Again("NotFound".to_owned()); 2]);
    }

    #[tokio::test]
    async fn the_refused_are_buried_in_order_of_their_entity() {
        let unused = mock!(Client::publish_batch).then_output(|| PublishBatchOutput::builder().build());
        bus(&[&unused]).bury(&entries(1)[0], "InvalidParameter").await.expect("buried");
    }
}

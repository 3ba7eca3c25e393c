//! The bus on SNS: a FIFO topic, and an SQS FIFO queue for rejected messages.

use aws_sdk_sns::{
    error::{ProvideErrorMetadata, SdkError},
    operation::publish_batch::{PublishBatchError, PublishBatchOutput},
    types::{BatchResultErrorEntry, PublishBatchRequestEntry},
};
use aws_sdk_sqs::types::MessageAttributeValue;
use function_kit::failure::Failure;
use tracing::warn;

use crate::{
    event_bus::{Bus, PublishOutcome},
    outbox::Entry,
};

/// The code of a message or call without a response.
const NO_RESPONSE: &str = "no response";

/// The topic `graph-changes.fifo` and its dead-letter queue.
#[derive(Debug, Clone)]
pub struct SnsBus {
    /// The SNS client.
    pub sns: aws_sdk_sns::Client,
    /// The ARN of the topic.
    pub topic_arn: String,
    /// The SQS client.
    pub sqs: aws_sdk_sqs::Client,
    /// The URL of the FIFO dead-letter queue.
    pub dead_letter_queue_url: String,
}

impl Bus for SnsBus {
    async fn publish(&self, entries: &[Entry]) -> Vec<PublishOutcome> {
        match self.publish_batch(entries).await {
            Ok(output) => outcomes(entries.len(), &output),
            Err(error) if is_message_error(&error) && entries.len() > 1 => {
                // The error does not name the invalid entry, so each is published alone.
                let mut outcomes = Vec::with_capacity(entries.len());
                for entry in entries {
                    outcomes.push(self.publish_one(entry).await);
                }
                outcomes
            }
            Err(error) => vec![outcome_of_call(error); entries.len()],
        }
    }

    #[tracing::instrument(level = "error", skip_all, fields(change = entry.message.deduplication_id))]
    async fn send_to_dlq(&self, entry: &Entry, reason: &str) -> Result<(), Failure> {
        let message = &entry.message;
        let failure = MessageAttributeValue::builder().data_type("String").string_value(reason).build();
        self.sqs
            .send_message()
            .queue_url(&self.dead_letter_queue_url)
            .message_group_id(&message.group)
            .message_deduplication_id(&message.deduplication_id)
            .message_body(&message.body)
            // Does not fail, because the type is set.
            .message_attributes("failure", failure.map_err(|error| Failure::bug("describe the failure", error))?)
            .send()
            .await
            .map_err(|error| Failure::aws("send a change to the dead-letter queue", error))?;
        Ok(())
    }
}

impl SnsBus {
    #[tracing::instrument(level = "error", skip_all, fields(entries = entries.len()))]
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
            Ok(output) => outcomes(1, &output).pop().unwrap_or_else(|| PublishOutcome::Retry(NO_RESPONSE.to_owned())),
            Err(error) => outcome_of_call(error),
        }
    }
}

/// The outcome of each of `number` entries. An entry that the response does not mention is retried.
fn outcomes(number: usize, output: &PublishBatchOutput) -> Vec<PublishOutcome> {
    let mut outcomes = vec![PublishOutcome::Retry(NO_RESPONSE.to_owned()); number];
    let mut set = |id: Option<&str>, outcome| {
        if let Some(slot) = id.and_then(|id| id.parse::<usize>().ok()).and_then(|index| outcomes.get_mut(index)) {
            *slot = outcome;
        }
    };
    for entry in output.successful() {
        set(entry.id(), PublishOutcome::Accepted);
    }
    for entry in output.failed() {
        set(Some(entry.id()), outcome_of_entry(entry));
    }
    outcomes
}

fn outcome_of_entry(entry: &BatchResultErrorEntry) -> PublishOutcome {
    let code = entry.code().to_owned();
    if entry.sender_fault() && is_message_error_code(&code) {
        PublishOutcome::Rejected(code)
    } else {
        PublishOutcome::Retry(code)
    }
}

/// The outcome of the entries of a failed call.
fn outcome_of_call(error: SdkError<PublishBatchError>) -> PublishOutcome {
    let is_rejected = is_message_error(&error);
    let code = error.code().map_or_else(|| NO_RESPONSE.to_owned(), str::to_owned);
    warn!(failure = %Failure::aws("publish changes", error), "a call to the bus failed");
    if is_rejected { PublishOutcome::Rejected(code) } else { PublishOutcome::Retry(code) }
}

/// Whether the message is invalid. Errors of the topic, a key or a permission are sender faults too, but an operator
/// can fix them.
fn is_message_error(error: &SdkError<PublishBatchError>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(_) => error.code().is_some_and(is_message_error_code),
        _ => false,
    }
}

/// Accepts the codes with and without the suffix `Exception`, which the API model adds to some.
fn is_message_error_code(code: &str) -> bool {
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
            rejection: None,
        };
        let mut outbox = Outbox::default();
        outbox.push(Position::new(1, 1), 0, (0..number).map(message).collect());
        let Some(NextAction::Publish(entries)) = outbox.next(Instant::now()) else { panic!("a call") };
        entries
    }

    fn bus(rules: &[&Rule]) -> SnsBus {
        let dead_letter = mock!(aws_sdk_sqs::Client::send_message)
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
            sqs: mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&dead_letter]),
            dead_letter_queue_url: "https://queue".to_owned(),
        }
    }

    fn failed(id: &str, code: &str, is_sender_fault: bool) -> BatchResultErrorEntry {
        let entry = BatchResultErrorEntry::builder().id(id).code(code).sender_fault(is_sender_fault);
        entry.build().expect("an entry")
    }

    #[tokio::test]
    async fn each_entry_has_its_own_outcome() {
        let partial_failure = mock!(Client::publish_batch)
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
        let outcomes = bus(&[&partial_failure]).publish(&entries(5)).await;
        let retry = |code: &str| PublishOutcome::Retry(code.to_owned());
        let rejected = PublishOutcome::Rejected("InvalidParameter".to_owned());
        let expected = [
            retry("InternalError"),
            rejected,
            retry("no response"),
            PublishOutcome::Accepted,
            retry("KMSAccessDenied"),
        ];
        assert_eq!(outcomes, expected);
    }

    #[tokio::test]
    async fn call_with_invalid_message_is_repeated_entry_by_entry() {
        let invalid = || {
            let meta = aws_sdk_sns::error::ErrorMetadata::builder().code("InvalidParameter").build();
            PublishBatchError::InvalidParameterException(InvalidParameterException::builder().meta(meta).build())
        };
        let accepting = || {
            let accepted = PublishBatchResultEntry::builder().id("0").build();
            mock!(Client::publish_batch)
                .then_output(move || PublishBatchOutput::builder().successful(accepted.clone()).build())
        };
        let (all, one) =
            (mock!(Client::publish_batch).then_error(invalid), mock!(Client::publish_batch).then_error(invalid));
        let outcomes = bus(&[&all, &accepting(), &one, &accepting()]).publish(&entries(3)).await;
        assert_eq!(
            outcomes,
            [
                PublishOutcome::Accepted,
                PublishOutcome::Rejected("InvalidParameter".to_owned()),
                PublishOutcome::Accepted
            ]
        );
    }

    #[tokio::test]
    async fn missing_topic_is_retried() {
        let missing = mock!(Client::publish_batch).then_error(|| {
            let meta = aws_sdk_sns::error::ErrorMetadata::builder().code("NotFound").build();
            PublishBatchError::generic(meta)
        });
        let outcomes = bus(&[&missing]).publish(&entries(2)).await;
        assert_eq!(outcomes, vec![PublishOutcome::Retry("NotFound".to_owned()); 2]);
    }

    #[tokio::test]
    async fn rejected_message_is_sent_to_the_dlq_in_its_group() {
        let unused = mock!(Client::publish_batch).then_output(|| PublishBatchOutput::builder().build());
        bus(&[&unused]).send_to_dlq(&entries(1)[0], "InvalidParameter").await.expect("a dead letter");
    }
}

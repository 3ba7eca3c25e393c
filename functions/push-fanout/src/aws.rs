//! The ports on AWS.

use std::collections::{BTreeSet, HashMap};

use domain::{
    graph::Position,
    message::escape_noncharacters,
    push::{Event, Fact, Registers, Row},
};
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::{
    audience::{AudienceTable, Followers, PendingKey, PendingPage},
    devices::{DeliveryTargets, Device, DeviceTable},
    ledger::{Claim, Entry, LedgerTable},
};

use crate::{
    message::Further,
    ports::{Ledger, Phones, Projections, Surroundings},
    refusal::{Refusal, refusal},
};

/// Followers in a page: enough that handing on costs little beside them, few enough that a page is
/// done in seconds.
const FOLLOWERS_A_PAGE: i32 = 500;
/// Events in a page of a shelf.
const NOTES_A_PAGE: i32 = 100;

/// Tables, SNS, the queue, and who is asking: an invocation of this function.
#[derive(Debug, Clone)]
pub struct Aws {
    pub audience: AudienceTable,
    pub ledger: LedgerTable,
    pub devices: DeviceTable,
    pub sns: aws_sdk_sns::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub push_queue_url: String,
    /// Unique: claims in the ledger are this invocation's own.
    pub claimant: String,
}

impl Projections for Aws {
    async fn learn(&self, fact: &Fact, committed_at: Timestamp) -> Result<(), Failure> {
        self.audience.apply(fact, committed_at).await
    }

    async fn look_up(&self, rows: &[Row]) -> Result<HashMap<Row, Registers>, Failure> {
        self.audience.get(rows).await
    }

    async fn followers(&self, person: &str, after: Option<&str>) -> Result<Followers, Failure> {
        self.audience.followers(person, after, FOLLOWERS_A_PAGE).await
    }

    async fn add_pending(&self, pending_key: &PendingKey, event: &Event) -> Result<(), Failure> {
        self.audience.add_pending(pending_key, event).await
    }

    async fn pending_page(&self, pending_key: &PendingKey, after: Option<&str>) -> Result<PendingPage, Failure> {
        self.audience.pending_page(pending_key, after, NOTES_A_PAGE).await
    }

    async fn remove_pending(&self, pending_key: &PendingKey, edge: &str, position: Position) -> Result<(), Failure> {
        self.audience.remove_pending(pending_key, edge, position).await
    }
}

impl Ledger for Aws {
    async fn claim(&self, entry: &Entry<'_>, now: Timestamp, until: Timestamp) -> Result<Claim, Failure> {
        self.ledger.claim(entry, &self.claimant, now, until).await
    }

    async fn mark(&self, entry: &Entry<'_>, sent: &BTreeSet<String>, outcome: Option<&str>) -> Result<bool, Failure> {
        self.ledger.finish_claim(entry, &self.claimant, sent, outcome).await
    }

    async fn settle(&self, entry: &Entry<'_>, outcome: &str) -> Result<(), Failure> {
        self.ledger.record_outcome(entry, outcome).await
    }

    async fn is_handed_on(&self, event: &Event, rule: &str, number: u32) -> Result<bool, Failure> {
        self.ledger.is_page_continued(event, rule, number).await
    }

    async fn handed_on(&self, event: &Event, rule: &str, number: u32) -> Result<(), Failure> {
        self.ledger.mark_page_continued(event, rule, number).await
    }
}

impl Phones for Aws {
    async fn delivery_targets(&self, user: &str) -> Result<DeliveryTargets, Failure> {
        self.devices.delivery_targets(user).await
    }

    async fn forget(&self, device: &Device) -> Result<bool, Failure> {
        self.devices.delete_if_unchanged(device).await
    }

    async fn publish(&self, endpoint_arn: &str, message: &str) -> Result<(), Refusal> {
        let publish = self.sns.publish().target_arn(endpoint_arn).message_structure("json").message(message);
        publish.send().await.map(drop).map_err(refusal)
    }

    async fn delete_endpoint(&self, endpoint_arn: &str) -> Result<(), Failure> {
        let delete = self.sns.delete_endpoint().endpoint_arn(endpoint_arn).send().await;
        delete.map(drop).map_err(|error| Failure::aws("delete an endpoint", error))
    }
}

impl Surroundings for Aws {
    async fn hand_on(&self, further: &Further) -> Result<(), Failure> {
        let body = serde_json::to_string(further).map_err(|error| Failure::bug("hand work on", error))?;
        let id = further.id();
        let send = self
            .sqs
            .send_message()
            .queue_url(&self.push_queue_url)
            .message_body(escape_noncharacters(body))
            .message_group_id(&id)
            .message_deduplication_id(&id);
        send.send().await.map(drop).map_err(|error| Failure::aws("hand work on", error))
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sns::{
        error::ErrorMetadata,
        operation::{
            delete_endpoint::DeleteEndpointOutput,
            publish::{PublishError, PublishOutput},
        },
        types::error::{
            AuthorizationErrorException, EndpointDisabledException, InternalErrorException, InvalidParameterException,
            NotFoundException, PlatformApplicationDisabledException,
        },
    };
    use aws_sdk_sqs::operation::send_message::SendMessageOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use function_kit::failure::Kind;

    use super::*;
    use crate::message::Waiting;

    const ARN: &str = "arn:aws:sns:ap-northeast-2:123456789012:endpoint/GCM/iyagi-push/0c6e";

    fn aws(sns: &[&Rule], sqs: &[&Rule]) -> Aws {
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, []);
        Aws {
            audience: AudienceTable::new(dynamodb.clone(), "audience".into()),
            ledger: LedgerTable::new(dynamodb.clone(), "ledger".into()),
            devices: DeviceTable::new(dynamodb, "devices".into()),
            sns: mock_client!(aws_sdk_sns, RuleMode::Sequential, sns),
            sqs: mock_client!(aws_sdk_sqs, RuleMode::Sequential, sqs),
            push_queue_url: "https://sqs/push.fifo".into(),
            claimant: "invocation".into(),
        }
    }

    async fn refused(error: impl Fn() -> PublishError + Send + Sync + 'static) -> Refusal {
        let publish = mock!(aws_sdk_sns::Client::publish).then_error(error);
        aws(&[&publish], &[]).publish(ARN, "{}").await.expect_err("a refusal")
    }

    /// Kind of failure and its name in metrics; `None` if the device is to be forgotten.
    fn failed(refusal: &Refusal) -> Option<(&'static str, Kind)> {
        match refusal {
            Refusal::Failed { kind, failure } => Some((*kind, failure.kind)),
            Refusal::Disabled | Refusal::Gone => None,
        }
    }

    fn invalid_parameter(message: &str) -> PublishError {
        let meta = ErrorMetadata::builder().code("InvalidParameter").message(message).build();
        PublishError::InvalidParameterException(
            InvalidParameterException::builder().message(message).meta(meta).build(),
        )
    }

    #[tokio::test]
    async fn a_message_goes_to_one_endpoint_as_json() {
        let publish = mock!(aws_sdk_sns::Client::publish)
            .match_requests(|request| {
                request.target_arn() == Some(ARN)
                    && request.topic_arn().is_none()
                    && request.message_structure() == Some("json")
                    && request.message() == Some(r#"{"default":"x"}"#)
            })
            .then_output(|| PublishOutput::builder().build());
        aws(&[&publish], &[]).publish(ARN, r#"{"default":"x"}"#).await.expect("accepted");
        let delete = mock!(aws_sdk_sns::Client::delete_endpoint)
            .match_requests(|request| request.endpoint_arn() == Some(ARN))
            .then_output(|| DeleteEndpointOutput::builder().build());
        aws(&[&delete], &[]).delete_endpoint(ARN).await.expect("deleted");
    }

    #[tokio::test]
    async fn endpoint_disabled_means_forget_and_delete() {
        let refusal = refused(|| PublishError::EndpointDisabledException(EndpointDisabledException::builder().build()));
        assert!(matches!(refusal.await, Refusal::Disabled));
    }

    #[tokio::test]
    async fn an_endpoint_that_is_not_there_means_forget() {
        let not_found = refused(|| PublishError::NotFoundException(NotFoundException::builder().build())).await;
        assert!(matches!(not_found, Refusal::Gone));
        let text = "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified";
        assert!(matches!(refused(|| invalid_parameter(text)).await, Refusal::Gone));
    }

    #[tokio::test]
    async fn too_large_is_terminal() {
        let text = "Invalid parameter: Message Reason: Invalid notification for protocol GCM: \
                    Notification data is larger than allowed limit";
        assert_eq!(failed(&refused(|| invalid_parameter(text)).await), Some(("too_large", Kind::Bug)));
    }

    #[tokio::test]
    async fn an_invalid_argument_never_forgets_a_device() {
        let text = "Invalid parameter: FCM answered INVALID_ARGUMENT";
        assert_eq!(failed(&refused(|| invalid_parameter(text)).await), Some(("invalid", Kind::Bug)));
    }

    #[tokio::test]
    async fn a_disabled_application_and_missing_rights_call_somebody() {
        let disabled = refused(|| {
            PublishError::PlatformApplicationDisabledException(PlatformApplicationDisabledException::builder().build())
        });
        assert_eq!(failed(&disabled.await), Some(("platform_disabled", Kind::Bug)));
        let denied =
            refused(|| PublishError::AuthorizationErrorException(AuthorizationErrorException::builder().build()));
        assert_eq!(failed(&denied.await), Some(("not_authorized", Kind::Bug)));
    }

    #[tokio::test]
    async fn throttling_and_faults_of_sns_pass() {
        let throttled =
            refused(|| PublishError::generic(ErrorMetadata::builder().code("Throttled").message("slower").build()));
        assert_eq!(failed(&throttled.await), Some(("throttled", Kind::Transient)));
        let internal = refused(|| PublishError::InternalErrorException(InternalErrorException::builder().build()));
        assert_eq!(failed(&internal.await), Some(("unavailable", Kind::Transient)));
    }

    #[tokio::test]
    async fn work_is_handed_on_in_a_group_of_its_own() {
        let further = Further::Waiting(Waiting { vertex: "s1".into(), cause: "main/8/1".into(), after: "e1".into() });
        let id = further.id();
        let send = mock!(aws_sdk_sqs::Client::send_message)
            .match_requests(move |request| {
                request.queue_url() == Some("https://sqs/push.fifo")
                    && request.message_group_id() == Some(&id)
                    && request.message_deduplication_id() == Some(&id)
            })
            .then_output(|| SendMessageOutput::builder().build());
        aws(&[], &[&send]).hand_on(&further).await.expect("handed on");
    }
}

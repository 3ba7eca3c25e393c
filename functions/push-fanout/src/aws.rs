//! Implementation of the ports on AWS.

use std::{
    collections::HashMap,
    num::{NonZeroU16, NonZeroU32},
};

use domain::{
    graph::GenerationPosition,
    message::escape_noncharacters,
    push::{Cooldown, Event, Fact, Registers, Row},
};
use function_kit::{failure::Failure, nonce::nonce};
use jiff::Timestamp;
use store::{
    audience::{AudienceTable, Followers, PendingEvent, PendingKey, PendingPage},
    devices::{DeliveryTargets, Device, DeviceTable, RemovalOutcome},
    inbox::{InboxTable, ReadMarks},
    ledger::{Claim, ClaimRequest, ClaimResult, CooldownClaim, Entry, LedgerTable, PageBound},
};

use crate::{
    message::Continuation,
    ports::{Ledger, MobilePush, Projections, Runtime},
    publish_error::PublishError,
};

/// Pending events per page.
const PENDING_PER_PAGE: i32 = 100;

/// Tables, SNS and queue.
#[derive(Debug, Clone)]
pub struct Aws {
    pub audience: AudienceTable,
    pub ledger: LedgerTable,
    pub devices: DeviceTable,
    pub inbox: InboxTable,
    pub read_marks: ReadMarks,
    pub sns: aws_sdk_sns::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub push_queue_url: String,
    pub erasure_queue_url: String,
    pub story_files_queue_url: String,
    /// Followers per page: many, so that the cost of the continuation is small in comparison, and few enough that a page
    /// takes seconds.
    pub followers_per_page: NonZeroU16,
    /// Devices with a dead token that may be removed in an hour.
    pub max_removals_per_hour: NonZeroU32,
}

impl Projections for Aws {
    async fn apply(&self, fact: &Fact, committed_at: Timestamp) -> Result<(), Failure> {
        self.audience.apply(fact, committed_at).await
    }

    async fn look_up(&self, rows: &[Row]) -> Result<HashMap<Row, Registers>, Failure> {
        self.audience.get(rows).await
    }

    async fn followers(&self, person: &str, after: Option<&str>) -> Result<Followers, Failure> {
        self.audience.followers(person, after, self.followers_per_page.get().into()).await
    }

    async fn add_pending(&self, key: &PendingKey, event: &Event, nonce: &str) -> Result<(), Failure> {
        self.audience.add_pending(key, event, nonce).await
    }

    async fn pending_page(&self, key: &PendingKey, after: Option<&str>) -> Result<PendingPage, Failure> {
        self.audience.pending_page(key, after, PENDING_PER_PAGE).await
    }

    async fn remove_pending(&self, key: &PendingKey, edge: &str, position: GenerationPosition) -> Result<(), Failure> {
        self.audience.remove_pending(key, edge, position).await
    }

    async fn drop_pending(&self, key: &PendingKey, pending: &PendingEvent) -> Result<(), Failure> {
        self.audience.drop_pending(key, pending).await
    }
}

impl Ledger for Aws {
    async fn claim_all(
        &self,
        claims: &[ClaimRequest<'_>],
        now: Timestamp,
        until: Timestamp,
    ) -> Vec<Result<Claim, Failure>> {
        self.ledger.claim_all(claims, now, until).await
    }

    async fn finish_claims(&self, results: &[ClaimResult<'_>]) -> Vec<Result<bool, Failure>> {
        self.ledger.finish_claims(results).await
    }

    async fn record_outcomes(
        &self,
        outcomes: &[(Entry<'_>, &'static str)],
        now: Timestamp,
    ) -> Vec<Result<(), Failure>> {
        self.ledger.record_outcomes(outcomes, now).await
    }

    async fn decide_page_bound(&self, event: &Event, pass: &str, page: u32, last: &str) -> Result<PageBound, Failure> {
        self.ledger.decide_page_bound(event, pass, page, last).await
    }

    async fn mark_page_enqueued(&self, event: &Event, pass: &str, page: u32) -> Result<(), Failure> {
        self.ledger.mark_page_enqueued(event, pass, page).await
    }

    async fn claim_cooldown(&self, claim: &CooldownClaim<'_>) -> Result<Option<Cooldown>, Failure> {
        self.ledger.claim_cooldown(claim).await
    }
}

impl MobilePush for Aws {
    async fn delivery_targets(&self, users: &[&str]) -> Vec<Result<DeliveryTargets, Failure>> {
        self.devices.delivery_targets(users).await
    }

    async fn remove_device(&self, device: &Device) -> Result<RemovalOutcome, Failure> {
        self.devices.remove_dead(device, self.max_removals_per_hour, self.now()).await
    }

    async fn publish(&self, endpoint_arn: &str, message: &str) -> Result<(), PublishError> {
        let publish = self.sns.publish().target_arn(endpoint_arn).message_structure("json").message(message);
        publish.send().await.map(drop).map_err(PublishError::from)
    }
}

impl Runtime for Aws {
    async fn enqueue(&self, continuation: &Continuation) -> Result<(), Failure> {
        const DOING: &str = "enqueue a continuation";
        let body = serde_json::to_string(continuation).map_err(|error| Failure::bug(DOING, error))?;
        let id = continuation.id();
        let send = self
            .sqs
            .send_message()
            .queue_url(&self.push_queue_url)
            .message_body(escape_noncharacters(body))
            .message_group_id(&id)
            .message_deduplication_id(&id);
        send.send().await.map(drop).map_err(|error| Failure::aws(DOING, error))
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn nonce(&self) -> Result<String, Failure> {
        nonce()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sns::{
        error::ErrorMetadata,
        operation::publish::{PublishError as SnsError, PublishOutput},
        types::error::{
            AuthorizationErrorException, EndpointDisabledException, InternalErrorException, InvalidParameterException,
            NotFoundException, PlatformApplicationDisabledException,
        },
    };
    use aws_sdk_sqs::operation::send_message::SendMessageOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use function_kit::failure::Kind;

    use super::*;
    use crate::{message::PendingEvents, ports::Stories};

    const ARN: &str = "arn:aws:sns:ap-northeast-2:123456789012:endpoint/GCM/iyagi-push/0c6e";

    fn aws(sns: &[&Rule], sqs: &[&Rule]) -> Aws {
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, []);
        Aws {
            audience: AudienceTable::new(dynamodb.clone(), "audience".into()),
            ledger: LedgerTable::new(dynamodb.clone(), "ledger".into()),
            devices: DeviceTable::new(dynamodb.clone(), "devices".into()),
            inbox: InboxTable::new(dynamodb.clone(), "inbox".into()),
            read_marks: ReadMarks::new(dynamodb, "inbox-read".into()),
            sns: mock_client!(aws_sdk_sns, RuleMode::Sequential, sns),
            sqs: mock_client!(aws_sdk_sqs, RuleMode::Sequential, sqs),
            push_queue_url: "https://sqs/push.fifo".into(),
            erasure_queue_url: "https://sqs/erasure".into(),
            story_files_queue_url: "https://sqs/story-files".into(),
            followers_per_page: NonZeroU16::MIN,
            max_removals_per_hour: NonZeroU32::MIN,
        }
    }

    /// Result of a publication for which SNS returns `error`.
    async fn error_for(error: impl Fn() -> SnsError + Send + Sync + 'static) -> PublishError {
        let publish = mock!(aws_sdk_sns::Client::publish).then_error(error);
        aws(&[&publish], &[]).publish(ARN, "{}").await.expect_err("an error")
    }

    /// Name in metrics and kind of the failure; `None` if the device is to be removed.
    async fn failure_for(error: impl Fn() -> SnsError + Send + Sync + 'static) -> Option<(&'static str, Kind)> {
        match error_for(error).await {
            PublishError::Failed { kind, failure } => Some((kind, failure.kind)),
            PublishError::EndpointDisabled | PublishError::EndpointGone => None,
        }
    }

    fn invalid_parameter(message: &str) -> SnsError {
        let meta = ErrorMetadata::builder().code("InvalidParameter").message(message).build();
        SnsError::InvalidParameterException(InvalidParameterException::builder().message(message).meta(meta).build())
    }

    #[tokio::test]
    async fn publish_sends_json_to_one_endpoint() {
        let publish = mock!(aws_sdk_sns::Client::publish)
            .match_requests(|request| {
                request.target_arn() == Some(ARN)
                    && request.topic_arn().is_none()
                    && request.message_structure() == Some("json")
                    && request.message() == Some(r#"{"default":"x"}"#)
            })
            .then_output(|| PublishOutput::builder().build());
        aws(&[&publish], &[]).publish(ARN, r#"{"default":"x"}"#).await.expect("accepted");
    }

    #[tokio::test]
    async fn disabled_endpoint_removes_device() {
        let error = error_for(|| SnsError::EndpointDisabledException(EndpointDisabledException::builder().build()));
        assert!(matches!(error.await, PublishError::EndpointDisabled));
    }

    #[tokio::test]
    async fn missing_endpoint_removes_device() {
        let error = error_for(|| SnsError::NotFoundException(NotFoundException::builder().build())).await;
        assert!(matches!(error, PublishError::EndpointGone));
        let text = "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified";
        assert!(matches!(error_for(|| invalid_parameter(text)).await, PublishError::EndpointGone));
    }

    #[tokio::test]
    async fn too_large_payload_is_a_bug() {
        let text = "Invalid parameter: Message Reason: Invalid notification for protocol GCM: \
                    Notification data is larger than allowed limit";
        assert_eq!(failure_for(|| invalid_parameter(text)).await, Some(("too_large", Kind::Bug)));
    }

    #[tokio::test]
    async fn invalid_argument_keeps_device() {
        let text = "Invalid parameter: FCM answered INVALID_ARGUMENT";
        assert_eq!(failure_for(|| invalid_parameter(text)).await, Some(("invalid", Kind::Bug)));
    }

    #[tokio::test]
    async fn disabled_application_is_a_bug_and_missing_permission_is_transient() {
        let disabled = failure_for(|| {
            SnsError::PlatformApplicationDisabledException(PlatformApplicationDisabledException::builder().build())
        });
        assert_eq!(disabled.await, Some(("platform_disabled", Kind::Bug)));
        let denied =
            failure_for(|| SnsError::AuthorizationErrorException(AuthorizationErrorException::builder().build()));
        assert_eq!(denied.await, Some(("not_authorized", Kind::Transient)));
    }

    #[tokio::test]
    async fn throttling_and_internal_errors_are_transient() {
        let throttled =
            failure_for(|| SnsError::generic(ErrorMetadata::builder().code("Throttled").message("slower").build()));
        assert_eq!(throttled.await, Some(("throttled", Kind::Transient)));
        let internal = failure_for(|| SnsError::InternalErrorException(InternalErrorException::builder().build()));
        assert_eq!(internal.await, Some(("unavailable", Kind::Transient)));
    }

    #[tokio::test]
    async fn story_is_sent_to_the_queue_of_its_files() {
        let send = mock!(aws_sdk_sqs::Client::send_message)
            .match_requests(|request| {
                request.queue_url() == Some("https://sqs/story-files")
                    && request.message_group_id().is_none()
                    && request.message_body() == Some(r#"{"type":"app.iyagi.story.files","story":"s1"}"#)
            })
            .then_output(|| SendMessageOutput::builder().build());
        aws(&[], &[&send]).check_files("s1".to_owned().try_into().expect("a story")).await.expect("sent");
    }

    #[tokio::test]
    async fn continuation_is_enqueued_in_its_own_group() {
        let pending = PendingEvents { vertex: "s1".into(), cause: "main/8/1".into(), after: "e1".into(), number: 1 };
        let continuation = Continuation::PendingEvents(pending);
        let id = continuation.id();
        let send = mock!(aws_sdk_sqs::Client::send_message)
            .match_requests(move |request| {
                request.queue_url() == Some("https://sqs/push.fifo")
                    && request.message_group_id() == Some(&id)
                    && request.message_deduplication_id() == Some(&id)
            })
            .then_output(|| SendMessageOutput::builder().build());
        aws(&[], &[&send]).enqueue(&continuation).await.expect("enqueued");
    }
}

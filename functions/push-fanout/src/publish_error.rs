//! Errors of `Publish` to an SNS endpoint, by what to do about them.

use aws_sdk_sns::{
    error::{ProvideErrorMetadata, SdkError},
    operation::publish::PublishError as SnsError,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use function_kit::{error_code, failure::Failure};

/// Failed publication to one endpoint.
#[derive(Debug)]
pub enum PublishError {
    /// The endpoint's token is no longer valid: remove the device.
    EndpointDisabled,
    /// The endpoint does not exist: remove the device.
    EndpointGone,
    /// Any other error: the device stays.
    Failed {
        /// Value of the metric `Failures`, dimension `Kind`.
        kind: &'static str,
        /// Transient or bug.
        failure: Failure,
    },
}

/// Part of SNS's `InvalidParameter` message for an endpoint that does not exist.
const NO_ENDPOINT: &str = "No endpoint found for the target arn specified";
/// Part of SNS's `InvalidParameter` message for a payload above FCM's limit.
const TOO_LARGE: &str = "larger than allowed limit";

const DOING: &str = "publish to a device";

impl From<SdkError<SnsError, HttpResponse>> for PublishError {
    /// FCM's `INVALID_ARGUMENT`, which SNS may pass on as `InvalidParameter`, means a bad token or a bad payload.
    /// Because it can be the payload, it removes no device.
    fn from(error: SdkError<SnsError, HttpResponse>) -> Self {
        let bug = |kind, error| Self::Failed { kind, failure: Failure::bug(DOING, error) };
        let transient = |kind, error| Self::Failed { kind, failure: Failure::transient(DOING, error) };
        let Some(service) = error.as_service_error() else {
            return Self::Failed { kind: "unreachable", failure: Failure::aws(DOING, error) };
        };
        let message = service.message().unwrap_or_default();
        match service {
            SnsError::EndpointDisabledException(_) => Self::EndpointDisabled,
            SnsError::NotFoundException(_) => Self::EndpointGone,
            SnsError::InvalidParameterException(_) if message.contains(NO_ENDPOINT) => Self::EndpointGone,
            SnsError::InvalidParameterException(_) if message.contains(TOO_LARGE) => bug("too_large", error),
            SnsError::InvalidParameterException(_)
            | SnsError::InvalidParameterValueException(_)
            | SnsError::ValidationException(_) => bug("invalid", error),
            // No device is reachable until an operator renews the credentials. A bug is dead-lettered at once, which
            // raises the alarm; a redrive sends the notifications afterwards.
            SnsError::PlatformApplicationDisabledException(_) => bug("platform_disabled", error),
            SnsError::AuthorizationErrorException(_) => transient("not_authorized", error),
            _ if service.code().is_some_and(|code| error_code::reason(code) == Some("throttled")) => {
                transient("throttled", error)
            }
            SnsError::InternalErrorException(_) => transient("unavailable", error),
            _ => Self::Failed { kind: "other", failure: Failure::aws(DOING, error) },
        }
    }
}

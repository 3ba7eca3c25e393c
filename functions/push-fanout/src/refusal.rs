//! Why SNS does not take a notification for a phone, and what to do about it.

use aws_sdk_sns::{
    error::{ProvideErrorMetadata, SdkError},
    operation::publish::PublishError,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use function_kit::failure::Failure;

/// SNS refused, or could not be asked.
#[derive(Debug)]
pub enum Refusal {
    /// The token is no longer valid: forget the device, delete the endpoint.
    Disabled,
    /// There is no such endpoint any more: forget the device.
    Gone,
    /// The device is not to blame, or not known to be.
    Failed {
        /// Its name in metrics.
        kind: &'static str,
        /// What to do.
        failure: Failure,
    },
}

/// What SNS says of an endpoint that is not there, other than `NotFound`.
const NO_ENDPOINT: &str = "No endpoint found for the target arn specified";
/// What SNS says of a payload beyond FCM's limit.
const TOO_LARGE: &str = "larger than allowed limit";

const DOING: &str = "publish to a phone";

/// What an error of `Publish` to an endpoint means.
///
/// FCM's `INVALID_ARGUMENT`, which SNS may pass on in an `InvalidParameter`, can be a bad token or a
/// bad payload: no device is forgotten for that.
pub fn refusal(error: SdkError<PublishError, HttpResponse>) -> Refusal {
    let bug = |kind, error| Refusal::Failed { kind, failure: Failure::bug(DOING, error) };
    let Some(service) = error.as_service_error() else {
        return Refusal::Failed { kind: "unreachable", failure: Failure::aws(DOING, error) };
    };
    let message = service.message().unwrap_or_default();
    match service {
        PublishError::EndpointDisabledException(_) => Refusal::Disabled,
        PublishError::NotFoundException(_) => Refusal::Gone,
        PublishError::InvalidParameterException(_) if message.contains(NO_ENDPOINT) => Refusal::Gone,
        PublishError::InvalidParameterException(_) if message.contains(TOO_LARGE) => bug("too_large", error),
        PublishError::InvalidParameterException(_)
        | PublishError::InvalidParameterValueException(_)
        | PublishError::ValidationException(_) => bug("invalid", error),
        // All phones are silent until somebody renews the credentials: at once to the dead letters,
        // whose alarm calls somebody, and from where they can be sent on.
        PublishError::PlatformApplicationDisabledException(_) => bug("platform_disabled", error),
        PublishError::AuthorizationErrorException(_) => bug("not_authorized", error),
        _ if service.code().is_some_and(|code| code.contains("Throttl")) => {
            Refusal::Failed { kind: "throttled", failure: Failure::transient(DOING, error) }
        }
        PublishError::InternalErrorException(_) => {
            Refusal::Failed { kind: "unavailable", failure: Failure::transient(DOING, error) }
        }
        _ => Refusal::Failed { kind: "other", failure: Failure::aws(DOING, error) },
    }
}

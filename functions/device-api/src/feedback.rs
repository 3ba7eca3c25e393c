//! Removes devices whose token FCM refuses for good. SNS reports that in an event, after it has accepted a notification.

use std::num::NonZeroU32;

use domain::push::Token;
use function_kit::{failure::Failure, logs::user_hash, metrics::Metrics};
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use serde::Deserialize;
use store::devices::{Device, Holder, RemovalOutcome};
use tracing::info;

use crate::ports::{Devices, Endpoints, Ports};

/// Failures after which the token will never work. Others can be those of a message.
const DEAD_TOKEN: [&str; 2] = ["InvalidPlatformToken", "EndpointDisabled"];

/// An event of a platform application (Amazon SNS Developer Guide, "Application event notifications").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApplicationEvent {
    endpoint_arn: String,
    /// Only of a `DeliveryFailure`.
    #[serde(default)]
    failure_type: String,
    time: String,
}

/// Removes the device of the event's endpoint, if its token is dead and it has not registered since. Beyond
/// `max_per_hour`, the device stays: the next notification to it tries again.
///
/// # Errors
/// A bug if `body` is no event. Otherwise if a call fails.
pub async fn consume<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    metrics: &Metrics,
    max_per_hour: NonZeroU32,
    now: Timestamp,
    body: &str,
) -> Result<(), Failure> {
    let (ApplicationEvent { endpoint_arn: arn, failure_type, .. }, time) = parse(body)?;
    if !ports.endpoints.contains(&arn) {
        return Ok(());
    }
    let endpoint = ports.endpoints.get(&arn).await.map_err(failure)?;
    // Without the endpoint, no device can be found; push-fanout removes it.
    let Some(endpoint) = endpoint else { return Ok(()) };
    if endpoint.is_enabled && !DEAD_TOKEN.contains(&failure_type.as_str()) {
        return Ok(());
    }
    let Some(token) = endpoint.token.and_then(|token| Token::try_from(token).ok()) else { return Ok(()) };
    for device in devices(ports, &token).await? {
        // A registration enables the endpoint and renews the device, in this order.
        if device.endpoint_arn != arn || device.last_seen > time {
            continue;
        }
        match ports.devices.remove_dead(&device, max_per_hour, now).await? {
            RemovalOutcome::Removed => {
                info!(user = user_hash(&device.user), device = device.id, "device removed: its token is dead")
            }
            RemovalOutcome::LimitReached => metrics.count("RemovalsRefused", 1),
            RemovalOutcome::RegisteredAgain => {}
        }
    }
    Ok(())
}

/// The devices that have `token`: by its claim, and those of the version before by the index.
async fn devices<D: Devices, E: Endpoints>(ports: &Ports<D, E>, token: &Token) -> Result<Vec<Device>, Failure> {
    let claim = ports.devices.token_claim(token).await?;
    let holders = match claim.and_then(|claim| claim.holder) {
        Some(holder) => vec![holder],
        None => ports.devices.holders(token).await?.into_iter().map(|Holder { user, id, .. }| (user, id)).collect(),
    };
    let mut devices = Vec::new();
    for (user, id) in holders {
        devices.extend(ports.devices.get(&user, &id).await?);
    }
    Ok(devices)
}

/// The event and its time. The error does not repeat the text.
fn parse(body: &str) -> Result<(ApplicationEvent, Timestamp), Failure> {
    const DOING: &str = "read an event of an endpoint";
    let unreadable = |error: serde_json::Error| {
        Failure::bug(DOING, format!("it is none at line {}, column {}", error.line(), error.column()))
    };
    let event: ApplicationEvent = serde_json::from_str(body).map_err(unreadable)?;
    let time = event.time.parse().map_err(|_| Failure::bug(DOING, "its time is invalid"))?;
    Ok((event, time))
}

/// A problem is one of a client's request; here, none can be.
fn failure(error: HandlerError) -> Failure {
    match error {
        HandlerError::Failure(failure) => failure,
        HandlerError::Problem(problem) | HandlerError::Later(problem, _) => {
            Failure::bug("read an endpoint", problem.title)
        }
    }
}

#[cfg(test)]
mod tests {
    use function_kit::failure::Kind;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn malformed_event_is_parsed_or_a_bug(
            body in malformed_inputs::documents(&[r#"{"DeliveryAttempts":1,"EndpointArn":"arn:aws:sns:r:1:endpoint/GCM/a/b","EventType":"DeliveryFailure","FailureMessage":"Platform token associated with the endpoint is not valid","FailureType":"InvalidPlatformToken","MessageId":"m","Resource":"arn","Service":"SNS","Time":"2018-04-26T17:29:48.732Z"}"#]),
        ) {
            if let Err(failure) = parse(&body) {
                prop_assert_eq!(failure.kind, Kind::Bug);
                prop_assert!(failure.to_string().len() < 120, "{}", failure);
            }
        }
    }
}

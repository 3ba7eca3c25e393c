//! Events of endpoints whose token FCM refuses.

use std::num::NonZeroU32;

use function_kit::{
    failure::{Failure, Kind},
    metrics::Metrics,
};
use jiff::Timestamp;
use serde_json::json;

use super::{
    devices::{registration, unclaimed},
    fixtures::endpoint_arn,
    in_memory_backend::InMemoryBackend,
};
use crate::{devices::sign_in, feedback::consume};

const REGISTERED: Timestamp = Timestamp::constant(1_795_305_600, 0);
const LATER: &str = "2026-11-22T01:00:00.732Z";

/// SNS's event about an endpoint, as its documentation shows it.
fn event(arn: &str, failure_type: &str, time: &str) -> String {
    json!({
        "DeliveryAttempts": 1, "EndpointArn": arn, "EventType": "DeliveryFailure", "FailureType": failure_type,
        "FailureMessage": "Platform token associated with the endpoint is not valid", "MessageId": "m",
        "Resource": super::fixtures::APPLICATION, "Service": "SNS", "Time": time,
    })
    .to_string()
}

async fn deliver(backend: &InMemoryBackend, body: &str) -> Result<(), Failure> {
    let limit = NonZeroU32::new(2).expect("a limit");
    consume(&backend.ports(), &Metrics::of("device-api"), limit, REGISTERED, body).await
}

/// Signs Mina in on phones with these tokens; returns their endpoints.
async fn with_devices(tokens: &[&str]) -> (InMemoryBackend, Vec<String>) {
    let backend = InMemoryBackend::default();
    let mut endpoints = Vec::new();
    for token in tokens {
        let device = sign_in(&backend.ports(), REGISTERED, "mina", token, registration(token)).await;
        endpoints.push(device.expect("signed in").endpoint_arn);
    }
    (backend, endpoints)
}

fn disable(backend: &InMemoryBackend, arn: &str) {
    backend.endpoints.borrow_mut().get_mut(arn).expect("an endpoint").is_enabled = false;
}

#[tokio::test]
async fn device_of_a_disabled_endpoint_is_removed_with_its_claim() {
    let (backend, endpoints) = with_devices(&["t", "u"]).await;
    disable(&backend, &endpoints[0]);
    for _ in 0..2 {
        deliver(&backend, &event(&endpoints[0], "", LATER)).await.expect("consumed");
    }
    assert_eq!(backend.ids("mina"), ["u"]);
    assert_eq!(backend.claims.borrow().len(), 1);
    // Reads of endpoints are eventually consistent.
    deliver(&backend, &event(&endpoints[1], "InvalidPlatformToken", LATER)).await.expect("consumed");
    assert_eq!(backend.ids("mina"), [""; 0]);
}

#[tokio::test]
async fn device_of_the_version_before_is_removed() {
    let backend = InMemoryBackend::default();
    backend.add_unclaimed(unclaimed("mina", "phone", "t", "old"));
    disable(&backend, &endpoint_arn("old"));
    deliver(&backend, &event(&endpoint_arn("old"), "InvalidPlatformToken", LATER)).await.expect("consumed");
    assert_eq!(backend.ids("mina"), [""; 0]);
}

#[tokio::test]
async fn device_that_registered_after_the_event_stays() {
    let (backend, endpoints) = with_devices(&["t"]).await;
    let earlier = "2026-11-21T23:59:59.999Z";
    deliver(&backend, &event(&endpoints[0], "InvalidPlatformToken", earlier)).await.expect("consumed");
    assert_eq!(backend.ids("mina"), ["t"]);
}

#[tokio::test]
async fn failure_of_a_message_or_of_another_application_keeps_the_device() {
    let (backend, endpoints) = with_devices(&["t"]).await;
    let other = endpoints[0].replace("iyagi-push", "former-push");
    for event in [
        event(&endpoints[0], "DeliveryFailedPerm", LATER),
        event(&other, "InvalidPlatformToken", LATER),
        event(&endpoint_arn("deleted"), "EndpointNotFound", LATER),
    ] {
        deliver(&backend, &event).await.expect("consumed");
    }
    assert_eq!(backend.ids("mina"), ["t"]);
}

#[tokio::test]
async fn devices_beyond_the_limit_of_an_hour_stay() {
    let (backend, endpoints) = with_devices(&["a", "b", "c", "d"]).await;
    for arn in &endpoints {
        deliver(&backend, &event(arn, "InvalidPlatformToken", LATER)).await.expect("consumed");
    }
    assert_eq!(backend.ids("mina"), ["c", "d"]);
    backend.removals.set(0);
    deliver(&backend, &event(&endpoints[2], "InvalidPlatformToken", LATER)).await.expect("consumed");
    assert_eq!(backend.ids("mina"), ["d"]);
}

#[tokio::test]
async fn event_is_retried_after_a_failure_of_any_call() {
    for calls in 0.. {
        let (backend, endpoints) = with_devices(&["t"]).await;
        backend.calls_until_failure.set(Some(calls));
        let body = event(&endpoints[0], "InvalidPlatformToken", LATER);
        let outcome = deliver(&backend, &body).await;
        backend.calls_until_failure.set(None);
        match outcome {
            Err(failure) => assert_eq!(failure.kind, Kind::Transient, "{failure}"),
            Ok(()) => {
                assert!(calls >= 4, "only {calls} calls");
                break;
            }
        }
        deliver(&backend, &body).await.expect("consumed");
        assert_eq!(backend.ids("mina"), [""; 0], "after {calls} calls");
    }
}

#[tokio::test]
async fn text_that_is_no_event_is_a_bug_without_its_content() {
    let backend = InMemoryBackend::default();
    for body in ["secret", "{}", r#"{"EndpointArn":7}"#, r#"{"EndpointArn":"arn","Time":"secret"}"#] {
        let failure = deliver(&backend, body).await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Bug);
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }
}

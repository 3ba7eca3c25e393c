//! Sign-in and sign-out, also with failures and with rows of the version before.

use api::DeviceRegistration;
use domain::push::Platform;
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use store::devices::Device;

use super::{
    fixtures::{endpoint_arn, token},
    in_memory_backend::InMemoryBackend,
};
use crate::devices::{self, MAX_DEVICES};

pub fn registration(token_text: &str) -> DeviceRegistration {
    DeviceRegistration { token: token(token_text), platform: Platform::Ios, language: Some("ko".into()) }
}

async fn sign_in(
    backend: &InMemoryBackend,
    user: &str,
    id: &str,
    token_text: &str,
    now: i64,
) -> Result<Device, HandlerError> {
    let now = Timestamp::from_second(now).expect("a time");
    devices::sign_in(&backend.ports(), now, user, id, registration(token_text)).await
}

async fn sign_out(backend: &InMemoryBackend, user: &str, id: &str) -> Result<(), HandlerError> {
    devices::sign_out(&backend.ports(), user, id).await
}

/// A device of the version before.
pub fn unclaimed(user: &str, id: &str, token_text: &str, endpoint: &str) -> Device {
    Device {
        user: user.into(),
        id: id.into(),
        endpoint_arn: endpoint_arn(endpoint),
        token: token(token_text),
        platform: Platform::Ios,
        language: None,
        last_seen: Timestamp::UNIX_EPOCH,
        registration: None,
    }
}

fn row(backend: &InMemoryBackend, user: &str, id: &str) -> Option<Device> {
    backend.devices.borrow().get(&(user.to_owned(), id.to_owned())).cloned()
}

#[tokio::test]
async fn sign_in_stores_device_and_claim_and_sign_out_deletes_both() {
    let backend = InMemoryBackend::default();
    let device = sign_in(&backend, "mina", "phone", "t", 1).await.expect("signed in");
    assert_eq!(row(&backend, "mina", "phone"), Some(device));
    assert_eq!(backend.users_at("t"), ["mina"]);
    for _ in 0..2 {
        sign_out(&backend, "mina", "phone").await.expect("signed out");
        assert!(backend.devices.borrow().is_empty() && backend.claims.borrow().is_empty());
    }
    // The endpoint is left to the collection.
    assert_eq!(backend.unused_endpoints(), 1);
}

#[tokio::test]
async fn repeated_sign_in_makes_four_calls() {
    let backend = InMemoryBackend::default();
    let first = sign_in(&backend, "mina", "phone", "t", 1).await.expect("signed in");
    assert_eq!(backend.calls.take(), ["list", "token claim", "holders", "create endpoint", "get endpoint", "register"]);
    let second = sign_in(&backend, "mina", "phone", "t", 2).await.expect("signed in");
    assert_ne!(second.registration, first.registration);
    let last_seen = Timestamp::from_second(2).expect("a time");
    assert_eq!(second, Device { last_seen, registration: second.registration.clone(), ..first });
    assert_eq!(backend.calls.take(), ["list", "token claim", "get endpoint", "register"]);
}

#[tokio::test]
async fn new_token_has_its_own_endpoint() {
    let backend = InMemoryBackend::default();
    let first = sign_in(&backend, "mina", "phone", "old", 1).await.expect("signed in");
    let second = sign_in(&backend, "mina", "phone", "new", 2).await.expect("signed in");
    // The endpoint of the old token never leads to the new one, regardless of its user.
    assert_ne!(first.endpoint_arn, second.endpoint_arn);
    assert_eq!(backend.endpoints.borrow()[&first.endpoint_arn].token.as_deref(), Some("old"));
    assert!(backend.users_at("old").is_empty());
    assert_eq!(backend.users_at("new"), ["mina"]);
    assert_eq!(backend.claims.borrow().keys().collect::<Vec<_>>(), ["new"]);
}

#[tokio::test]
async fn sign_in_of_other_user_takes_the_token_over() {
    let backend = InMemoryBackend::default();
    sign_in(&backend, "mina", "phone", "t", 1).await.expect("signed in");
    // The index is not needed.
    backend.index_is_stale.set(true);
    let device = sign_in(&backend, "jun", "phone", "t", 2).await.expect("signed in");
    // The former endpoint is gone, so that no message for Mina arrives there.
    assert_eq!(device.endpoint_arn, endpoint_arn("e2"));
    assert_eq!(backend.endpoints.borrow().keys().collect::<Vec<_>>(), [&endpoint_arn("e2")]);
    assert_eq!(backend.users_at("t"), ["jun"]);
    assert!(backend.ids("mina").is_empty());
    // A late sign-out of the previous user does not affect the new one.
    sign_out(&backend, "mina", "phone").await.expect("signed out");
    assert_eq!(backend.users_at("t"), ["jun"]);
}

#[tokio::test]
async fn disabled_endpoint_is_enabled() {
    let backend = InMemoryBackend::default();
    let device = sign_in(&backend, "mina", "phone", "t", 1).await.expect("signed in");
    backend.endpoints.borrow_mut().get_mut(&device.endpoint_arn).expect("an endpoint").is_enabled = false;
    sign_in(&backend, "mina", "phone", "t", 2).await.expect("signed in");
    assert!(backend.endpoints.borrow()[&device.endpoint_arn].is_enabled);
}

#[tokio::test]
async fn device_of_the_version_before_is_taken_over() {
    for index_is_stale in [false, true] {
        for user in ["mina", "jun"] {
            let backend = InMemoryBackend::default();
            backend.add_unclaimed(unclaimed("mina", "phone", "t", "old"));
            backend.index_is_stale.set(index_is_stale);
            let device = sign_in(&backend, user, "phone", "t", 2).await.expect("signed in");
            let is_replaced = user == "jun" && !index_is_stale;
            let endpoint = endpoint_arn(if is_replaced { "e1" } else { "old" });
            assert_eq!((device.endpoint_arn, backend.users_at("t")), (endpoint, vec![user.to_owned()]));
            assert_eq!(backend.devices.borrow().len(), 1);
        }
    }
}

#[tokio::test]
async fn endpoint_that_the_version_before_moved_to_another_token_is_not_used() {
    let backend = InMemoryBackend::default();
    // A registration failed after the endpoint had its new token.
    backend.add_unclaimed(unclaimed("mina", "phone", "new", "old"));
    let half = unclaimed("mina", "phone", "old", "old");
    backend.devices.borrow_mut().insert(("mina".into(), "phone".into()), half);
    sign_in(&backend, "jun", "phone", "new", 2).await.expect("signed in");
    assert_eq!(backend.users_at("new"), ["jun"]);
    sign_in(&backend, "mina", "phone", "old", 3).await.expect("signed in");
    assert_eq!((backend.users_at("old"), backend.users_at("new")), (vec!["mina".to_owned()], vec!["jun".to_owned()]));
}

#[tokio::test]
async fn claim_that_a_roll_back_made_stale_is_replaced() {
    // The version before was deployed again for a while. It gave the token to Jun and left the claim.
    for holder_row_exists in [false, true] {
        let backend = InMemoryBackend::default();
        sign_in(&backend, "mina", "phone", "t", 1).await.expect("signed in");
        let other = unclaimed("mina", "phone", "other", "other");
        backend.devices.borrow_mut().clear();
        if holder_row_exists {
            backend.add_unclaimed(other);
        }
        backend.add_unclaimed(unclaimed("jun", "phone", "t", "e1"));
        sign_in(&backend, "sora", "phone", "t", 2).await.expect("signed in");
        assert_eq!(backend.users_at("t"), ["sora"]);
        assert_eq!(backend.ids("mina").len(), usize::from(holder_row_exists));
        // Mina signs in on the phone again: her own claim was stale, too.
        sign_in(&backend, "mina", "phone", "t", 3).await.expect("signed in");
        assert_eq!(backend.users_at("t"), ["mina"]);
    }
    let backend = InMemoryBackend::default();
    sign_in(&backend, "mina", "phone", "t", 1).await.expect("signed in");
    backend.devices.borrow_mut().clear();
    backend.add_unclaimed(unclaimed("jun", "phone", "t", "e1"));
    sign_in(&backend, "mina", "phone", "t", 2).await.expect("signed in");
    assert_eq!(backend.users_at("t"), ["mina"]);
}

#[tokio::test]
async fn failure_at_any_call_leaks_to_no_other_user_and_retry_succeeds() {
    for is_unclaimed in [false, true] {
        for calls_until_failure in 0.. {
            let backend = InMemoryBackend::default();
            if is_unclaimed {
                backend.add_unclaimed(unclaimed("mina", "phone", "t", "old"));
            } else {
                sign_in(&backend, "mina", "phone", "t", 1).await.expect("signed in");
            }
            sign_in(&backend, "jun", "phone", "u", 1).await.expect("signed in");
            backend.calls_until_failure.set(Some(calls_until_failure));
            let outcome = sign_in(&backend, "jun", "phone", "t", 2).await;
            backend.calls_until_failure.set(None);
            // A second user at the same token would be the wrong one.
            let reached = backend.users_at("t").len();
            assert!(reached <= 1, "{reached} after {calls_until_failure} calls");
            if outcome.is_ok() {
                assert!(calls_until_failure >= 4, "only {calls_until_failure} calls");
                break;
            }
            sign_in(&backend, "jun", "phone", "t", 3).await.expect("signed in");
            assert_eq!(backend.users_at("t"), ["jun"], "after {calls_until_failure} calls");
            assert!(backend.users_at("u").is_empty());
            assert!(backend.ids("mina").is_empty());
        }
    }
}

#[tokio::test]
async fn endpoint_of_former_application_is_ignored() {
    let backend = InMemoryBackend::default();
    sign_in(&backend, "mina", "phone", "t", 1).await.expect("signed in");
    let former_arn = "arn:aws:sns:ap-northeast-2:123456789012:endpoint/GCM/iyagi-push-2/e1";
    backend.devices.borrow_mut().values_mut().for_each(|device| device.endpoint_arn = former_arn.into());
    backend.claims.borrow_mut().values_mut().for_each(|claim| claim.endpoint_arn = former_arn.into());
    let again = sign_in(&backend, "mina", "phone", "t", 2).await.expect("signed in");
    assert_eq!(again.endpoint_arn, endpoint_arn("e1"));
    assert_eq!(backend.users_at("t"), ["mina"]);
}

#[tokio::test]
async fn sign_in_beyond_max_devices_removes_oldest() {
    let backend = InMemoryBackend::default();
    for number in 0..MAX_DEVICES {
        // The second device has the oldest `last_seen`.
        let seen = if number == 1 { 0 } else { 100 + i64::try_from(number).expect("small") };
        sign_in(&backend, "mina", &format!("d{number}"), &format!("t{number}"), seen).await.expect("signed in");
    }
    assert_eq!(backend.ids("mina").len(), MAX_DEVICES);
    // A sign-in on a known device removes none.
    sign_in(&backend, "mina", "d0", "t0", 200).await.expect("signed in");
    assert_eq!(backend.ids("mina").len(), MAX_DEVICES);
    sign_in(&backend, "mina", "new", "t", 300).await.expect("signed in");
    let left = backend.ids("mina");
    assert_eq!(left.len(), MAX_DEVICES);
    assert!(!left.contains(&"d1".to_owned()) && left.contains(&"new".to_owned()));
    assert!(backend.users_at("t1").is_empty());
}

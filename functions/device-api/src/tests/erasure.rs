//! Erasure of a user's devices.

use domain::{
    account::{DeviceErasure, Erasure},
    push::{Category, Preferences},
};
use jiff::Timestamp;

use super::{devices::registration, fixtures::request, in_memory_backend::InMemoryBackend};
use crate::{devices::sign_in, erasure::erase, handler::handle, ports::Devices};

fn message() -> DeviceErasure {
    DeviceErasure { erasure: Erasure::start("mina", "m", Timestamp::UNIX_EPOCH) }
}

async fn add(backend: &InMemoryBackend, user: &str, id: &str, token: &str) {
    sign_in(&backend.ports(), Timestamp::UNIX_EPOCH, user, id, registration(token)).await.expect("signed in");
}

#[tokio::test]
async fn devices_endpoints_and_preferences_of_the_user_are_erased_and_those_of_others_stay() {
    let backend = InMemoryBackend::default();
    for (user, id, token) in [("mina", "phone", "t1"), ("mina", "tablet", "t2"), ("jun", "phone", "t3")] {
        add(&backend, user, id, token).await;
        let preferences = Preferences { muted: [Category::Likes].into(), ..Preferences::default() };
        backend.ports().devices.put_preferences(user, &preferences).await.expect("stored");
    }
    for _ in 0..2 {
        erase(&backend.ports(), Timestamp::UNIX_EPOCH, &message()).await.expect("erased");
    }
    let users: Vec<_> = backend.devices.borrow().keys().map(|(user, _)| user.clone()).collect();
    assert_eq!(users, ["jun"]);
    assert_eq!(backend.endpoints.borrow().len(), 1);
    assert_eq!(backend.preferences.borrow().keys().collect::<Vec<_>>(), ["jun"]);
}

#[tokio::test]
async fn erasure_that_ends_before_any_call_is_completed_by_the_next() {
    for calls in 0.. {
        let backend = InMemoryBackend::default();
        add(&backend, "mina", "phone", "t1").await;
        backend.calls_until_failure.set(Some(calls));
        let is_erased = erase(&backend.ports(), Timestamp::UNIX_EPOCH, &message()).await.is_ok();
        backend.calls_until_failure.set(None);
        erase(&backend.ports(), Timestamp::UNIX_EPOCH, &message()).await.expect("erased");
        assert!(backend.devices.borrow().is_empty() && backend.endpoints.borrow().is_empty(), "{calls} calls");
        assert!(backend.claims.borrow().values().all(|claim| claim.holder.is_none()), "{calls} calls");
        if is_erased {
            assert!(calls >= 6, "only {calls} calls");
            return;
        }
    }
}

#[tokio::test]
async fn phone_of_another_user_by_now_keeps_its_endpoint() {
    let backend = InMemoryBackend::default();
    add(&backend, "mina", "phone", "t1").await;
    add(&backend, "jun", "phone", "t1").await;
    erase(&backend.ports(), Timestamp::UNIX_EPOCH, &message()).await.expect("erased");
    assert_eq!(backend.users_at("t1"), ["jun"]);
    assert_eq!(backend.endpoints.borrow().len(), 1);
}

#[tokio::test]
async fn token_of_an_earlier_application_names_the_user_no_more() {
    let backend = InMemoryBackend::default();
    add(&backend, "mina", "phone", "t1").await;
    let foreign = "arn:aws:sns:ap-northeast-2:000000000000:endpoint/GCM/earlier/e1";
    backend.devices.borrow_mut().values_mut().for_each(|device| device.endpoint_arn = foreign.to_owned());
    erase(&backend.ports(), Timestamp::UNIX_EPOCH, &message()).await.expect("erased");
    assert!(backend.devices.borrow().is_empty());
    assert!(backend.claims.borrow().values().all(|claim| claim.holder.is_none()));
}

#[tokio::test]
async fn erased_user_can_store_nothing() {
    let backend = InMemoryBackend::default();
    erase(&backend.ports(), Timestamp::UNIX_EPOCH, &message()).await.expect("erased");
    let device = r#"{"token": "t", "platform": "android"}"#;
    for (route, body) in [("PUT /v1/devices/{id}", device), ("PUT /v1/notification-preferences", "{}")] {
        let response = handle(&backend.ports(), Timestamp::UNIX_EPOCH, &request("mina", route, "phone", body)).await;
        assert_eq!(response.status_code, 401, "{route}");
        let response = handle(&backend.ports(), Timestamp::UNIX_EPOCH, &request("jun", route, "phone", body)).await;
        assert_eq!(response.status_code, 200, "{route}");
    }
}

//! Deletion of endpoints that no device has.

use jiff::Timestamp;
use rest_kit::response::HandlerError;

use super::{
    devices::{registration, unclaimed},
    in_memory_backend::InMemoryBackend,
};
use crate::{
    collection::{Collected, collect},
    devices::{sign_in, sign_out},
    ports::Devices,
};

async fn sign_in_and_out(backend: &InMemoryBackend, count: u64) -> Result<(), HandlerError> {
    for number in 0..count {
        let token = format!("left{number}");
        sign_in(&backend.ports(), Timestamp::UNIX_EPOCH, "mina", "phone", registration(&token)).await?;
        sign_out(&backend.ports(), "mina", "phone").await?;
    }
    Ok(())
}

async fn collected(backend: &InMemoryBackend) -> Collected {
    collect(&backend.ports(), Timestamp::UNIX_EPOCH, || false).await.expect("collected")
}

#[tokio::test]
async fn only_endpoints_without_a_device_are_deleted() {
    let backend = InMemoryBackend::default();
    sign_in_and_out(&backend, 3).await.expect("signed out");
    sign_in(&backend.ports(), Timestamp::UNIX_EPOCH, "jun", "phone", registration("t")).await.expect("signed in");
    // A device of the version before, and one that the index does not show.
    backend.add_unclaimed(unclaimed("sora", "phone", "s", "old1"));
    assert_eq!(collected(&backend).await, Collected { examined: 5, deleted: 3 });
    backend.index_is_stale.set(true);
    assert_eq!(collected(&backend).await, Collected { examined: 2, deleted: 0 });
    assert_eq!((backend.users_at("t"), backend.users_at("s")), (vec!["jun".to_owned()], vec!["sora".to_owned()]));
    // The token can be used again.
    sign_in(&backend.ports(), Timestamp::UNIX_EPOCH, "mina", "phone", registration("left0")).await.expect("signed in");
    assert_eq!(backend.users_at("left0"), ["mina"]);
    assert_eq!(collected(&backend).await, Collected { examined: 3, deleted: 0 });
}

#[tokio::test]
async fn collection_continues_where_the_one_before_stopped() {
    let backend = InMemoryBackend::default();
    sign_in_and_out(&backend, 5).await.expect("signed out");
    let mut examined = Vec::new();
    for _ in 0..3 {
        let collected = collect(&backend.ports(), Timestamp::UNIX_EPOCH, || true).await.expect("collected");
        examined.push(collected.examined);
    }
    assert_eq!(examined, [2, 2, 1]);
    assert!(backend.endpoints.borrow().is_empty());
    // An expired cursor is no failure.
    backend.put_collection_cursor(Some("expired")).await.expect("stored");
    assert_eq!(collected(&backend).await.examined, 0);
    assert_eq!(backend.collection_cursor().await.expect("a cursor"), None);
}

#[tokio::test]
async fn collection_that_fails_at_any_call_is_completed_by_the_next() {
    for calls_until_failure in 0.. {
        let backend = InMemoryBackend::default();
        sign_in_and_out(&backend, 1).await.expect("signed out");
        backend.calls_until_failure.set(Some(calls_until_failure));
        let outcome = collect(&backend.ports(), Timestamp::UNIX_EPOCH, || false).await;
        backend.calls_until_failure.set(None);
        if outcome.is_ok() {
            assert!(calls_until_failure >= 7, "only {calls_until_failure} calls");
            break;
        }
        collected(&backend).await;
        assert!(backend.endpoints.borrow().is_empty(), "after {calls_until_failure} calls");
    }
}

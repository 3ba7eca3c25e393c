//! Devices that fail, are gone, or receive a duplicate.

use function_kit::failure::Kind;
use jiff::SignedDuration;

use super::{
    changes::{add_edge, add_story},
    fixtures::{add_followers, invalid, liked_story, notifications, story_sent_to, transient},
    in_memory_backend::InMemoryBackend,
};
use crate::publish_error::PublishError;

#[tokio::test]
async fn crash_between_publish_and_mark_sends_duplicate_that_replaces_itself() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.crash_before_mark.set(true);
    assert_eq!(backend.deliver(&liked_story()).await, [Kind::Transient]);
    // Delivered again at once: the claim of the crashed invocation still holds.
    assert_eq!(backend.deliver(&liked_story()).await, [Kind::Transient]);
    assert_eq!(backend.sent().len(), 1);
    // The visibility timeout is longer than a claim.
    backend.advance_clock(SignedDuration::from_secs(180));
    assert_eq!(backend.deliver(&liked_story()).await, []);
    let pushes = backend.pushes.borrow().clone();
    assert_eq!(pushes.len(), 2);
    for path in ["/android/notification/tag", "/apns/headers/apns-collapse-id"] {
        let marks: Vec<_> = pushes.iter().map(|push| push.message.pointer(path).cloned()).collect();
        assert!(marks[0].is_some() && marks[0] == marks[1], "{marks:?}");
    }
    backend.deliver(&liked_story()).await;
    assert_eq!(backend.sent().len(), 2, "no third time");
}

#[tokio::test]
async fn retry_after_failed_device_skips_the_others() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.add_device("mina", "tablet");
    backend.fail_publish("mina/tablet", transient);
    assert_eq!(backend.deliver(&liked_story()).await, [Kind::Transient]);
    assert_eq!(backend.deliver(&liked_story()).await, []);
    let mut endpoints: Vec<_> = backend.pushes.borrow().iter().map(|push| push.endpoint.clone()).collect();
    endpoints.sort();
    assert_eq!(endpoints, ["mina/phone", "mina/tablet"]);
}

#[tokio::test]
async fn disabled_endpoint_removes_device() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.fail_publish("mina/phone", || PublishError::EndpointDisabled);
    assert_eq!(backend.deliver(&liked_story()).await, []);
    assert_eq!(backend.device_count("mina"), 0);
    assert_eq!(backend.deliver(&liked_story()).await, []);
    assert_eq!(backend.sent(), []);
}

#[tokio::test]
async fn missing_endpoint_removes_device() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.fail_publish("mina/phone", || PublishError::EndpointGone);
    assert_eq!(backend.deliver(&liked_story()).await, []);
    assert_eq!(backend.device_count("mina"), 0);
}

#[tokio::test]
async fn device_stays_beyond_the_limit_of_removals_and_the_next_notification_removes_it() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.removal_limit_is_reached.set(true);
    backend.fail_publish("mina/phone", || PublishError::EndpointDisabled);
    assert_eq!(backend.deliver(&liked_story()).await, []);
    assert_eq!(backend.device_count("mina"), 1);
    backend.removal_limit_is_reached.set(false);
    backend.fail_publish("mina/phone", || PublishError::EndpointDisabled);
    assert_eq!(backend.deliver(&[add_edge(3, "follows", "jun", "mina")]).await, []);
    assert_eq!(backend.device_count("mina"), 0);
}

#[tokio::test]
async fn device_registered_again_stays_and_gets_the_message_by_a_retry() {
    for error in [|| PublishError::EndpointDisabled, || PublishError::EndpointGone] {
        let backend = InMemoryBackend::with_users(&["mina"]);
        backend.device_reregisters.set(true);
        backend.fail_publish("mina/phone", error);
        assert_eq!(backend.deliver(&liked_story()).await, [Kind::Transient]);
        assert_eq!((backend.device_count("mina"), backend.sent()), (1, vec![]));
        assert_eq!(backend.deliver(&liked_story()).await, []);
        assert_eq!(backend.sent(), notifications(&[("mina", "like-story")]));
    }
}

#[tokio::test]
async fn claim_with_a_lost_response_is_not_held_against_its_own_repetition() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.claim_response_is_lost.set(true);
    assert_eq!(backend.deliver(&liked_story()).await, []);
    assert_eq!(backend.sent(), notifications(&[("mina", "like-story")]));
}

#[tokio::test]
async fn invalid_payload_is_a_bug_and_keeps_device() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.fail_publish("mina/phone", invalid);
    assert_eq!(backend.deliver(&liked_story()).await, [Kind::Bug]);
    assert_eq!(backend.device_count("mina"), 1);
    // A redrive after the fix.
    assert_eq!(backend.deliver(&liked_story()).await, []);
    assert_eq!(backend.sent(), notifications(&[("mina", "like-story")]));
}

#[tokio::test]
async fn failed_recipient_does_not_affect_others() {
    let backend = InMemoryBackend::new();
    let fans = add_followers(&backend, 5).await;
    backend.fail_publish("fan0002/phone", invalid);
    backend.fail_publish("fan0004/phone", transient);
    let story = [add_story(999, "s1", None), add_edge(1000, "told", "mina", "s1")];
    // A transient failure takes precedence: the page is retried, and then only the bug is left.
    assert_eq!(backend.deliver(&story).await, [Kind::Transient]);
    assert_eq!(backend.sent().len(), 3);
    backend.fail_publish("fan0002/phone", invalid);
    assert_eq!(backend.deliver(&story).await, [Kind::Bug]);
    assert_eq!(backend.sent().len(), 4);
    assert_eq!(backend.deliver(&story).await, []);
    assert_eq!(backend.sent(), story_sent_to(&fans));
}

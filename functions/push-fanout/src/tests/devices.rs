//! Phones that fail, are gone, or ring twice.

use function_kit::failure::Kind;
use jiff::SignedDuration;

use super::{famous, invalid, liked, story_to, transient};
use crate::{
    refusal::Refusal,
    town::{Town, add, come, told},
};

#[tokio::test]
async fn a_crash_between_publish_and_mark_sends_a_duplicate_that_replaces_itself() {
    let town = Town::of(&["mina"]);
    town.dies_before_mark.set(true);
    assert_eq!(town.deliver(&liked()).await, [Kind::Transient]);
    // It comes again at once: whoever has it in hand may still be at it.
    assert_eq!(town.deliver(&liked()).await, [Kind::Transient]);
    assert_eq!(town.told().len(), 1);
    // The queue hides a message for longer than a claim lasts.
    town.passes(SignedDuration::from_secs(180));
    assert_eq!(town.deliver(&liked()).await, []);
    let pushes = town.pushes.borrow().clone();
    assert_eq!(pushes.len(), 2);
    for path in ["/android/notification/tag", "/apns/headers/apns-collapse-id"] {
        let marks: Vec<_> = pushes.iter().map(|push| push.message.pointer(path).cloned()).collect();
        assert!(marks[0].is_some() && marks[0] == marks[1], "{marks:?}");
    }
    town.deliver(&liked()).await;
    assert_eq!(town.told().len(), 2, "and never again");
}

#[tokio::test]
async fn a_device_that_fails_does_not_make_others_ring_twice() {
    let town = Town::of(&["mina"]);
    town.gets_phone("mina", "tablet");
    town.refuses("mina/tablet", transient);
    assert_eq!(town.deliver(&liked()).await, [Kind::Transient]);
    assert_eq!(town.deliver(&liked()).await, []);
    let mut endpoints: Vec<_> = town.pushes.borrow().iter().map(|push| push.endpoint.clone()).collect();
    endpoints.sort();
    assert_eq!(endpoints, ["mina/phone", "mina/tablet"]);
}

#[tokio::test]
async fn a_disabled_endpoint_is_deleted_and_its_device_forgotten() {
    let town = Town::of(&["mina"]);
    town.refuses("mina/phone", || Refusal::Disabled);
    assert_eq!(town.deliver(&liked()).await, []);
    assert_eq!(town.phones_of("mina"), 0);
    assert_eq!(*town.deleted_endpoints.borrow(), ["mina/phone"]);
    assert_eq!(town.deliver(&liked()).await, []);
    assert_eq!(town.told(), []);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_takes_its_device_along() {
    let town = Town::of(&["mina"]);
    town.refuses("mina/phone", || Refusal::Gone);
    assert_eq!(town.deliver(&liked()).await, []);
    assert_eq!((town.phones_of("mina"), town.deleted_endpoints.borrow().len()), (0, 0));
}

#[tokio::test]
async fn a_device_that_registered_anew_keeps_its_endpoint() {
    let town = Town::of(&["mina"]);
    town.registers_anew.set(true);
    town.refuses("mina/phone", || Refusal::Disabled);
    assert_eq!(town.deliver(&liked()).await, []);
    assert_eq!((town.phones_of("mina"), town.deleted_endpoints.borrow().len()), (1, 0));
}

#[tokio::test]
async fn a_refused_payload_is_a_bug_and_forgets_nobody() {
    let town = Town::of(&["mina"]);
    town.refuses("mina/phone", invalid);
    assert_eq!(town.deliver(&liked()).await, [Kind::Bug]);
    assert_eq!((town.phones_of("mina"), town.deleted_endpoints.borrow().len()), (1, 0));
    // Sent on from the dead letters, when the fault is mended.
    assert_eq!(town.deliver(&liked()).await, []);
    assert_eq!(town.told(), told(&[("mina", "like-story")]));
}

#[tokio::test]
async fn one_bad_recipient_does_not_keep_the_others_from_theirs() {
    let town = Town::new();
    let fans = famous(&town, 5).await;
    town.refuses("fan0002/phone", invalid);
    town.refuses("fan0004/phone", transient);
    let story = [come(999, "s1", None), add(1000, "told", "mina", "s1")];
    // While any failure may pass, the page comes again; then the bug alone is left.
    assert_eq!(town.deliver(&story).await, [Kind::Transient]);
    assert_eq!(town.told().len(), 3);
    town.refuses("fan0002/phone", invalid);
    assert_eq!(town.deliver(&story).await, [Kind::Bug]);
    assert_eq!(town.told().len(), 4);
    assert_eq!(town.deliver(&story).await, []);
    assert_eq!(town.told(), story_to(&fans));
}

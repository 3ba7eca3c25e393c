//! Fast resets: the changes of the old graph have larger positions than those of the new one, and the queue may still
//! deliver them. Every order of deliveries is tried. Invariant: no fact of the old graph counts once a change of the
//! new one was delivered.

use domain::graph::Change;

use super::{
    changes::{add_edge, add_story, remove_edge, set_visibility},
    fixtures::{notifications, permutations},
    in_memory_backend::InMemoryBackend,
};

/// A change of the graph before (`main`) or after (`main.1`) the reset.
type Delivery = (&'static str, Change);

async fn deliver(backend: &InMemoryBackend, (cluster, change): &Delivery) {
    assert_eq!(backend.invoke(vec![change.to_cloud_event(cluster)]).await, []);
    while let Some(continuation) = backend.dequeue() {
        assert_eq!(backend.deliver_continuation(&continuation).await, []);
    }
}

fn old(change: Change) -> Delivery {
    ("main", change)
}

fn new(change: Change) -> Delivery {
    ("main.1", change)
}

#[tokio::test]
async fn story_that_is_private_after_a_reset_is_not_sent_in_any_order() {
    let deliveries = [
        old(add_edge(90, "follows", "fan", "mina")),
        old(add_story(91, "s1", Some("public"))),
        old(add_edge(92, "told", "mina", "s1")),
        new(add_edge(1, "follows", "fan", "mina")),
        new(add_story(2, "s1", Some("private"))),
        new(add_edge(3, "told", "mina", "s1")),
    ];
    for order in permutations(&deliveries) {
        let backend = InMemoryBackend::with_users(&["fan"]);
        let mut is_reset = false;
        for delivery in &order {
            is_reset |= delivery.0 == "main.1";
            let before = backend.sent().len();
            deliver(&backend, delivery).await;
            assert!(!is_reset || backend.sent().len() == before, "{delivery:?} in {order:?}");
        }
        // Shown at last: the story of the new graph is sent once.
        let before = backend.sent().len();
        deliver(&backend, &new(set_visibility(4, "s1", Some("followers")))).await;
        assert_eq!(backend.sent().len(), before + 1, "{order:?}");
    }
}

#[tokio::test]
async fn unfollow_and_block_after_a_reset_count_in_any_order() {
    let deliveries = [
        old(add_edge(90, "follows", "fan", "mina")),
        old(add_edge(91, "follows", "blocked", "mina")),
        old(remove_edge(92, "blocks", "mina", "blocked")),
        new(remove_edge(2, "follows", "fan", "mina")),
        new(add_edge(3, "follows", "blocked", "mina")),
        new(add_edge(4, "blocks", "mina", "blocked")),
        new(add_edge(5, "follows", "friend", "mina")),
    ];
    for order in permutations(&deliveries) {
        let backend = InMemoryBackend::with_users(&["fan", "blocked", "friend"]);
        for delivery in &order {
            deliver(&backend, delivery).await;
        }
        deliver(&backend, &new(add_story(6, "s1", Some("followers")))).await;
        deliver(&backend, &new(add_edge(7, "told", "mina", "s1"))).await;
        assert_eq!(backend.sent(), notifications(&[("friend", "story")]), "{order:?}");
    }
}

#[tokio::test]
async fn owner_before_a_reset_is_no_owner_after_it() {
    let deliveries = [
        old(add_story(90, "s1", None)),
        old(add_edge(91, "told", "mina", "s1")),
        old(add_edge(92, "likes", "jun", "s1")),
        new(add_story(1, "s1", None)),
        new(add_edge(2, "told", "sora", "s1")),
    ];
    for order in permutations(&deliveries) {
        let backend = InMemoryBackend::with_users(&["mina", "sora"]);
        for delivery in &order {
            deliver(&backend, delivery).await;
        }
        let before = backend.sent();
        deliver(&backend, &new(add_edge(3, "likes", "hana", "s1"))).await;
        let mut expected = [before, notifications(&[("sora", "like-story")])].concat();
        expected.sort();
        assert_eq!(backend.sent(), expected, "{order:?}");
    }
}

//! Stories that are hidden, or visible to followers only.

use jiff::SignedDuration;

use super::{
    changes::{add_edge, add_story, remove_edge, set_property, set_visibility},
    fixtures::{add_followers, notifications, permutations, story_sent_to},
    in_memory_backend::InMemoryBackend,
};

#[tokio::test]
async fn private_story_is_sent_once_after_it_becomes_public() {
    let changes = [
        add_edge(1, "follows", "jun", "mina"),
        add_story(2, "s1", Some("private")),
        add_edge(3, "told", "mina", "s1"),
        add_edge(4, "mentions", "s1", "sora"),
        add_edge(5, "likes", "jun", "s1"),
    ];
    for order in permutations(&changes) {
        let backend = InMemoryBackend::with_users(&["mina", "jun", "sora"]);
        for change in &order {
            assert_eq!(backend.deliver(std::slice::from_ref(change)).await, []);
        }
        // The owner is notified of a like whatever the visibility.
        let own = notifications(&[("mina", "follow"), ("mina", "like-story")]);
        assert_eq!((backend.sent(), backend.pending_count()), (own, 2), "{order:?}");
        // Public within its lifetime: the waiting notifications are sent, once.
        let shown = [set_visibility(9, "s1", Some("public"))];
        assert_eq!(backend.deliver(&shown).await, []);
        let all =
            notifications(&[("mina", "follow"), ("mina", "like-story"), ("jun", "story"), ("sora", "mention-story")]);
        // Only the story is left, for follows that are delivered late.
        assert_eq!((backend.sent(), backend.pending_count()), (all.clone(), 1), "{order:?}");
        assert_eq!(backend.deliver(&shown).await, []);
        assert_eq!(backend.deliver(&order).await, []);
        assert_eq!(backend.sent(), all, "a replay sends nothing");
    }
}

#[tokio::test]
async fn story_with_unknown_visibility_waits() {
    let backend = InMemoryBackend::with_users(&["jun"]);
    // The addition of the vertex was never projected, so it may have a visibility.
    let changes = [
        add_edge(1, "follows", "jun", "mina"),
        set_property(2, "s1", "title", "첫눈"),
        add_edge(3, "told", "mina", "s1"),
    ];
    backend.deliver(&changes).await;
    assert_eq!(backend.sent(), []);
    for hidden in [set_visibility(4, "s1", Some("friends")), set_visibility(5, "s1", None)] {
        backend.deliver(&[hidden]).await;
        assert_eq!((backend.sent(), backend.pending_count()), (vec![], 1));
    }
    backend.deliver(&[set_visibility(6, "s1", Some("followers"))]).await;
    assert_eq!(backend.sent(), notifications(&[("jun", "story")]));
}

#[tokio::test]
async fn hidden_story_expired_or_removed_is_not_notified() {
    let changes =
        [add_edge(1, "follows", "jun", "mina"), add_story(2, "s1", Some("private")), add_edge(3, "told", "mina", "s1")];
    let shown = [set_visibility(9, "s1", Some("public"))];
    let backend = InMemoryBackend::with_users(&["jun"]);
    backend.deliver(&changes).await;
    backend.advance_clock(SignedDuration::from_hours(24));
    backend.deliver(&shown).await;
    assert_eq!((backend.sent(), backend.pending_count()), (vec![], 0));

    let backend = InMemoryBackend::with_users(&["jun", "sora"]);
    backend.deliver(&changes).await;
    backend.deliver(&[add_edge(4, "mentions", "s1", "sora")]).await;
    assert_eq!(backend.pending_count(), 2);
    backend.deliver(&[remove_edge(5, "told", "mina", "s1"), remove_edge(6, "mentions", "s1", "sora")]).await;
    assert_eq!(backend.pending_count(), 0);
    backend.deliver(&shown).await;
    assert_eq!(backend.sent(), []);
}

#[tokio::test]
async fn story_shown_while_event_becomes_pending_is_notified() {
    let backend = InMemoryBackend::with_users(&["jun"]);
    backend.deliver(&[add_edge(1, "follows", "jun", "mina")]).await;
    // The other invocation looks for pending events before there is one.
    backend.concurrent_change.replace(Some(add_story(2, "s1", None)));
    assert_eq!(backend.deliver(&[add_edge(3, "told", "mina", "s1")]).await, []);
    assert_eq!((backend.sent(), backend.pending_count()), (notifications(&[("jun", "story")]), 1));
}

#[tokio::test]
async fn mention_reaches_a_follower_whose_follow_is_delivered_later() {
    for follow_commit in [3, 6] {
        let backend = InMemoryBackend::with_users(&["jun"]);
        let changes = [add_story(1, "s1", Some("followers")), add_edge(2, "told", "mina", "s1")];
        assert_eq!(backend.deliver(&changes).await, []);
        assert_eq!(backend.deliver(&[add_edge(5, "mentions", "s1", "jun")]).await, []);
        assert_eq!(backend.sent(), []);
        for _ in 0..2 {
            assert_eq!(backend.deliver(&[add_edge(follow_commit, "follows", "jun", "mina")]).await, []);
            let expected: &[_] = if follow_commit < 5 { &[("jun", "mention-story")] } else { &[] };
            assert_eq!(backend.sent(), notifications(expected));
        }
    }
}

#[tokio::test]
async fn mention_in_story_for_followers_reaches_followers_only() {
    let backend = InMemoryBackend::with_users(&["jun", "sora"]);
    backend
        .deliver(&[
            add_edge(1, "follows", "jun", "mina"),
            add_story(2, "s1", Some("followers")),
            add_edge(3, "told", "mina", "s1"),
            add_edge(4, "mentions", "s1", "jun"),
            add_edge(5, "mentions", "s1", "sora"),
        ])
        .await;
    let to_jun = [("jun", "story"), ("jun", "mention-story")];
    assert_eq!(backend.sent(), notifications(&to_jun));
    backend.deliver(&[set_visibility(6, "s1", Some("public"))]).await;
    assert_eq!(backend.sent(), notifications(&[to_jun[0], to_jun[1], ("sora", "mention-story")]));
}

#[tokio::test]
async fn story_hidden_between_pages_continues_when_visible_again() {
    let backend = InMemoryBackend::new();
    backend.page_size.set(2);
    let fans = add_followers(&backend, 7).await;
    backend.deliver(&[add_story(999, "s1", None)]).await;
    backend.deliver_changes(&[add_edge(1000, "told", "mina", "s1")]).await;
    let second = backend.dequeue().expect("a second page");
    backend.deliver_continuation(&second).await;
    assert_eq!(backend.sent(), story_sent_to(&fans[..4]));
    backend.deliver_changes(&[set_visibility(1001, "s1", None)]).await;
    assert_eq!(backend.deliver(&[]).await, []);
    // A late follow that is older than the story waits as well.
    backend.add_device("late", "phone");
    assert_eq!(backend.deliver(&[add_edge(500, "follows", "late", "mina")]).await, []);
    assert_eq!(backend.sent(), story_sent_to(&fans[..4]));
    assert_eq!(backend.deliver(&[set_visibility(1002, "s1", Some("followers"))]).await, []);
    let all = [fans.as_slice(), &["late".to_owned()]].concat();
    assert_eq!(backend.sent(), story_sent_to(&all), "each once");
}

#[tokio::test]
async fn late_follower_is_not_notified_of_hidden_story() {
    let backend = InMemoryBackend::with_users(&["jun"]);
    backend
        .deliver(&[
            add_story(4, "s1", None),
            add_edge(5, "told", "mina", "s1"),
            set_visibility(6, "s1", Some("private")),
        ])
        .await;
    backend.deliver(&[add_edge(1, "follows", "jun", "mina")]).await;
    assert_eq!(backend.sent(), []);
    backend.deliver(&[set_visibility(7, "s1", Some("public"))]).await;
    assert_eq!(backend.sent(), notifications(&[("jun", "story")]));
}

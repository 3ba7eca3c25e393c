//! Recipients of notifications, in any order of delivery.

use domain::push::{Category, Preferences, QuietHours};
use jiff::SignedDuration;
use serde_json::json;

use super::{
    changes::{add_edge, add_story, remove_edge, set_property},
    fixtures::{liked_story, notifications, permutations, transient},
    in_memory_backend::InMemoryBackend,
};

#[tokio::test]
async fn each_change_notifies_its_recipients_with_names_and_titles() {
    let backend = InMemoryBackend::with_users(&["mina", "jun", "sora"]);
    let changes = [
        set_property(1, "mina", "name", "미나"),
        set_property(2, "jun", "name", "준"),
        add_edge(3, "follows", "jun", "mina"),
        add_story(4, "s1", None),
        set_property(4, "s1", "title", "첫눈"),
        add_edge(5, "told", "mina", "s1"),
        add_edge(6, "likes", "jun", "s1"),
        add_edge(7, "wrote", "jun", "c1"),
        add_edge(8, "replies_to", "c1", "s1"),
        add_edge(9, "mentions", "c1", "sora"),
        add_edge(10, "likes", "mina", "c1"),
    ];
    assert_eq!(backend.deliver(&changes).await, []);
    let expected = notifications(&[
        ("mina", "follow"),
        ("jun", "story"),
        ("mina", "like-story"),
        ("mina", "reply-story"),
        ("sora", "mention-comment"),
        ("jun", "like-comment"),
    ]);
    assert_eq!(backend.sent(), expected);
    let pushes = backend.pushes.borrow();
    let like = pushes.iter().find(|push| push.user_and_rule().1 == "like-story").expect("a push");
    assert_eq!(like.message["android"]["notification"]["body_loc_args"], json!(["준", "첫눈"]));
    assert_eq!(like.message["data"]["actor"], "jun");
}

#[tokio::test]
async fn any_delivery_order_sends_the_same_notifications_once() {
    let changes = [
        add_edge(1, "follows", "jun", "mina"),
        add_story(2, "s1", None),
        add_edge(2, "told", "mina", "s1"),
        add_edge(3, "likes", "jun", "s1"),
        add_edge(4, "wrote", "sora", "c1"),
        add_edge(5, "replies_to", "c1", "s1"),
    ];
    let expected =
        notifications(&[("mina", "follow"), ("jun", "story"), ("mina", "like-story"), ("mina", "reply-story")]);
    for order in permutations(&changes) {
        let backend = InMemoryBackend::with_users(&["mina", "jun", "sora"]);
        for change in &order {
            assert_eq!(backend.deliver(std::slice::from_ref(change)).await, []);
        }
        assert_eq!(backend.sent(), expected, "{order:?}");
        // Only the story is left, for follows that are delivered late.
        assert_eq!(backend.pending_count(), 1, "{order:?}");
        // The same changes again, reversed, in one batch.
        let again: Vec<_> = order.into_iter().rev().collect();
        assert_eq!(backend.deliver(&again).await, []);
        assert_eq!(backend.sent(), expected, "a replay sends nothing");
    }
}

#[tokio::test]
async fn owner_projected_while_event_becomes_pending_is_notified() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    // The other invocation looks for pending events before there is one.
    backend.concurrent_change.replace(Some(add_edge(1, "told", "mina", "s1")));
    assert_eq!(backend.deliver(&[add_edge(2, "likes", "jun", "s1")]).await, []);
    assert_eq!((backend.sent(), backend.pending_count()), (notifications(&[("mina", "like-story")]), 0));
}

#[tokio::test]
async fn removed_edge_is_not_notified() {
    let like_and_removal = [add_edge(2, "likes", "jun", "s1"), remove_edge(3, "likes", "jun", "s1")];
    // Removed in the same batch.
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.deliver(&[add_edge(1, "told", "mina", "s1")]).await;
    assert_eq!(backend.deliver(&like_and_removal).await, []);
    assert_eq!(backend.sent(), []);
    // Removed while the like waits for the story's owner.
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.deliver(&like_and_removal[..1]).await;
    assert_eq!(backend.pending_count(), 1);
    backend.deliver(&like_and_removal[1..]).await;
    assert_eq!(backend.pending_count(), 0);
    backend.deliver(&[add_edge(1, "told", "mina", "s1")]).await;
    assert_eq!(backend.sent(), []);
    // The addition is delivered after the removal.
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.deliver(&[add_edge(1, "told", "mina", "s1"), like_and_removal[1].clone()]).await;
    backend.deliver(&like_and_removal[..1]).await;
    assert_eq!(backend.sent(), []);
}

#[tokio::test]
async fn edge_added_again_is_notified_once() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    let changes = [
        add_edge(1, "told", "mina", "s1"),
        add_edge(2, "likes", "jun", "s1"),
        remove_edge(3, "likes", "jun", "s1"),
        add_edge(4, "likes", "jun", "s1"),
    ];
    backend.deliver(&changes).await;
    assert_eq!(backend.sent(), notifications(&[("mina", "like-story")]));
    assert_eq!(backend.pushes.borrow()[0].message["data"]["event"], "main/4/1");
}

#[tokio::test]
async fn own_action_is_not_notified() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend
        .deliver(&[
            add_edge(1, "told", "mina", "s1"),
            add_edge(2, "likes", "mina", "s1"),
            add_edge(3, "follows", "mina", "mina"),
            add_edge(4, "told", "mina", "s2"),
        ])
        .await;
    assert_eq!(backend.sent(), []);
}

#[tokio::test]
async fn block_suppresses_both_directions_and_mute_one() {
    for (label, from, to, is_notified) in [
        ("blocks", "mina", "jun", false),
        ("blocks", "jun", "mina", false),
        ("mutes", "mina", "jun", false),
        ("mutes", "jun", "mina", true),
        ("blocks", "mina", "sora", true),
    ] {
        let backend = InMemoryBackend::with_users(&["mina"]);
        backend.deliver(&[add_edge(1, label, from, to)]).await;
        backend.deliver(&liked_story()).await;
        assert_eq!(!backend.sent().is_empty(), is_notified, "{from} {label} {to}");
        // The decision stays after the edge is removed and the stream is replayed.
        backend.deliver(&[remove_edge(9, label, from, to)]).await;
        backend.deliver(&liked_story()).await;
        assert_eq!(!backend.sent().is_empty(), is_notified, "{from} {label} {to}");
    }
}

#[tokio::test]
async fn suppression_after_a_failed_attempt_stays() {
    for label in ["blocks", "mutes"] {
        let backend = InMemoryBackend::with_users(&["mina"]);
        backend.fail_publish("mina/phone", transient);
        assert_eq!(backend.deliver(&liked_story()).await.len(), 1);
        backend.deliver(&[add_edge(3, label, "mina", "jun")]).await;
        assert_eq!(backend.deliver(&liked_story()).await, []);
        backend.deliver(&[remove_edge(4, label, "mina", "jun")]).await;
        backend.deliver(&liked_story()).await;
        assert_eq!(backend.sent(), [], "{label}");
    }
}

#[tokio::test]
async fn block_later_in_the_batch_suppresses() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    let mut changes = liked_story();
    changes.push(add_edge(3, "blocks", "mina", "jun"));
    backend.deliver(&changes).await;
    assert_eq!(backend.sent(), []);
}

#[tokio::test]
async fn muted_category_suppresses_and_quiet_hours_silence() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.set_preferences("mina", Preferences { muted: [Category::Likes].into(), ..Preferences::default() });
    backend.deliver(&liked_story()).await;
    assert_eq!(backend.sent(), []);

    let backend = InMemoryBackend::with_users(&["mina"]);
    // The backend's clock is just after midnight, UTC.
    let night = QuietHours::new("22:00", "07:00", "UTC").expect("quiet hours");
    backend.set_preferences("mina", Preferences { quiet_hours: Some(night), ..Preferences::default() });
    backend.deliver(&liked_story()).await;
    let push = backend.pushes.borrow()[0].clone();
    assert_eq!(push.message["android"]["notification"]["channel_id"], "quiet");
    assert_eq!(push.message["apns"]["payload"]["aps"].get("sound"), None);
}

#[tokio::test]
async fn unknown_name_uses_text_without_name() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.deliver(&liked_story()).await;
    let push = backend.pushes.borrow()[0].clone();
    assert_eq!(push.message["android"]["notification"]["body_loc_key"], "push_like_story_body");
}

#[tokio::test]
async fn expired_event_is_not_notified() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.advance_clock(SignedDuration::from_hours(24));
    backend.deliver(&liked_story()).await;
    assert_eq!(backend.sent(), []);
}

//! What the inbox holds, in any order of delivery.

use domain::push::{Category, Preferences};
use interleavings::{Bounds, Gate, explore, sample};
use jiff::SignedDuration;

use super::{
    changes::{add_edge, add_story, remove_edge},
    fixtures::{add_followers, liked_story, transient},
    in_memory_backend::InMemoryBackend,
    interleavings::{Invocations, set_up},
};

/// Expected groups: keys with actors, the latest first.
fn groups(expected: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |actors: &[&str]| actors.iter().map(|&actor| actor.to_owned()).collect();
    expected.iter().map(|(key, actors)| ((*key).to_owned(), owned(actors))).collect()
}

#[tokio::test]
async fn likes_of_one_story_are_one_group_and_set_the_badge() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    let mut changes = liked_story();
    changes.extend([add_edge(3, "likes", "sora", "s1"), add_edge(4, "follows", "sora", "mina")]);
    assert_eq!(backend.deliver(&changes).await, []);
    assert_eq!(backend.inbox.of("mina"), groups(&[("follow:sora", &["sora"]), ("like-story:s1", &["sora", "jun"])]));
    let badges: Vec<_> = {
        let pushes = backend.pushes.borrow();
        pushes.iter().map(|push| push.message["apns"]["payload"]["aps"]["badge"].clone()).collect()
    };
    assert_eq!(badges, [1, 1, 2]);
}

#[tokio::test]
async fn user_without_a_device_has_an_inbox() {
    let backend = InMemoryBackend::new();
    for _ in 0..2 {
        assert_eq!(backend.deliver(&liked_story()).await, []);
    }
    assert_eq!(backend.inbox.of("mina"), groups(&[("like-story:s1", &["jun"])]));
}

#[tokio::test]
async fn replay_adds_nothing_again() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.deliver(&liked_story()).await;
    let before = backend.inbox.of("mina");
    backend.advance_clock(SignedDuration::from_secs(600));
    backend.deliver(&liked_story()).await;
    assert_eq!(backend.inbox.of("mina"), before);
}

#[tokio::test]
async fn blocked_muted_and_own_actions_are_not_in_the_inbox_also_after_a_replay() {
    for (label, from, to) in [("blocks", "mina", "jun"), ("blocks", "jun", "mina"), ("mutes", "mina", "jun")] {
        let backend = InMemoryBackend::with_users(&["mina"]);
        backend.deliver(&[add_edge(1, label, from, to)]).await;
        backend.deliver(&liked_story()).await;
        backend.deliver(&[remove_edge(9, label, from, to), add_edge(10, "likes", "mina", "s1")]).await;
        backend.deliver(&liked_story()).await;
        assert_eq!(backend.inbox.of("mina"), [], "{from} {label} {to}");
    }
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.set_preferences("mina", Preferences { muted: [Category::Likes].into(), ..Preferences::default() });
    backend.deliver(&liked_story()).await;
    assert_eq!(backend.inbox.of("mina"), []);
}

#[tokio::test]
async fn unlike_disappears_from_the_inbox() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    let mut changes = liked_story();
    changes.push(add_edge(3, "likes", "sora", "s1"));
    backend.deliver(&changes).await;
    for _ in 0..2 {
        backend.deliver(&[remove_edge(5, "likes", "sora", "s1")]).await;
        assert_eq!(backend.inbox.of("mina"), groups(&[("like-story:s1", &["jun"])]));
    }
    // The story is deleted: its edges are removed in any order.
    backend.deliver(&[remove_edge(6, "told", "mina", "s1"), remove_edge(6, "likes", "jun", "s1")]).await;
    assert_eq!(backend.inbox.of("mina"), groups(&[]));
    backend.deliver(&changes).await;
    assert_eq!(backend.inbox.of("mina"), [], "a replay brings nothing back");
}

#[tokio::test]
async fn unpublished_story_disappears_from_the_inboxes_of_all_followers() {
    let backend = InMemoryBackend::new();
    backend.page_size.set(2);
    let fans = add_followers(&backend, 5).await;
    backend.deliver(&[add_story(9, "s1", None), add_edge(10, "told", "mina", "s1")]).await;
    for fan in &fans {
        assert_eq!(backend.inbox.of(fan), groups(&[("story:s1", &["mina"])]));
    }
    backend.deliver(&[remove_edge(11, "told", "mina", "s1")]).await;
    assert!(fans.iter().all(|fan| backend.inbox.of(fan).is_empty()));
}

#[tokio::test]
async fn failed_send_is_in_the_inbox_once() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.fail_publish("mina/phone", transient);
    assert_eq!(backend.deliver(&liked_story()).await.len(), 1);
    assert_eq!(backend.inbox.of("mina"), groups(&[("like-story:s1", &["jun"])]));
    assert_eq!(backend.deliver(&liked_story()).await, []);
    assert_eq!(backend.inbox.of("mina"), groups(&[("like-story:s1", &["jun"])]));
}

/// A like that waits for the story's owner, and is removed while the owner arrives.
fn removed_while_owner_arrives(gate: Gate) -> Invocations {
    let gated = [
        "apply",
        "look up",
        "pending page",
        "remove pending",
        "add holder",
        "edge exists",
        "add to inbox",
        "inbox holders",
        "withdraw holder",
        "remove from inbox",
    ];
    let backend = InMemoryBackend::behind(gate, &gated);
    set_up(&backend, &[add_edge(2, "likes", "jun", "s1")]);
    let mut scenario = Invocations::new(
        backend,
        &[&[add_edge(1, "told", "mina", "s1")], &[remove_edge(3, "likes", "jun", "s1")]],
        |_, _| Ok(()),
    );
    scenario.check_backend = |backend| {
        let inbox = backend.inbox.of("mina");
        if inbox.is_empty() { Ok(()) } else { Err(format!("still in the inbox: {inbox:?}")) }
    };
    scenario
}

#[test]
fn edge_removed_while_its_entry_is_added_leaves_no_entry() {
    for bounds in [Bounds { preemptions: 4, crashes: 0 }, Bounds { preemptions: 2, crashes: 1 }] {
        let explored = explore(bounds, removed_while_owner_arrives).expect("no violation");
        assert!(explored.executions > 100, "{}", explored.executions);
    }
    sample(5_000, Bounds::ALL, removed_while_owner_arrives).expect("no violation");
}

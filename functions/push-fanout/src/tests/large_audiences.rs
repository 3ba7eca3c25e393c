//! Stories with more followers than a page holds.

use function_kit::failure::Kind;

use super::{
    changes::{add_edge, add_story, remove_edge},
    fixtures::{add_followers, notifications, story_sent_to, transient},
    in_memory_backend::InMemoryBackend,
};
use crate::message::{Continuation, FollowerPage, MAX_TURNS, PendingEvents};

#[tokio::test]
async fn large_audience_is_notified_page_by_page() {
    let backend = InMemoryBackend::new();
    backend.page_size.set(10);
    let fans = add_followers(&backend, 95).await;
    // A follow that ended before the story or began after it does not count.
    backend.deliver(&[remove_edge(500, "follows", "fan0042", "mina"), add_edge(1001, "follows", "late", "mina")]).await;
    let story = [add_story(999, "s1", None), add_edge(1000, "told", "mina", "s1")];
    assert_eq!(backend.deliver(&story).await, []);
    let expected: Vec<_> = fans.iter().filter(|fan| *fan != "fan0042").cloned().collect();
    assert_eq!(backend.sent(), story_sent_to(&expected));
    assert_eq!(backend.deliver(&story).await, []);
    assert_eq!(backend.sent().len(), expected.len(), "a replay sends nothing");
}

#[tokio::test]
async fn next_page_is_enqueued_first_and_once() {
    let backend = InMemoryBackend::new();
    backend.page_size.set(2);
    add_followers(&backend, 5).await;
    backend.deliver(&[add_story(999, "s1", None)]).await;
    let story = [add_edge(1000, "told", "mina", "s1")];
    // A failure in the first page does not delay the second page.
    backend.fail_publish("fan0001/phone", transient);
    assert_eq!(backend.deliver_changes(&story).await, [Kind::Transient]);
    let second = backend.dequeue().expect("a second page");
    assert!(backend.dequeue().is_none());
    // The first page is delivered again: only the failed recipient is notified, and the second page is not enqueued
    // again.
    assert_eq!(backend.deliver_changes(&story).await, []);
    assert!(backend.dequeue().is_none());
    assert_eq!(backend.sent(), notifications(&[("fan0001", "story"), ("fan0002", "story")]));
    // The second page is delivered twice.
    assert_eq!(backend.deliver_continuation(&second).await, []);
    assert_eq!(backend.deliver_continuation(&second).await, []);
    assert_eq!(backend.sent().len(), 4);
    assert!(backend.dequeue().is_some() && backend.dequeue().is_none());
}

#[tokio::test]
async fn followers_who_join_while_a_page_is_retried_displace_no_others() {
    let backend = InMemoryBackend::new();
    backend.page_size.set(2);
    let fans = add_followers(&backend, 5).await;
    backend.deliver(&[add_story(999, "s1", None)]).await;
    let story = [add_edge(1000, "told", "mina", "s1")];
    backend.fail_publish("fan0002/phone", transient);
    assert_eq!(backend.deliver_changes(&story).await, [Kind::Transient]);
    // They sort before the failed follower, so a page of two no longer reaches them.
    for (commit_num, joined) in (1001..).zip(["fan0000a", "fan0000b", "fan0001a", "fan0001b"]) {
        backend.add_device(joined, "phone");
        backend.deliver_changes(&[add_edge(commit_num, "follows", joined, "mina")]).await;
    }
    assert_eq!(backend.deliver_changes(&story).await, []);
    assert_eq!(backend.deliver(&[]).await, []);
    let mut sent = backend.sent();
    sent.retain(|(_, rule)| rule == "story");
    assert_eq!(sent, story_sent_to(&fans));
}

#[tokio::test]
async fn story_removed_between_pages_is_not_sent_further() {
    let backend = InMemoryBackend::new();
    backend.page_size.set(2);
    add_followers(&backend, 4).await;
    backend.deliver(&[add_story(999, "s1", None)]).await;
    backend.deliver_changes(&[add_edge(1000, "told", "mina", "s1")]).await;
    let second = backend.dequeue().expect("a second page");
    backend.deliver_changes(&[remove_edge(1001, "told", "mina", "s1")]).await;
    backend.deliver_continuation(&second).await;
    assert_eq!(backend.sent().len(), 2);
}

#[tokio::test]
async fn chain_of_pages_ends_at_its_bound() {
    for (number, is_continued) in [(MAX_TURNS - 1, true), (MAX_TURNS, false)] {
        let backend = InMemoryBackend::new();
        backend.page_size.set(2);
        add_followers(&backend, 6).await;
        backend.deliver(&[add_story(999, "s1", None)]).await;
        backend.deliver_changes(&[add_edge(1000, "told", "mina", "s1")]).await;
        let Some(Continuation::FollowerPage(page)) = backend.dequeue() else { panic!("no second page") };
        let page = Continuation::FollowerPage(FollowerPage { number, ..page });
        // The page itself is processed, and nothing fails.
        assert_eq!(backend.deliver_continuation(&page).await, []);
        assert_eq!(backend.sent().len(), 4);
        assert_eq!(backend.dequeue().is_some(), is_continued, "{number}");
    }
}

#[tokio::test]
async fn chain_of_pending_events_ends_at_its_bound() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.page_size.set(3);
    for number in 0..10 {
        backend.deliver(&[add_edge(10 + number, "likes", &format!("fan{number}"), "s1")]).await;
    }
    backend.deliver_changes(&[add_story(1, "s1", None), add_edge(1, "told", "mina", "s1")]).await;
    let Some(Continuation::PendingEvents(pending)) = backend.dequeue() else { panic!("no second page") };
    assert_eq!(pending.number, 1);
    // The other change of the batch has pages of its own.
    while backend.dequeue().is_some() {}
    let last = Continuation::PendingEvents(PendingEvents { number: MAX_TURNS, ..pending });
    assert_eq!(backend.deliver_continuation(&last).await, []);
    assert!(backend.dequeue().is_none());
}

#[tokio::test]
async fn late_follow_older_than_story_is_notified() {
    let backend = InMemoryBackend::with_users(&["mina", "jun", "sora"]);
    backend.deliver(&[add_story(3, "s1", None), add_edge(5, "told", "mina", "s1")]).await;
    assert_eq!(backend.sent(), []);
    backend.deliver(&[add_edge(4, "follows", "jun", "mina"), add_edge(6, "follows", "sora", "mina")]).await;
    assert_eq!(backend.sent(), notifications(&[("jun", "story"), ("mina", "follow"), ("mina", "follow")]));
}

#[tokio::test]
async fn pending_events_are_processed_page_by_page() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.page_size.set(3);
    for number in 0..10 {
        backend.deliver(&[add_edge(10 + number, "likes", &format!("fan{number}"), "s1")]).await;
    }
    assert_eq!((backend.pending_count(), backend.sent().len()), (10, 0));
    assert_eq!(backend.deliver(&[add_story(1, "s1", None), add_edge(1, "told", "mina", "s1")]).await, []);
    assert_eq!(backend.sent().len(), 10);
    // Only the story is left, for follows that are delivered late.
    assert_eq!(backend.pending_count(), 1);
}

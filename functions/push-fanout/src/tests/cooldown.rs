//! Edges that are removed and added again: pushed once, and in the inbox once.

use domain::graph::Change;
use function_kit::failure::Kind;
use jiff::SignedDuration;
use proptest::{prelude::*, test_runner::TestCaseError};

use super::{
    changes::{add_edge, add_story, of_edge, remove_edge, set_visibility},
    fixtures::{add_followers, notifications, story_sent_to, transient},
    in_memory_backend::InMemoryBackend,
};

/// Jun likes the story by this edge, `seconds` after the first commit.
fn like(edge: &str, commit_num: u64, seconds: i64) -> Change {
    of_edge(edge, seconds, add_edge(commit_num, "likes", "jun", "s1"))
}

/// Jun takes that like back.
fn unlike(edge: &str, commit_num: u64, seconds: i64) -> Change {
    of_edge(edge, seconds, remove_edge(commit_num, "likes", "jun", "s1"))
}

/// A backend where Mina has a phone and has told a story.
async fn told_story() -> InMemoryBackend {
    let backend = InMemoryBackend::with_users(&["mina"]);
    assert_eq!(backend.deliver(&[add_story(1, "s1", None), add_edge(2, "told", "mina", "s1")]).await, []);
    backend
}

/// Ids of the pushed events.
fn pushed(backend: &InMemoryBackend) -> Vec<String> {
    let pushes = backend.pushes.borrow();
    pushes.iter().map(|push| push.message["data"]["event"].as_str().expect("a text").to_owned()).collect()
}

fn liked_once() -> Vec<(String, Vec<String>)> {
    vec![("like-story:s1".to_owned(), vec!["jun".to_owned()])]
}

#[tokio::test]
async fn like_that_is_toggled_fifty_times_is_pushed_once_and_in_the_inbox_once() {
    for is_new_edge in [false, true] {
        let backend = told_story().await;
        for (number, commit_num) in (0..50).zip((10..).step_by(2)) {
            let edge = if is_new_edge { format!("like{number}") } else { "like".to_owned() };
            assert_eq!(backend.deliver(&[like(&edge, commit_num, 2 * number)]).await, []);
            assert_eq!((pushed(&backend), backend.inbox.of("mina")), (vec!["main/10/1".to_owned()], liked_once()));
            if number < 49 {
                assert_eq!(backend.deliver(&[unlike(&edge, commit_num + 1, 2 * number + 1)]).await, []);
                assert_eq!(backend.inbox.of("mina"), []);
            }
        }
    }
}

#[tokio::test]
async fn cooldown_counts_from_the_commit_of_the_last_push() {
    for (seconds, expected) in [
        ([0, 3_599, 3_600], vec!["main/10/1", "main/12/1"]),
        ([0, 1_800, 3_599], vec!["main/10/1"]),
        ([0, 3_600, 7_199], vec!["main/10/1", "main/11/1"]),
        // Late, and older than the cooldown.
        ([7_200, 0, 7_201], vec!["main/10/1", "main/11/1"]),
        ([3_000, 0, 6_599], vec!["main/10/1"]),
    ] {
        let backend = told_story().await;
        backend.advance_clock(SignedDuration::from_hours(2));
        for (commit_num, seconds) in (10..).zip(seconds) {
            assert_eq!(backend.deliver(&[like(&format!("like{commit_num}"), commit_num, seconds)]).await, []);
        }
        assert_eq!(pushed(&backend), expected, "{seconds:?}");
    }
    let backend = told_story().await;
    backend.cooldown.set(SignedDuration::ZERO);
    for commit_num in 10..13 {
        assert_eq!(backend.deliver(&[like(&format!("like{commit_num}"), commit_num, 0)]).await, []);
    }
    assert_eq!(pushed(&backend).len(), 3, "off");
}

#[tokio::test]
async fn different_sources_rules_and_targets_have_different_cooldowns() {
    let backend = InMemoryBackend::with_users(&["mina", "jun"]);
    let mut changes = vec![add_edge(1, "told", "mina", "s1"), add_edge(2, "told", "mina", "s2")];
    for (comment, commit_num) in [("c1", 10), ("c2", 20)] {
        changes.push(add_edge(commit_num, "wrote", "jun", comment));
        changes.push(add_edge(commit_num + 1, "replies_to", comment, "s1"));
        changes.push(add_edge(commit_num + 2, "likes", "mina", comment));
    }
    changes.extend([add_edge(30, "likes", "jun", "s1"), add_edge(31, "likes", "jun", "s2")]);
    changes.extend([add_edge(32, "follows", "jun", "mina"), add_edge(33, "follows", "mina", "jun")]);
    assert_eq!(backend.deliver(&changes).await, []);
    let to_mina = ["reply-story", "reply-story", "like-story", "like-story", "follow"].map(|rule| ("mina", rule));
    let to_jun = ["like-comment", "like-comment", "follow"].map(|rule| ("jun", rule));
    assert_eq!(backend.sent(), notifications(&[&to_mina[..], &to_jun].concat()));
}

#[tokio::test]
async fn story_told_again_is_not_pushed_to_any_page_and_is_in_the_inboxes() {
    let backend = InMemoryBackend::new();
    backend.page_size.set(2);
    let fans = add_followers(&backend, 7).await;
    // The first page has no recipients.
    for (fan, commit_num) in fans[..2].iter().zip(500..) {
        assert_eq!(backend.deliver(&[remove_edge(commit_num, "follows", fan, "mina")]).await, []);
    }
    assert_eq!(backend.deliver(&[add_story(999, "s1", None)]).await, []);
    let told = |edge, commit_num, seconds| of_edge(edge, seconds, add_edge(commit_num, "told", "mina", "s1"));
    let taken_back = |edge, commit_num| of_edge(edge, 0, remove_edge(commit_num, "told", "mina", "s1"));
    for (edge, commit_num) in [("t1", 1_000), ("t2", 1_002), ("t3", 1_004)] {
        assert_eq!(backend.deliver(&[told(edge, commit_num, 1)]).await, []);
        assert_eq!(backend.sent(), story_sent_to(&fans[2..]));
        let inbox = vec![("story:s1".to_owned(), vec!["mina".to_owned()])];
        assert!(fans[2..].iter().all(|fan| backend.inbox.of(fan) == inbox));
        assert_eq!(backend.deliver(&[taken_back(edge, commit_num + 1)]).await, []);
    }
    backend.advance_clock(SignedDuration::from_hours(1));
    assert_eq!(backend.deliver(&[told("t4", 1_006, 3_601)]).await, []);
    assert_eq!(backend.sent().len(), 10, "after the cooldown");
}

#[tokio::test]
async fn retried_page_reaches_its_recipients_during_a_later_cooldown() {
    let backend = InMemoryBackend::new();
    let fans = add_followers(&backend, 3).await;
    assert_eq!(backend.deliver(&[add_story(999, "s1", None)]).await, []);
    let first = [of_edge("t1", 0, add_edge(1_000, "told", "mina", "s1"))];
    let second = [of_edge("t2", 3_600, add_edge(1_001, "told", "mina", "s1"))];
    backend.fail_publish("fan0002/phone", transient);
    assert_eq!(backend.deliver(&first).await, [Kind::Transient]);
    backend.advance_clock(SignedDuration::from_hours(1));
    assert_eq!(backend.deliver(&second).await, []);
    assert_eq!(backend.deliver(&first).await, []);
    let twice: Vec<_> = fans.iter().flat_map(|fan| [fan.clone(), fan.clone()]).collect();
    assert_eq!(backend.sent(), story_sent_to(&twice));
    // A replay sends nothing.
    assert_eq!(backend.deliver(&[first, second].concat()).await, []);
    assert_eq!(backend.sent().len(), 6);
}

#[tokio::test]
async fn event_that_was_not_sent_uses_up_no_cooldown() {
    // Removed in the same batch.
    let backend = told_story().await;
    assert_eq!(backend.deliver(&[like("l1", 10, 0), unlike("l1", 11, 1)]).await, []);
    assert_eq!(backend.deliver(&[like("l2", 12, 2)]).await, []);
    assert_eq!(pushed(&backend), ["main/12/1"]);
    // Delivered after the removal.
    let backend = told_story().await;
    assert_eq!(backend.deliver(&[unlike("l1", 11, 1)]).await, []);
    assert_eq!(backend.deliver(&[like("l1", 10, 0)]).await, []);
    assert_eq!(backend.deliver(&[like("l2", 12, 2)]).await, []);
    assert_eq!(pushed(&backend), ["main/12/1"]);
    // It has claimed the cooldown, and failed; then it is removed.
    let backend = told_story().await;
    backend.fail_publish("mina/phone", transient);
    assert_eq!(backend.deliver(&[like("l1", 10, 0)]).await, [Kind::Transient]);
    assert_eq!(backend.deliver(&[unlike("l1", 11, 1)]).await, []);
    assert_eq!(backend.deliver(&[like("l2", 12, 2), like("l1", 10, 0), like("l3", 13, 3)]).await, []);
    assert_eq!(pushed(&backend), ["main/12/1"]);
}

#[tokio::test]
async fn recipient_whom_the_first_event_did_not_reach_is_reached_by_the_next_one_once() {
    let backend = InMemoryBackend::with_users(&["mina", "noa"]);
    let told = [add_story(1, "s1", None), add_edge(2, "told", "mina", "s1"), add_edge(3, "told", "noa", "s1")];
    assert_eq!(backend.deliver(&told).await, []);
    backend.fail_publish("noa/phone", transient);
    assert_eq!(backend.deliver(&[like("l1", 10, 0)]).await, [Kind::Transient]);
    assert_eq!(backend.deliver(&[unlike("l1", 11, 1)]).await, []);
    for (edge, commit_num) in [("l2", 12), ("l3", 14)] {
        assert_eq!(backend.deliver(&[like(edge, commit_num, 2)]).await, []);
        assert_eq!(backend.sent(), notifications(&[("mina", "like-story"), ("noa", "like-story")]));
        assert_eq!(pushed(&backend), ["main/10/1", "main/12/1"]);
        assert_eq!(backend.deliver(&[unlike(edge, commit_num + 1, 3)]).await, []);
    }
    assert_eq!(backend.deliver(&[like("l1", 10, 0)]).await, [], "withdrawn");
    assert_eq!(pushed(&backend).len(), 2);
}

#[tokio::test]
async fn follower_who_joins_between_two_announcements_gets_the_second_one() {
    let backend = InMemoryBackend::with_users(&["fan", "late"]);
    let told = |edge, commit_num| of_edge(edge, 0, add_edge(commit_num, "told", "mina", "s1"));
    let taken_back = |edge, commit_num| of_edge(edge, 0, remove_edge(commit_num, "told", "mina", "s1"));
    let changes = [add_edge(1, "follows", "fan", "mina"), add_story(2, "s1", None), told("t1", 3), taken_back("t1", 4)];
    for change in changes.into_iter().chain([add_edge(5, "follows", "late", "mina"), told("t2", 6)]) {
        assert_eq!(backend.deliver(&[change]).await, []);
    }
    assert_eq!(pushed(&backend), ["main/3/1", "main/6/1"]);
    assert_eq!(backend.sent(), story_sent_to(&["fan".to_owned(), "late".to_owned()]));
    assert_eq!(backend.deliver(&[taken_back("t2", 7)]).await, []);
    assert_eq!(backend.deliver(&[told("t3", 8)]).await, []);
    assert_eq!(backend.sent().len(), 2, "each once");
}

#[tokio::test]
async fn story_that_is_published_again_while_it_is_hidden_is_pushed_once_when_shown() {
    let backend = InMemoryBackend::with_users(&["fan"]);
    let told = |edge, commit_num| of_edge(edge, 0, add_edge(commit_num, "told", "mina", "s1"));
    let mut changes = vec![add_edge(1, "follows", "fan", "mina"), add_story(2, "s1", Some("private"))];
    changes.extend([told("t1", 3), of_edge("t1", 0, remove_edge(4, "told", "mina", "s1")), told("t2", 5)]);
    for change in &changes {
        assert_eq!(backend.deliver(std::slice::from_ref(change)).await, []);
    }
    assert_eq!(backend.sent(), []);
    for (commit_num, visibility) in [(6, "public"), (7, "private"), (8, "followers")] {
        backend.advance_clock(SignedDuration::from_hours(2));
        assert_eq!(backend.deliver(&[set_visibility(commit_num, "s1", Some(visibility))]).await, []);
        assert_eq!(pushed(&backend), ["main/5/1"]);
    }
}

#[tokio::test]
async fn cooldown_with_a_lost_response_is_held_by_its_event() {
    let backend = told_story().await;
    backend.cooldown_response_is_lost.set(true);
    assert_eq!(backend.deliver(&[like("l1", 10, 0)]).await, []);
    assert_eq!(pushed(&backend), ["main/10/1"]);
}

/// Likes by edges of their own, of which some are taken back, in any order that keeps that of each edge.
#[derive(Debug, Clone)]
struct History {
    /// Whether each like is taken back.
    removed: Vec<bool>,
    /// Edges whose next message is delivered, and whether the message before it is delivered once more.
    order: Vec<(usize, bool)>,
    failures: usize,
}

fn history() -> impl Strategy<Value = History> {
    let order = prop::collection::vec((0..5_usize, any::<bool>()), 0..30);
    (prop::collection::vec(prop::bool::weighted(0.7), 1..6), order, 0..3_usize)
        .prop_map(|(removed, order, failures)| History { removed, order, failures })
}

async fn check(History { removed, order, failures }: History) -> Result<(), TestCaseError> {
    let backend = told_story().await;
    (0..failures).for_each(|_| backend.fail_publish("mina/phone", transient));
    let messages = |(number, is_removed): (usize, &bool)| {
        let (edge, commit_num) = (format!("like{number}"), 10 + 2 * number as u64);
        let unlike = is_removed.then(|| unlike(&edge, commit_num + 1, 1));
        [like(&edge, commit_num, 0)].into_iter().chain(unlike).collect::<Vec<_>>()
    };
    let edges: Vec<_> = removed.iter().enumerate().map(messages).collect();
    let mut next = vec![0; edges.len()];
    let rest = (0..20).flat_map(|_| 0..edges.len()).map(|edge| (edge, false));
    for (edge, is_repeated) in order.into_iter().map(|(edge, again)| (edge % removed.len(), again)).chain(rest) {
        if is_repeated && next[edge] > 0 {
            backend.deliver(&edges[edge][next[edge] - 1..next[edge]]).await;
        }
        let Some(change) = edges[edge].get(next[edge]) else { continue };
        if backend.deliver(std::slice::from_ref(change)).await.is_empty() {
            next[edge] += 1;
        } else {
            backend.advance_clock(SignedDuration::from_secs(30));
        }
    }
    prop_assert!(edges.iter().zip(next).all(|(messages, next)| messages.len() == next), "all are processed");
    let is_liked = removed.contains(&false);
    let count = backend.sent().len();
    prop_assert!(count == 1 || count == 0 && !is_liked, "{count} pushes");
    prop_assert_eq!(backend.inbox.of("mina"), if is_liked { liked_once() } else { vec![] });
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn toggled_like_is_pushed_once_in_any_order_of_delivery(history in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(check(history))?;
    }
}

//! What happens in town: who is told of what, however the news arrives.

mod audience;
mod devices;
mod visibility;

use domain::{
    graph::Change,
    push::{Category, Preferences, QuietHours},
};
use function_kit::failure::Failure;
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    refusal::Refusal,
    town::{Town, add, call, come, remove, told},
};

/// Mina told a story, and Jun likes it.
fn liked() -> Vec<Change> {
    vec![add(1, "told", "mina", "s1"), add(2, "likes", "jun", "s1")]
}

fn transient() -> Refusal {
    Refusal::Failed { kind: "throttled", failure: Failure::transient("publish", "slower") }
}

fn invalid() -> Refusal {
    Refusal::Failed { kind: "invalid", failure: Failure::bug("publish", "INVALID_ARGUMENT") }
}

/// Follows of mina by `count` people with phones, from commit 1 on.
async fn famous(town: &Town, count: u64) -> Vec<String> {
    let fans: Vec<_> = (1..=count).map(|number| format!("fan{number:04}")).collect();
    for (fan, commit_num) in fans.iter().zip(1..) {
        town.gets_phone(fan, "phone");
        town.deliver(&[add(commit_num, "follows", fan, "mina")]).await;
    }
    fans
}

fn story_to(fans: &[String]) -> Vec<(String, String)> {
    fans.iter().map(|fan| (fan.clone(), "story".to_owned())).collect()
}

/// All orders of `items`.
fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = items.split_first() else { return vec![vec![]] };
    let insert = |order: Vec<T>| {
        (0..=order.len()).map(move |at| {
            let mut longer = order.clone();
            longer.insert(at, first.clone());
            longer
        })
    };
    orders(rest).into_iter().flat_map(|order| insert(order).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn everybody_is_told_what_concerns_them_in_their_own_words() {
    let town = Town::of(&["mina", "jun", "sora"]);
    let day = [
        call(1, "mina", "name", "미나"),
        call(2, "jun", "name", "준"),
        add(3, "follows", "jun", "mina"),
        come(4, "s1", None),
        call(4, "s1", "title", "첫눈"),
        add(5, "told", "mina", "s1"),
        add(6, "likes", "jun", "s1"),
        add(7, "wrote", "jun", "c1"),
        add(8, "replies_to", "c1", "s1"),
        add(9, "mentions", "c1", "sora"),
        add(10, "likes", "mina", "c1"),
    ];
    assert_eq!(town.deliver(&day).await, []);
    let expected = told(&[
        ("mina", "follow"),
        ("jun", "story"),
        ("mina", "like-story"),
        ("mina", "reply-story"),
        ("sora", "mention-comment"),
        ("jun", "like-comment"),
    ]);
    assert_eq!(town.told(), expected);
    let pushes = town.pushes.borrow();
    let like = pushes.iter().find(|push| push.to_by().1 == "like-story").expect("a push");
    assert_eq!(like.message["android"]["notification"]["body_loc_args"], json!(["준", "첫눈"]));
    assert_eq!(like.message["data"]["actor"], "jun");
}

#[tokio::test]
async fn whatever_order_the_news_comes_in_the_same_people_are_told_once() {
    let news = [
        add(1, "follows", "jun", "mina"),
        come(2, "s1", None),
        add(2, "told", "mina", "s1"),
        add(3, "likes", "jun", "s1"),
        add(4, "wrote", "sora", "c1"),
        add(5, "replies_to", "c1", "s1"),
    ];
    let expected = told(&[("mina", "follow"), ("jun", "story"), ("mina", "like-story"), ("mina", "reply-story")]);
    for order in orders(&news) {
        let town = Town::of(&["mina", "jun", "sora"]);
        for change in &order {
            assert_eq!(town.deliver(std::slice::from_ref(change)).await, []);
        }
        assert_eq!(town.told(), expected, "{order:?}");
        // What waited does so no longer; the story is remembered for follows that come late.
        assert_eq!(town.pending_page(), 1, "{order:?}");
        // Again, the other way round, in one batch.
        let again: Vec<_> = order.into_iter().rev().collect();
        assert_eq!(town.deliver(&again).await, []);
        assert_eq!(town.told(), expected, "a replay pushes nothing");
    }
}

#[tokio::test]
async fn an_owner_who_becomes_known_while_the_event_is_shelved_is_told() {
    let town = Town::of(&["mina"]);
    // Whoever projects it looks for what waits before there is anything.
    town.meanwhile.replace(Some(add(1, "told", "mina", "s1")));
    assert_eq!(town.deliver(&[add(2, "likes", "jun", "s1")]).await, []);
    assert_eq!((town.told(), town.pending_page()), (told(&[("mina", "like-story")]), 0));
}

#[tokio::test]
async fn what_was_taken_back_before_is_not_told() {
    let likes_and_unlikes = [add(2, "likes", "jun", "s1"), remove(3, "likes", "jun", "s1")];
    // In the same batch.
    let town = Town::of(&["mina"]);
    town.deliver(&[add(1, "told", "mina", "s1")]).await;
    assert_eq!(town.deliver(&likes_and_unlikes).await, []);
    assert_eq!(town.told(), []);
    // While it was waiting for the story's owner.
    let town = Town::of(&["mina"]);
    town.deliver(&likes_and_unlikes[..1]).await;
    assert_eq!(town.pending_page(), 1);
    town.deliver(&likes_and_unlikes[1..]).await;
    assert_eq!(town.pending_page(), 0);
    town.deliver(&[add(1, "told", "mina", "s1")]).await;
    assert_eq!(town.told(), []);
    // The addition arrives last.
    let town = Town::of(&["mina"]);
    town.deliver(&[add(1, "told", "mina", "s1"), likes_and_unlikes[1].clone()]).await;
    town.deliver(&likes_and_unlikes[..1]).await;
    assert_eq!(town.told(), []);
}

#[tokio::test]
async fn what_was_done_again_is_told_once() {
    let town = Town::of(&["mina"]);
    let news = [
        add(1, "told", "mina", "s1"),
        add(2, "likes", "jun", "s1"),
        remove(3, "likes", "jun", "s1"),
        add(4, "likes", "jun", "s1"),
    ];
    town.deliver(&news).await;
    assert_eq!(town.told(), told(&[("mina", "like-story")]));
    assert_eq!(town.pushes.borrow()[0].message["data"]["event"], "main/4/1");
}

#[tokio::test]
async fn nobody_is_told_of_their_own_doing() {
    let town = Town::of(&["mina"]);
    town.deliver(&[
        add(1, "told", "mina", "s1"),
        add(2, "likes", "mina", "s1"),
        add(3, "follows", "mina", "mina"),
        add(4, "told", "mina", "s2"),
    ])
    .await;
    assert_eq!(town.told(), []);
}

#[tokio::test]
async fn blocks_count_both_ways_and_mutes_one_way() {
    for (label, from, to, is_told) in [
        ("blocks", "mina", "jun", false),
        ("blocks", "jun", "mina", false),
        ("mutes", "mina", "jun", false),
        ("mutes", "jun", "mina", true),
        ("blocks", "mina", "sora", true),
    ] {
        let town = Town::of(&["mina"]);
        town.deliver(&[add(1, label, from, to)]).await;
        town.deliver(&liked()).await;
        assert_eq!(!town.told().is_empty(), is_told, "{from} {label} {to}");
        // What was decided stays decided, also when they are friends again and the stream is replayed.
        town.deliver(&[remove(9, label, from, to)]).await;
        town.deliver(&liked()).await;
        assert_eq!(!town.told().is_empty(), is_told, "{from} {label} {to}");
    }
}

#[tokio::test]
async fn a_block_that_comes_in_the_same_batch_counts() {
    let town = Town::of(&["mina"]);
    let mut news = liked();
    news.push(add(3, "blocks", "mina", "jun"));
    town.deliver(&news).await;
    assert_eq!(town.told(), []);
}

#[tokio::test]
async fn preferences_and_quiet_hours_are_looked_at() {
    let town = Town::of(&["mina"]);
    town.prefers("mina", Preferences { muted: [Category::Likes].into(), quiet_hours: None });
    town.deliver(&liked()).await;
    assert_eq!(town.told(), []);

    let town = Town::of(&["mina"]);
    // It is midnight by UTC.
    let night = QuietHours::new("22:00", "07:00", "UTC").expect("quiet hours");
    town.prefers("mina", Preferences { quiet_hours: Some(night), ..Preferences::default() });
    town.deliver(&liked()).await;
    let push = town.pushes.borrow()[0].clone();
    assert_eq!(push.message["android"]["notification"]["channel_id"], "quiet");
    assert_eq!(push.message["apns"]["payload"]["aps"].get("sound"), None);
}

#[tokio::test]
async fn without_a_name_the_text_names_nobody() {
    let town = Town::of(&["mina"]);
    town.deliver(&liked()).await;
    let push = town.pushes.borrow()[0].clone();
    assert_eq!(push.message["android"]["notification"]["body_loc_key"], "push_like_story_body");
}

#[tokio::test]
async fn what_is_older_than_its_time_to_live_is_not_told() {
    let town = Town::of(&["mina"]);
    town.passes(SignedDuration::from_hours(24));
    town.deliver(&liked()).await;
    assert_eq!(town.told(), []);
}

//! What happens in town: who is told of what, however the news arrives.

use domain::{
    graph::Change,
    push::{Category, Preferences, QuietHours},
};
use function_kit::failure::{Failure, Kind};
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    refusal::Refusal,
    town::{Town, add, call, come, remove, show, told},
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
        assert_eq!(town.notes(), 1, "{order:?}");
        // Again, the other way round, in one batch.
        let again: Vec<_> = order.into_iter().rev().collect();
        assert_eq!(town.deliver(&again).await, []);
        assert_eq!(town.told(), expected, "a replay pushes nothing");
    }
}

#[tokio::test]
async fn nobody_is_told_of_a_private_story() {
    let news = [
        add(1, "follows", "jun", "mina"),
        come(2, "s1", Some("private")),
        add(3, "told", "mina", "s1"),
        add(4, "mentions", "s1", "sora"),
        add(5, "likes", "jun", "s1"),
    ];
    for order in orders(&news) {
        let town = Town::of(&["mina", "jun", "sora"]);
        for change in &order {
            assert_eq!(town.deliver(std::slice::from_ref(change)).await, []);
        }
        // What is about one's own story is told whoever may see it.
        let own = told(&[("mina", "follow"), ("mina", "like-story")]);
        assert_eq!((town.told(), town.notes()), (own, 2), "{order:?}");
        // Shown to all within its time: told then, and once.
        let shown = [show(9, "s1", Some("public"))];
        assert_eq!(town.deliver(&shown).await, []);
        let all = told(&[("mina", "follow"), ("mina", "like-story"), ("jun", "story"), ("sora", "mention-story")]);
        // The story is remembered for follows that come late.
        assert_eq!((town.told(), town.notes()), (all.clone(), 1), "{order:?}");
        assert_eq!(town.deliver(&shown).await, []);
        assert_eq!(town.deliver(&order).await, []);
        assert_eq!(town.told(), all, "a replay pushes nothing");
    }
}

#[tokio::test]
async fn a_story_of_which_nobody_knows_who_may_see_it_waits() {
    let town = Town::of(&["jun"]);
    // Its vertex was added before anybody listened: it may have a visibility.
    let news = [add(1, "follows", "jun", "mina"), call(2, "s1", "title", "첫눈"), add(3, "told", "mina", "s1")];
    town.deliver(&news).await;
    assert_eq!(town.told(), []);
    for hidden in [show(4, "s1", Some("friends")), show(5, "s1", None)] {
        town.deliver(&[hidden]).await;
        assert_eq!((town.told(), town.notes()), (vec![], 1));
    }
    town.deliver(&[show(6, "s1", Some("followers"))]).await;
    assert_eq!(town.told(), told(&[("jun", "story")]));
}

#[tokio::test]
async fn what_was_hidden_is_not_told_after_its_time_or_when_it_was_taken_back() {
    let news = [add(1, "follows", "jun", "mina"), come(2, "s1", Some("private")), add(3, "told", "mina", "s1")];
    let shown = [show(9, "s1", Some("public"))];
    let town = Town::of(&["jun"]);
    town.deliver(&news).await;
    town.passes(SignedDuration::from_hours(24));
    town.deliver(&shown).await;
    assert_eq!((town.told(), town.notes()), (vec![], 0));

    let town = Town::of(&["jun", "sora"]);
    town.deliver(&news).await;
    town.deliver(&[add(4, "mentions", "s1", "sora")]).await;
    assert_eq!(town.notes(), 2);
    town.deliver(&[remove(5, "told", "mina", "s1"), remove(6, "mentions", "s1", "sora")]).await;
    assert_eq!(town.notes(), 0);
    town.deliver(&shown).await;
    assert_eq!(town.told(), []);
}

#[tokio::test]
async fn a_story_that_is_shown_while_its_event_is_shelved_is_told() {
    let town = Town::of(&["jun"]);
    town.deliver(&[add(1, "follows", "jun", "mina")]).await;
    // Whoever projects it looks for what waits before there is anything.
    town.meanwhile.replace(Some(come(2, "s1", None)));
    assert_eq!(town.deliver(&[add(3, "told", "mina", "s1")]).await, []);
    assert_eq!((town.told(), town.notes()), (told(&[("jun", "story")]), 1));
}

#[tokio::test]
async fn of_a_mention_in_a_story_for_followers_only_they_hear() {
    let town = Town::of(&["jun", "sora"]);
    town.deliver(&[
        add(1, "follows", "jun", "mina"),
        come(2, "s1", Some("followers")),
        add(3, "told", "mina", "s1"),
        add(4, "mentions", "s1", "jun"),
        add(5, "mentions", "s1", "sora"),
    ])
    .await;
    let to_jun = [("jun", "story"), ("jun", "mention-story")];
    assert_eq!(town.told(), told(&to_jun));
    town.deliver(&[show(6, "s1", Some("public"))]).await;
    assert_eq!(town.told(), told(&[to_jun[0], to_jun[1], ("sora", "mention-story")]));
}

#[tokio::test]
async fn a_story_that_is_hidden_between_pages_is_told_on_when_it_is_shown_again() {
    let town = Town::new();
    town.page.set(2);
    let fans = famous(&town, 7).await;
    town.deliver(&[come(999, "s1", None)]).await;
    town.batch(&[add(1000, "told", "mina", "s1").to_cloud_event("main")]).await;
    let second = town.take_from_queue().expect("a second page");
    town.batch(&[serde_json::to_string(&second).expect("JSON")]).await;
    assert_eq!(town.told(), story_to(&fans[..4]));
    town.batch(&[show(1001, "s1", None).to_cloud_event("main")]).await;
    assert_eq!(town.deliver(&[]).await, []);
    // Who followed before, and is heard of only now, waits as well.
    town.gets_phone("late", "phone");
    assert_eq!(town.deliver(&[add(500, "follows", "late", "mina")]).await, []);
    assert_eq!(town.told(), story_to(&fans[..4]));
    assert_eq!(town.deliver(&[show(1002, "s1", Some("followers"))]).await, []);
    let all = [fans.as_slice(), &["late".to_owned()]].concat();
    assert_eq!(town.told(), story_to(&all), "each once");
}

#[tokio::test]
async fn a_late_follower_is_told_of_no_story_that_was_hidden_since() {
    let town = Town::of(&["jun"]);
    town.deliver(&[come(4, "s1", None), add(5, "told", "mina", "s1"), show(6, "s1", Some("private"))]).await;
    town.deliver(&[add(1, "follows", "jun", "mina")]).await;
    assert_eq!(town.told(), []);
    town.deliver(&[show(7, "s1", Some("public"))]).await;
    assert_eq!(town.told(), told(&[("jun", "story")]));
}

#[tokio::test]
async fn an_owner_who_becomes_known_while_the_event_is_shelved_is_told() {
    let town = Town::of(&["mina"]);
    // Whoever projects it looks for what waits before there is anything.
    town.meanwhile.replace(Some(add(1, "told", "mina", "s1")));
    assert_eq!(town.deliver(&[add(2, "likes", "jun", "s1")]).await, []);
    assert_eq!((town.told(), town.notes()), (told(&[("mina", "like-story")]), 0));
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
    assert_eq!(town.notes(), 1);
    town.deliver(&likes_and_unlikes[1..]).await;
    assert_eq!(town.notes(), 0);
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

#[tokio::test]
async fn a_large_audience_is_told_page_by_page() {
    let town = Town::new();
    town.page.set(10);
    let fans = famous(&town, 95).await;
    // Who left before, and who came after, is not told.
    town.deliver(&[remove(500, "follows", "fan0042", "mina"), add(1001, "follows", "late", "mina")]).await;
    let story = [come(999, "s1", None), add(1000, "told", "mina", "s1")];
    assert_eq!(town.deliver(&story).await, []);
    let expected: Vec<_> = fans.iter().filter(|fan| *fan != "fan0042").cloned().collect();
    assert_eq!(town.told(), story_to(&expected));
    assert_eq!(town.deliver(&story).await, []);
    assert_eq!(town.told().len(), expected.len(), "a replay pushes nothing");
}

#[tokio::test]
async fn the_next_page_is_handed_on_before_and_once() {
    let town = Town::new();
    town.page.set(2);
    famous(&town, 5).await;
    town.deliver(&[come(999, "s1", None)]).await;
    let story = [add(1000, "told", "mina", "s1").to_cloud_event("main")];
    // Nobody of the first page can be told now: the second is on its way all the same.
    town.refuses("fan0001/phone", transient);
    assert_eq!(town.batch(&story).await, [Kind::Transient]);
    let second = town.take_from_queue().expect("a second page");
    assert!(town.take_from_queue().is_none());
    // The first page comes again: the one that failed is told, the second is not handed on again.
    assert_eq!(town.batch(&story).await, []);
    assert!(town.take_from_queue().is_none());
    assert_eq!(town.told(), told(&[("fan0001", "story"), ("fan0002", "story")]));
    // The second page comes twice.
    let second = [serde_json::to_string(&second).expect("JSON")];
    assert_eq!(town.batch(&second).await, []);
    assert_eq!(town.batch(&second).await, []);
    assert_eq!(town.told().len(), 4);
    assert!(town.take_from_queue().is_some() && town.take_from_queue().is_none());
}

#[tokio::test]
async fn a_story_that_is_taken_back_stops_between_pages() {
    let town = Town::new();
    town.page.set(2);
    famous(&town, 4).await;
    town.deliver(&[come(999, "s1", None)]).await;
    town.batch(&[add(1000, "told", "mina", "s1").to_cloud_event("main")]).await;
    let second = town.take_from_queue().expect("a second page");
    town.batch(&[remove(1001, "told", "mina", "s1").to_cloud_event("main")]).await;
    town.batch(&[serde_json::to_string(&second).expect("JSON")]).await;
    assert_eq!(town.told().len(), 2);
}

#[tokio::test]
async fn a_follow_that_arrives_late_is_served_if_it_was_made_before() {
    let town = Town::of(&["mina", "jun", "sora"]);
    town.deliver(&[come(3, "s1", None), add(5, "told", "mina", "s1")]).await;
    assert_eq!(town.told(), []);
    town.deliver(&[add(4, "follows", "jun", "mina"), add(6, "follows", "sora", "mina")]).await;
    assert_eq!(town.told(), told(&[("jun", "story"), ("mina", "follow"), ("mina", "follow")]));
}

#[tokio::test]
async fn many_that_waited_for_an_owner_are_told_page_by_page() {
    let town = Town::of(&["mina"]);
    town.page.set(3);
    for number in 0..10 {
        town.deliver(&[add(10 + number, "likes", &format!("fan{number}"), "s1")]).await;
    }
    assert_eq!((town.notes(), town.told().len()), (10, 0));
    assert_eq!(town.deliver(&[come(1, "s1", None), add(1, "told", "mina", "s1")]).await, []);
    assert_eq!(town.told().len(), 10);
    // All but the story itself, which is remembered for late follows.
    assert_eq!(town.notes(), 1);
}

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

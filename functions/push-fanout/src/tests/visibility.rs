//! Stories that not all may see.

use jiff::SignedDuration;

use super::{famous, orders, story_to};
use crate::town::{Town, add, call, come, remove, show, told};

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
        assert_eq!((town.told(), town.pending_page()), (own, 2), "{order:?}");
        // Shown to all within its time: told then, and once.
        let shown = [show(9, "s1", Some("public"))];
        assert_eq!(town.deliver(&shown).await, []);
        let all = told(&[("mina", "follow"), ("mina", "like-story"), ("jun", "story"), ("sora", "mention-story")]);
        // The story is remembered for follows that come late.
        assert_eq!((town.told(), town.pending_page()), (all.clone(), 1), "{order:?}");
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
        assert_eq!((town.told(), town.pending_page()), (vec![], 1));
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
    assert_eq!((town.told(), town.pending_page()), (vec![], 0));

    let town = Town::of(&["jun", "sora"]);
    town.deliver(&news).await;
    town.deliver(&[add(4, "mentions", "s1", "sora")]).await;
    assert_eq!(town.pending_page(), 2);
    town.deliver(&[remove(5, "told", "mina", "s1"), remove(6, "mentions", "s1", "sora")]).await;
    assert_eq!(town.pending_page(), 0);
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
    assert_eq!((town.told(), town.pending_page()), (told(&[("jun", "story")]), 1));
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

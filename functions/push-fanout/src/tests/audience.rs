//! Stories with many followers, page by page.

use function_kit::failure::Kind;

use super::{famous, story_to, transient};
use crate::town::{Town, add, come, remove, told};

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
    assert_eq!((town.pending_page(), town.told().len()), (10, 0));
    assert_eq!(town.deliver(&[come(1, "s1", None), add(1, "told", "mina", "s1")]).await, []);
    assert_eq!(town.told().len(), 10);
    // All but the story itself, which is remembered for late follows.
    assert_eq!(town.pending_page(), 1);
}

//! Pages of hits. Between two pages, documents and the index behind the alias may change.

use domain::{
    media::Visibility,
    search::{Content, Document, Query},
};
use opensearch::{MatchMode, Outcome, Page, Search, SortKey, Target};
use stack::search_server::Engine;

use crate::{
    documents::{dated_story, person, story, tombstone},
    engines::{JUN, World, on_each_engine},
};

on_each_engine! {
    paging_is_stable_under_concurrent_writes
    pages_of_equal_hits_have_each_once
    page_of_a_tag_continues_without_a_query
    page_continues_after_its_last_hit_is_changed_or_removed
    page_continues_in_a_rebuilt_index
}

/// The number of hits per page.
const SIZE: usize = 5;

async fn page(world: &World, after: Option<&SortKey>) -> Page {
    let query = Query::parse("첫눈").expect("a query");
    let search = Search { query: Some((MatchMode::Words, &query)), kind: None, tag: None };
    world.index.search(search, JUN, after, SIZE).await.expect("a page")
}

fn last(page: &Page) -> SortKey {
    page.hits.last().expect("a hit").sort_key.clone()
}

fn ids(page: Page) -> Vec<String> {
    page.hits.into_iter().map(|hit| hit.id).collect()
}

/// Stories, of which a higher number is newer.
fn stories(count: usize) -> Vec<Document> {
    let story = |n: usize| dated_story(&id(n), "첫눈", Visibility::Public, &format!("2026-11-22T00:{n:02}:00Z"), 1);
    (0..count).map(story).collect()
}

fn id(number: usize) -> String {
    format!("s{number:02}")
}

async fn paging_is_stable_under_concurrent_writes(engine: Engine) {
    let world = World::with(engine, &stories(23)).await;
    let (mut seen, mut place) = (Vec::<String>::new(), None::<SortKey>);
    for round in 0.. {
        let page = page(&world, place.as_ref()).await;
        place = page.hits.last().map(|hit| hit.sort_key.clone());
        seen.extend(page.hits.into_iter().map(|hit| hit.id));
        if page.is_last {
            break;
        }
        // Other documents change the frequencies of words, and so the scores.
        world
            .write(&[story(&format!("x{round}"), "첫눈 첫눈 오는 긴 제목"), person(&format!("y{round}"), "이름")])
            .await;
    }
    seen.retain(|id| id.starts_with('s'));
    // Newest first, each once.
    assert_eq!(seen, (0..23).rev().map(id).collect::<Vec<_>>());
}

async fn pages_of_equal_hits_have_each_once(engine: Engine) {
    // The same score and the same time, so that the id decides.
    let documents: Vec<_> = (0..12).rev().map(|n| story(&id(n), "첫눈")).collect();
    let world = World::with(engine, &documents).await;
    let first = page(&world, None).await;
    let second = page(&world, Some(&last(&first))).await;
    let third = page(&world, Some(&last(&second))).await;
    assert!(!first.is_last && !second.is_last && third.is_last);
    assert_eq!([first, second, third].map(ids).concat(), (0..12).map(id).collect::<Vec<_>>());
}

async fn page_of_a_tag_continues_without_a_query(engine: Engine) {
    let tagged = |document: Document| {
        let Content::Story(mut story) = document.content else { panic!("no story") };
        story.tags = vec!["snow".into()];
        Document { content: Content::Story(story), ..document }
    };
    let world = World::with(engine, &stories(8).into_iter().map(tagged).collect::<Vec<_>>()).await;
    let search = Search { query: None, kind: None, tag: Some("snow") };
    let first = world.index.search(search, JUN, None, SIZE).await.expect("a page");
    let second = world.index.search(search, JUN, Some(&last(&first)), SIZE).await.expect("a page");
    assert_eq!([first, second].map(ids).concat(), (0..8).rev().map(id).collect::<Vec<_>>());
}

async fn page_continues_after_its_last_hit_is_changed_or_removed(engine: Engine) {
    let world = World::with(engine, &stories(20)).await;
    let first = page(&world, None).await;
    assert_eq!(ids(first.clone()), ["s19", "s18", "s17", "s16", "s15"]);
    // The last hit of the page, and one that would follow, go. Another, which matches better, follows no more: it is
    // before the page.
    let changed = dated_story("s13", "첫눈 첫눈", Visibility::Public, "2026-11-22T01:00:00Z", 2);
    let hidden = dated_story("s12", "첫눈", Visibility::Private, "2026-11-22T00:12:00Z", 2);
    let outcomes = world.write(&[tombstone("s15", 2), tombstone("s14", 2), changed, hidden]).await;
    assert_eq!(outcomes, [const { Outcome::Written }; 4]);
    let second = page(&world, Some(&last(&first))).await;
    assert_eq!(ids(second), ["s11", "s10", "s09", "s08", "s07"]);
}

async fn page_continues_in_a_rebuilt_index(engine: Engine) {
    let world = World::with(engine, &stories(8)).await;
    let first = page(&world, None).await;
    // Other documents would change scores by word frequency.
    let mut documents: Vec<_> = (0..50).map(|n| person(&format!("p{n}"), "첫눈")).collect();
    documents.extend(stories(8));
    let second = world.index.index_name(2);
    world.index.create(&second, &world.settings()).await.expect("an index");
    world.index.write(Target::Index(&second), &documents).await.expect("outcomes");
    world.index.switch_alias(&second, &world.settings()).await.expect("switched");
    world.refresh().await;
    let rest = page(&world, Some(&last(&first))).await;
    // People have no time, so they are the last.
    assert_eq!(ids(rest)[..4], ["s02", "s01", "s00", "p0"]);
}

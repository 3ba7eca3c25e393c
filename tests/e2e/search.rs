//! Search: changes of the graph in, found stories, people and tags out. The poller runs by its schedule.
//!
//! Functions: stream-poller, search-indexer, search-api.

mod invalid_input;
mod neptune_full_text;
mod pages;
mod replay;
mod scenario;
mod visibility;

use neptune::Commit;
use serde_json::json;
use stack::users::User;
use test_support::wait::wait_until;
use uuid::Uuid;

use self::scenario::{SearchScenario, ids};
use crate::commits::{edge, remove_story};

#[tokio::test]
async fn korean_word_within_sentence_is_found_until_story_is_removed() {
    let search = SearchScenario::start().await;
    let (mina, jun) = (search.sign_up("미나").await, search.sign_up("준").await);
    let title = format!("{}에서 만난 첫눈", search.word);
    let id = search.publish(&mina, &title, "public").await;
    let story = search.wait_until_found(&jun, &search.word, &id).await;
    assert_eq!((&story["title"], &story["kind"]), (&json!(title), &json!("story")));
    assert_eq!(story["author"], json!({"id": mina.id, "name": "미나"}));
    // The embedded engine highlights the particle, too. A dictionary may split the random word.
    let (first, marked) = (&story["highlight"][0], format!("{}에서", search.word));
    assert!(first["match"] == true && first["text"].as_str().is_some_and(|text| marked.starts_with(text)), "{first}");
    let suggested = search.get("/v1/search/suggestions", &jun, &[("q", &search.word)]).await;
    assert_eq!(suggested.body["items"], json!([{"kind": "story", "id": id, "text": title}]));
    let stories = search.query(&jun, &[("q", &search.word), ("kind", "story")]).await;
    assert_eq!(ids(&stories), [id.as_str()]);
    let people = [("q", search.word.as_str()), ("kind", "person")];
    assert_eq!(search.query(&jun, &people).await.body, json!({"items": []}));
    let namesake = search.sign_up(&format!("{} 준", search.word)).await;
    wait_until("a person by their name", async || ids(&search.query(&jun, &people).await) == [namesake.id.as_str()])
        .await;
    search.deployed.commit(&Commit::new().set(&namesake.id, "name", "준")).await;

    search.deployed.commit(&remove_story(&id)).await;
    search.wait_until_indexed().await;
    for user in [&jun, &mina] {
        assert!(search.found(user, &search.word).await.is_empty(), "{}", user.name);
    }
}

#[tokio::test]
async fn tag_is_found_and_selects_its_visible_stories() {
    let search = SearchScenario::start().await;
    let (mina, jun) = (search.sign_up("미나").await, search.sign_up("준").await);
    let tag = format!("tag-{}", Uuid::new_v4());
    search.deployed.commit(&Commit::new().add_vertex(&tag, ["tag"]).set(&tag, "name", search.word.as_str())).await;
    let [public, followers, private, untagged] = [
        search.publish(&mina, "첫눈", "public").await,
        search.publish(&mina, "첫눈", "followers").await,
        search.publish(&mina, "첫눈", "private").await,
        search.publish(&mina, &search.word, "public").await,
    ];
    let tagged = [&public, &followers, &private]
        .into_iter()
        .fold(Commit::new(), |commit, id| commit.add_edge(format!("tagged:{id}"), "tagged", id, &tag));
    search.deployed.commit(&tagged).await;
    search.wait_until_indexed().await;
    let found = search.query(&jun, &[("q", &search.word), ("kind", "tag")]).await;
    assert_eq!(found.body["items"][0]["name"], json!(search.word), "{found:?}");
    assert_eq!(ids(&found), [tag.as_str()]);
    let suggested = search.get("/v1/search/suggestions", &jun, &[("q", &search.word)]).await;
    let suggestion = json!({"kind": "tag", "id": tag, "text": search.word});
    assert!(suggested.items().contains(&suggestion), "{suggested:?}");

    let by_tag = async |user: &User, more: &[(&str, &str)]| {
        let parameters: Vec<_> = [("tag", tag.as_str())].into_iter().chain(more.iter().copied()).collect();
        let response = search.query(user, &parameters).await;
        assert_eq!(response.status, 200, "{response:?}");
        let mut ids = ids(&response);
        ids.sort();
        (ids, response.body)
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<_> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    let (stories, body) = by_tag(&jun, &[]).await;
    assert_eq!(stories, sorted(&[&public]));
    assert_eq!(body["items"][0]["tags"], json!([{"id": tag, "name": search.word}]));
    assert_eq!(by_tag(&mina, &[]).await.0, sorted(&[&public, &followers, &private]));
    assert_eq!(by_tag(&mina, &[("q", "첫눈"), ("kind", "story")]).await.0, sorted(&[&public, &followers, &private]));
    assert_eq!(by_tag(&mina, &[("q", &search.word)]).await.0, sorted(&[]), "{untagged} has no tag");
    search.deployed.commit(&edge("follows", &jun.id, &mina.id)).await;
    search.wait_until_indexed().await;
    assert_eq!(by_tag(&jun, &[]).await.0, sorted(&[&public, &followers]));
    search.deployed.commit(&edge("blocks", &mina.id, &jun.id)).await;
    search.wait_until_indexed().await;
    assert_eq!(by_tag(&jun, &[]).await.0, sorted(&[&public]));

    let [first, second] = [&public, &followers].map(|id| format!("tagged:{id}"));
    search.deployed.commit(&Commit::new().remove_edge(first).remove_edge(second)).await;
    search.wait_until_indexed().await;
    assert_eq!(by_tag(&mina, &[]).await.0, sorted(&[&private]));
    for parameters in [&[("tag", "")][..], &[("tag", &tag), ("q", "")], &[("limit", "3")]] {
        assert_eq!(search.query(&jun, parameters).await.status, 400, "{parameters:?}");
    }
}

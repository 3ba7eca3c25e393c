//! What happens in the graph, in what people find; on the deployed stack, whose poller runs by its
//! schedule.

mod support;

#[path = "search/replay.rs"]
mod replay;
#[path = "search/world.rs"]
mod world;

use local::{neptune::Commit, users::User};
use serde_json::json;
use support::eventually;
use uuid::Uuid;
use world::{World, ids};

#[tokio::test]
async fn a_korean_word_is_found_within_its_sentence_and_gone_when_the_story_is() {
    let world = World::new();
    let (mina, jun) = (world.person("미나").await, world.person("준").await);
    let title = format!("{}에서 만난 첫눈", world.word);
    let id = world.tell(&mina, &title, "public").await;
    let story = world.finds(&jun, &world.word, &id).await;
    assert_eq!((&story["title"], &story["kind"]), (&json!(title), &json!("story")));
    assert_eq!(story["author"], json!({"id": mina.id, "name": "미나"}));
    // This server marks whole words.
    assert_eq!(story["highlight"][0], json!({"text": format!("{}에서", world.word), "match": true}));
    let suggested = world.ask_at("/v1/search/suggestions", &jun, &[("q", &world.word)]).await;
    assert_eq!(suggested.body["items"], json!([{"kind": "story", "id": id, "text": title}]));
    // As letters, as a keyboard may send it, and by its kind.
    let stories = world.ask(&jun, &[("q", &world.word), ("kind", "story")]).await;
    assert_eq!(ids(&stories.body), [id.as_str()]);
    let persons = world.ask(&jun, &[("q", &world.word), ("kind", "person")]).await;
    assert_eq!(persons.body, json!({"items": []}));
    let namesake = world.person(&format!("{} 준", world.word)).await;
    let namesake_is_found = async || {
        let persons = world.ask(&jun, &[("q", &world.word), ("kind", "person")]).await;
        (ids(&persons.body) == [namesake.id.as_str()]).then_some(())
    };
    eventually("a person by their name", namesake_is_found).await;
    world.commit(&Commit::new().set(&namesake.id, "name", "준")).await;

    world.commit(&Commit::new().remove_edge(format!("told:{id}")).remove_vertex(&id)).await;
    world.settle().await;
    assert!(world.found(&jun, &world.word).await.is_empty() && world.found(&mina, &world.word).await.is_empty());
}

#[tokio::test]
async fn who_follows_finds_more_and_who_is_blocked_does_not() {
    let world = World::new();
    let (mina, jun) = (world.person("미나").await, world.person("준").await);
    let id = world.tell(&mina, &world.word, "followers").await;
    let follows = format!("follows:{}:{}", jun.id, mina.id);
    world.commit(&Commit::new().add_edge(&follows, "follows", &jun.id, &mina.id)).await;
    world.settle().await;
    assert_eq!(world.found(&jun, &world.word).await, [id.as_str()]);
    assert!(world.found(world.deployed.reader().await, &world.word).await.is_empty());
    world.commit(&Commit::new().add_edge(format!("blocks:{id}"), "blocks", &mina.id, &jun.id)).await;
    world.settle().await;
    assert!(world.found(&jun, &world.word).await.is_empty());
    assert_eq!(world.found(&mina, &world.word).await, [id]);
}

#[tokio::test]
async fn nobody_ever_finds_what_is_not_theirs_to_see() {
    let world = World::new();
    let (mina, jun) = (world.person("미나").await, world.person("준").await);
    let mut random = Uuid::new_v4().as_u128();
    let mut roll = |sides: usize| {
        random = random.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(1);
        (random >> 96) as usize % sides
    };
    let mut stories: Vec<(String, &str, bool)> = Vec::new();
    for number in 0..30 {
        let visibility = ["public", "followers", "private"][roll(3)];
        match roll(3) {
            0 if !stories.is_empty() => {
                let at = roll(stories.len());
                if stories[at].2 {
                    stories[at].2 = false;
                    world
                        .commit(
                            &Commit::new().remove_edge(format!("told:{}", stories[at].0)).remove_vertex(&stories[at].0),
                        )
                        .await;
                }
            }
            1 if !stories.is_empty() => {
                let at = roll(stories.len());
                // The graph has no commit in which nothing changes.
                if stories[at].2 && stories[at].1 != visibility {
                    stories[at].1 = visibility;
                    world.commit(&Commit::new().set(&stories[at].0, "visibility", visibility)).await;
                }
            }
            _ => {
                let id = world.tell(&mina, &format!("{} {number}", world.word), visibility).await;
                stories.push((id, visibility, true));
            }
        }
    }
    world.settle().await;
    let expected = |sees: &dyn Fn(&str) -> bool| {
        let mut ids: Vec<_> = stories
            .iter()
            .filter(|(_, visibility, is_there)| *is_there && sees(visibility))
            .map(|(id, ..)| id.clone())
            .collect();
        ids.sort();
        ids
    };
    let found = async |user: &User| {
        let mut found = world.found(user, &world.word).await;
        found.sort();
        found
    };
    assert_eq!(found(&mina).await, expected(&|_| true), "{stories:?}");
    assert_eq!(found(&jun).await, expected(&|visibility| visibility == "public"), "{stories:?}");
}

#[tokio::test]
async fn neptunes_own_queries_find_what_the_graph_holds() {
    let world = World::new();
    let mina = world.person("미나").await;
    let word = format!("x{}", Uuid::new_v4().simple());
    let id = world.tell(&mina, &format!("{word} 첫눈"), "private").await;
    let more = Commit::new().set(&id, "mood", word.as_str()).set(&id, "listens", 40_i32);
    world.commit(&more.set(format!("told:{id}"), "through", word.as_str())).await;
    world.settle().await;
    let (vertex, edge) = (vec![id.clone()], vec![format!("told:{id}")]);
    // As in AWS's examples: by property and label, by a phrase, by a beginning, by any property.
    for query in [
        format!("predicates.title.value:{word} AND entity_type:story"),
        format!("predicates.title.value:\"{word} 첫눈\" AND entity_type:story"),
        format!("predicates.title.value:{}*", &word[..20]),
        format!("predicates.mood.value:{word} AND predicates.listens.value:40"),
        format!("predicates.title.value:{word} AND document_type:vertex"),
    ] {
        assert_eq!(world.fts(&query).await, vertex, "{query}");
    }
    assert_eq!(world.fts(&format!("predicates.through.value:{word} AND entity_type:told")).await, edge);
    assert_eq!(world.fts(&format!("predicates.title.value:{word} AND entity_type:person")).await, [""; 0]);
    let all = [id.clone(), format!("told:{id}")];
    let documents = world.mirrored(&all).await;
    let document = documents.values().find(|document| document[1]["document_type"] == "vertex").expect("a vertex");
    assert_eq!(document[1]["predicates"]["listens"], json!([{"value": 40, "datatype": "Int"}]));
    assert_eq!(document[1]["predicates"]["mood"], json!([{ "value": word }]));

    // What is removed, or replaced by what is of another type, is gone.
    world.commit(&Commit::new().set(&id, "title", 7_i32)).await;
    world.settle().await;
    assert_eq!(world.fts(&format!("predicates.title.value:{word}")).await, [""; 0]);
    assert_eq!(world.fts(&format!("predicates.title.value:7 AND predicates.mood.value:{word}")).await, vertex);

    // Ten thousand properties, and one of a megabyte: the rest is found as before.
    let many = (0..10_000).fold(Commit::new(), |commit, n| commit.set(&id, format!("property {n}"), n));
    world.commit(&many).await;
    world.commit(&Commit::new().set(&id, "mood", format!("{word} {}", "x".repeat(1_000_000)))).await;
    world.commit(&Commit::new().set(&id, "title", word.as_str())).await;
    world.settle().await;
    assert_eq!(world.fts(&format!("predicates.title.value:{word} AND entity_type:story")).await, vertex);
    assert_eq!(world.fts(&format!("predicates.mood.value:{word}")).await, [""; 0]);
    let documents = world.mirrored(&vertex).await;
    let names = documents.values().next().and_then(|document| document[1]["predicates"].as_object());
    assert_eq!(names.map(|names| names.len()), Some(63), "64 names are kept, and one has no value that is");

    let before = world.mirrored(&all).await;
    world.deployed.replay_all().await;
    world.settle().await;
    assert_eq!(world.mirrored(&all).await, before, "a replay changes nothing");

    world.commit(&Commit::new().remove_edge(format!("told:{id}")).remove_vertex(&id)).await;
    world.settle().await;
    assert_eq!(world.fts(&format!("predicates.title.value:{word}")).await, [""; 0]);
    assert_eq!(world.fts(&format!("entity_id.keyword:\"{id}\"")).await, [""; 0], "not even the tombstone");
    let gone = world.mirrored(&vertex).await;
    assert_eq!(gone.values().next().map(|document| &document[1]), Some(&json!({ "entity_id": id })));
    world.deployed.replay_all().await;
    world.settle().await;
    assert_eq!(world.mirrored(&vertex).await, gone, "a replay brings nothing back");
}

#[tokio::test]
async fn tags_are_found_and_lead_to_their_stories() {
    let world = World::new();
    let (mina, jun) = (world.person("미나").await, world.person("준").await);
    let tag = format!("tag-{}", Uuid::new_v4());
    world.commit(&Commit::new().add_vertex(&tag, ["tag"]).set(&tag, "name", world.word.as_str())).await;
    let [public, followers, private, other] = [
        world.tell(&mina, "첫눈", "public").await,
        world.tell(&mina, "첫눈", "followers").await,
        world.tell(&mina, "첫눈", "private").await,
        world.tell(&mina, &world.word, "public").await,
    ];
    let tagged = [&public, &followers, &private]
        .into_iter()
        .fold(Commit::new(), |commit, id| commit.add_edge(format!("tagged:{id}"), "tagged", id, &tag));
    world.commit(&tagged).await;
    world.settle().await;
    let found = world.ask(&jun, &[("q", &world.word), ("kind", "tag")]).await;
    assert_eq!(found.body["items"][0]["name"], json!(world.word), "{found:?}");
    assert_eq!(ids(&found.body), [tag.as_str()]);
    let suggested = world.ask_at("/v1/search/suggestions", &jun, &[("q", &world.word)]).await;
    let suggested = suggested.body["items"].as_array().expect("items").clone();
    assert!(suggested.contains(&json!({"kind": "tag", "id": tag, "text": world.word})), "{suggested:?}");

    let by_tag = async |user: &User, more: &[(&str, &str)]| {
        let parameters: Vec<_> = [("tag", tag.as_str())].into_iter().chain(more.iter().copied()).collect();
        let answer = world.ask(user, &parameters).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut ids = ids(&answer.body);
        ids.sort();
        (ids, answer.body)
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<_> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    let (stories, body) = by_tag(&jun, &[]).await;
    assert_eq!(stories, sorted(&[&public]));
    assert_eq!(body["items"][0]["tags"], json!([{"id": tag, "name": world.word}]));
    assert_eq!(by_tag(&mina, &[]).await.0, sorted(&[&public, &followers, &private]));
    assert_eq!(by_tag(&mina, &[("q", "첫눈"), ("kind", "story")]).await.0, sorted(&[&public, &followers, &private]));
    assert_eq!(by_tag(&mina, &[("q", &world.word)]).await.0, sorted(&[]), "{other} has no tag");
    // Who follows finds more; who is blocked does not.
    world.commit(&Commit::new().add_edge(format!("follows:{tag}"), "follows", &jun.id, &mina.id)).await;
    world.settle().await;
    assert_eq!(by_tag(&jun, &[]).await.0, sorted(&[&public, &followers]));
    world.commit(&Commit::new().add_edge(format!("blocks:{tag}"), "blocks", &mina.id, &jun.id)).await;
    world.settle().await;
    assert_eq!(by_tag(&jun, &[]).await.0, sorted(&[&public]));

    let [first, second] = [&public, &followers].map(|id| format!("tagged:{id}"));
    world.commit(&Commit::new().remove_edge(first).remove_edge(second)).await;
    world.settle().await;
    assert_eq!(by_tag(&mina, &[]).await.0, sorted(&[&private]));
    for parameters in [&[("tag", "")][..], &[("tag", &tag), ("q", "")], &[("limit", "3")]] {
        assert_eq!(world.ask(&jun, parameters).await.status, 400, "{parameters:?}");
    }
}

#[tokio::test]
async fn pages_follow_each_other() {
    let world = World::new();
    let (mina, jun) = (world.person("미나").await, world.person("준").await);
    let mut expected = Vec::new();
    for number in 0..7 {
        let visibility = if number % 3 == 1 { "private" } else { "public" };
        let id = world.tell(&mina, &world.word, visibility).await;
        expected.extend((visibility == "public").then_some(id));
    }
    world.settle().await;
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("q", world.word.as_str()), ("limit", "2")];
        parameters.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = world.ask(&jun, &parameters).await;
        assert_eq!(page.status, 200, "{page:?}");
        seen.extend(ids(&page.body));
        match page.body["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
        let stolen = world.ask(&mina, &[("q", &world.word), ("cursor", cursor.as_deref().unwrap_or_default())]).await;
        assert_eq!((stolen.status, stolen.content_type.as_str()), (400, "application/problem+json"));
    }
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected, "each once");
}

#[tokio::test]
async fn hostile_queries_have_stable_answers() {
    let world = World::new();
    let (mina, jun) = (world.person("미나").await, world.person("준").await);
    let private = world.tell(&mina, &world.word, "private").await;
    world.settle().await;
    let long = "x".repeat(7_000);
    // A gateway may refuse it before the function does.
    let answer = world.ask(&jun, &[("q", &"x".repeat(10_000))]).await;
    assert!([400, 414, 431].contains(&answer.status), "{answer:?}");
    for (query, status) in [
        ("", 400),
        (" \t\u{0}\u{1b}", 400),
        (long.as_str(), 400),
        ("\u{7}종\u{0}소리", 200),
        ("*", 200),
        ("id:* OR visibility:private", 200),
        ("_exists_:text AND NOT (", 200),
        ("\"}},{\"match_all\":{}}", 200),
        ("/.*/~99^1000", 200),
        ("\\", 200),
    ] {
        let answer = world.ask(&jun, &[("q", query)]).await;
        assert_eq!(answer.status, status, "{query}: {answer:?}");
        let expected = if status == 200 { "application/json" } else { "application/problem+json" };
        assert_eq!(answer.content_type, expected, "{query}");
        assert!(status != 200 || !ids(&answer.body).contains(&private), "{query}");
    }
    for parameters in [&[("q", "a"), ("kind", "comment")][..], &[("q", "a"), ("limit", "0")], &[("q", "a"), ("x", "y")]]
    {
        assert_eq!(world.ask(&jun, parameters).await.status, 400, "{parameters:?}");
    }
    let (status, ..) = world.deployed.fetch(&world.deployed.stack.api("/v1/search?q=a").expect("a URL")).await;
    assert_eq!(status, 401, "nobody asks");
}

#[tokio::test]
async fn hostile_stories_spoil_nothing() {
    let world = World::new();
    let (mina, jun) = (world.person("미나").await, world.person("준").await);
    let id = world.tell(&mina, &world.word, "public").await;
    world.finds(&jun, &world.word, &id).await;
    // A title that is a number has no words; then it is a text again.
    world.commit(&Commit::new().set(&id, "title", 7_i32)).await;
    world.settle().await;
    assert!(world.found(&jun, &world.word).await.is_empty());
    world.commit(&Commit::new().set(&id, "title", world.word.as_str())).await;
    world.finds(&jun, &world.word, &id).await;
    // One of a megabyte is no title either.
    world.commit(&Commit::new().set(&id, "title", format!("{} {}", world.word, "x".repeat(1_000_000)))).await;
    world.settle().await;
    assert!(world.found(&jun, &world.word).await.is_empty());
    world.commit(&Commit::new().set(&id, "title", world.word.as_str())).await;
    world.finds(&jun, &world.word, &id).await;
    // More properties than a message has room for: who may see it is then not known for certain.
    let many = (0..10_000).fold(Commit::new(), |commit, n| commit.set(&id, format!("property {n}"), n));
    world.commit(&many).await;
    world.settle().await;
    assert!(world.found(&jun, &world.word).await.is_empty());
    assert_eq!(world.found(&mina, &world.word).await, [id.as_str()]);
    // Said again, by way of another: to set what is set already is no change of the graph.
    world.commit(&Commit::new().set(&id, "visibility", "private")).await;
    world.commit(&Commit::new().set(&id, "visibility", "public")).await;
    world.finds(&jun, &world.word, &id).await;
    let url = format!("{}/search/_mapping", world.deployed.stack.search());
    let mapping = reqwest::get(url).await.expect("an answer").text().await.expect("a body");
    assert!(mapping.contains("publishedAt") && !mapping.contains("property 1"), "{mapping}");
}

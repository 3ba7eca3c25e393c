//! Queries, versions and aliases.

use domain::{
    media::Visibility,
    search::{Content, Document, Kind, MARK_BEGIN, MARK_END, Query, Story, Tag},
};
use opensearch::{MatchMode, Outcome, Search, Target, Viewer};
use serde_json::{Value, json};
use stack::search_server::Engine;

use crate::{
    documents::{dated_story, person, story, tombstone},
    engines::{JUN, World, on_each_engine},
};

on_each_engine! {
    korean_matches_without_particles_and_english_by_stem
    prefix_of_a_word_matches_in_suggestions
    matched_words_are_highlighted
    tag_filter_returns_visible_stories_with_the_tag
    story_is_found_by_those_who_may_see_it
    older_version_is_superseded_by_a_newer_one_or_a_tombstone
    index_is_created_once_and_replaced_atomically
    hostile_queries_are_plain_text
    index_of_the_version_before_is_written_and_searched
}

async fn korean_matches_without_particles_and_english_by_stem(engine: Engine) {
    let world = World::with(
        engine,
        &[
            story("s1", "서울에서 만난 첫눈"),
            story("s2", "부산 바다"),
            story("s3", "Running in Seoul"),
            person("p1", "서울이"),
        ],
    )
    .await;
    assert_eq!(world.found("jun", "서울").await, ["s1", "p1"]);
    // Decomposed letters (jamo), as some keyboards send them.
    assert_eq!(world.found("jun", "\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}").await, ["s1", "p1"]);
    assert_eq!(world.found("jun", "첫눈 서울").await, ["s1"]);
    assert_eq!(world.found("jun", "run seoul").await, ["s3"]);
    assert_eq!(world.found("jun", "제주").await, [""; 0]);
}

async fn prefix_of_a_word_matches_in_suggestions(engine: Engine) {
    let world =
        World::with(engine, &[story("s1", "서울에서 만난 첫눈"), story("s2", "밤의 서쪽"), person("p1", "미나")]).await;
    assert_eq!(world.found_by(MatchMode::Prefixes, "jun", "서울").await, ["s1"]);
    assert_eq!(world.found_by(MatchMode::Prefixes, "jun", "만").await, ["s1"]);
    let mut by_syllable = world.found_by(MatchMode::Prefixes, "jun", "서").await;
    by_syllable.sort();
    assert_eq!(by_syllable, ["s1", "s2"]);
    assert_eq!(world.found_by(MatchMode::Prefixes, "jun", "미").await, ["p1"]);
    assert_eq!(world.found_by(MatchMode::Prefixes, "jun", "눈").await, [""; 0], "no beginning");
}

async fn matched_words_are_highlighted(engine: Engine) {
    let world = World::with(engine, &[story("s1", "부산에서 <b>서울</b>로"), story("s2", "The runners")]).await;
    let highlighted = async |query| {
        let query = Query::parse(query).expect("a query");
        let search = Search { query: Some((MatchMode::Words, &query)), kind: Some(Kind::Story), tag: None };
        let page = world.index.search(search, JUN, None, 1).await.expect("a page");
        page.hits[0].highlight.clone().expect("marks").replace(MARK_BEGIN, "[").replace(MARK_END, "]")
    };
    assert_eq!(highlighted("서울").await, "부산에서 <b>[서울]</b>로");
    assert_eq!(highlighted("runner").await, "The [runners]");
}

fn tagged(id: &str, visibility: Visibility, tags: &[&str]) -> Document {
    let Document { vertex, version, content } = dated_story(id, "첫눈", visibility, "2026-11-22T00:00:00Z", 1);
    let Content::Story(story) = content else { panic!("no story") };
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    Document { vertex, version, content: Content::Story(Story { tags, ..story }) }
}

async fn tag_filter_returns_visible_stories_with_the_tag(engine: Engine) {
    let hostile = r#"x" OR *:*"#;
    let world = World::with(
        engine,
        &[
            tagged("s1", Visibility::Public, &["snow", "winter"]),
            tagged("s2", Visibility::Private, &["snow"]),
            tagged("s3", Visibility::Public, &[hostile]),
            story("s4", "비"),
            Document { vertex: "snow".into(), version: 1, content: Content::Tag(Tag { name: "눈사람".into() }) },
        ],
    )
    .await;
    let by_tag = |tag| Search { query: None, kind: None, tag: Some(tag) };
    assert_eq!(world.find(by_tag("snow"), "jun").await, ["s1"]);
    let mut own = world.find(by_tag("snow"), "mina").await;
    own.sort();
    assert_eq!(own, ["s1", "s2"]);
    assert_eq!(world.find(by_tag(hostile), "jun").await, ["s3"], "the tag is an id, not a query");
    assert_eq!(world.find(by_tag("sno"), "jun").await, [""; 0]);
    let [both, neither] = ["첫눈", "비"].map(|text| Query::parse(text).expect("a query"));
    let with = |query| Search { query: Some((MatchMode::Words, query)), ..by_tag("winter") };
    assert_eq!(world.find(with(&both), "jun").await, ["s1"]);
    assert_eq!(world.find(with(&neither), "jun").await, [""; 0]);
    assert_eq!(world.found("jun", "눈사람").await, ["snow"]);
}

async fn story_is_found_by_those_who_may_see_it(engine: Engine) {
    let documents = Visibility::ALL
        .map(|visibility| dated_story(visibility.as_ref(), "첫눈", visibility, "2026-11-22T00:00:00Z", 1));
    let world = World::with(engine, &documents).await;
    assert_eq!(world.found("jun", "첫눈").await, ["public"]);
    let (query, followed) = (Query::parse("첫눈").expect("a query"), ["sora".to_owned(), "mina".to_owned()]);
    let search = Search { query: Some((MatchMode::Words, &query)), kind: None, tag: None };
    let mut found = world.find_as(Viewer { followed: &followed, ..JUN }, search).await;
    found.sort();
    assert_eq!(found, ["followers", "public"]);
    assert_eq!(world.found("mina", "첫눈").await.len(), 3);
}

async fn older_version_is_superseded_by_a_newer_one_or_a_tombstone(engine: Engine) {
    let world = World::with(
        engine,
        &[story("s1", "첫눈"), dated_story("s2", "첫눈", Visibility::Public, "2026-11-22T00:00:00Z", 5)],
    )
    .await;
    let older = dated_story("s2", "함박눈", Visibility::Public, "2026-11-22T00:00:00Z", 4);
    assert_eq!(world.write(&[tombstone("s1", 2), older]).await, [Outcome::Written, Outcome::Superseded]);
    assert_eq!(world.write(&[story("s1", "첫눈")]).await, [Outcome::Superseded], "a replay");
    assert_eq!(world.found("mina", "첫눈").await, ["s2"]);
    assert_eq!(world.found("mina", "함박눈").await, [""; 0]);
}

async fn index_is_created_once_and_replaced_atomically(engine: Engine) {
    let world = World::new(engine);
    assert_eq!(world.found("jun", "첫눈").await, [""; 0], "the index does not exist");
    assert_eq!(world.write(&[story("s1", "첫눈")]).await, [Outcome::NoIndex]);
    for _ in 0..2 {
        world.index.create_first(&world.settings()).await.expect("an index");
    }
    assert_eq!(world.write(&[story("s1", "첫눈")]).await, [Outcome::Written]);
    let second = world.index.index_name(2);
    world.index.create(&second, &world.settings()).await.expect("an index");
    let target = Target::Index(&second);
    let outcomes = world.index.write(target, &[story("s1", "첫눈"), story("s2", "첫눈")]).await.expect("outcomes");
    assert_eq!(outcomes, [Outcome::Written, Outcome::Written]);
    assert_eq!(world.found("jun", "첫눈").await, ["s1"]);
    world.index.switch_alias(&second, &world.settings()).await.expect("switched");
    world.write(&[]).await;
    assert_eq!(world.found("jun", "첫눈").await, ["s1", "s2"]);
}

async fn hostile_queries_are_plain_text(engine: Engine) {
    let world = World::with(
        engine,
        &[story("s1", "첫눈"), dated_story("s2", "비밀", Visibility::Private, "2026-11-22T00:00:00Z", 1)],
    )
    .await;
    for query in [
        "*",
        "title:* OR visibility:private",
        "_exists_:text",
        "\"}},{\"match_all\":{}}",
        "/.*/",
        "((((",
        "첫눈~99 AND NOT (",
        "\\",
        "${script}",
        "<script>",
    ] {
        assert!(world.found("jun", query).await.iter().all(|id| id == "s1"), "{query}");
    }
    assert_eq!(world.found("jun", &"가나 ".repeat(66)).await, [""; 0]);
}

/// An index without pairs of characters, as version 0.1.0 created it. The new analyzer applies to new indexes only.
async fn index_of_the_version_before_is_written_and_searched(engine: Engine) {
    let world = World::new(engine);
    let (tokenizer, filters) = match engine {
        Engine::OpenSearch => (
            json!({"type": "nori_tokenizer", "decompound_mode": "mixed"}),
            json!(["nori_part_of_speech", "nori_readingform", "lowercase"]),
        ),
        Engine::Embedded => (
            json!({"type": "ngram", "min_gram": 2, "max_gram": 2, "token_chars": ["letter", "digit"]}),
            json!(["lowercase"]),
        ),
    };
    let mut settings: Value = serde_json::from_str(include_str!("index-0.1.0.json")).expect("JSON");
    settings["settings"]["analysis"]["tokenizer"] = json!({"korean": tokenizer});
    settings["settings"]["analysis"]["analyzer"]["korean"]["filter"] = filters;
    settings["aliases"] = json!({&world.alias: {}});
    let request = reqwest::Client::new().put(format!("{}/{}-000001", world.endpoint, world.alias));
    let request = request.header("content-type", "application/json").body(settings.to_string());
    assert!(request.send().await.expect("a response").status().is_success());
    let written = world.write(&[story("s1", "서울에서 만난 첫눈"), story("s2", "Running home")]).await;
    assert_eq!(written, [Outcome::Written, Outcome::Written]);
    assert_eq!(world.found("jun", "서울").await, ["s1"]);
    assert_eq!(world.found("jun", "run").await, ["s2"]);
    for typed in ["서우", "ㅅㅇ", "만"] {
        assert_eq!(world.found_by(MatchMode::Prefixes, "jun", typed).await, ["s1"], "{typed}");
    }
}

//! The crate `opensearch` with an OpenSearch-compatible server.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use domain::{
    media::Visibility,
    search::{Content, Document, Kind, MARK_BEGIN, MARK_END, Person, Query, Story, Tag},
};
use opensearch::{Analyzer, Client, Index, MatchMode, Outcome, Search, Settings, SortKey, Target};
use stack::search_server::SearchServer;

/// A server with an index.
struct World {
    server: SearchServer,
    index: Index,
}

impl World {
    async fn new() -> Self {
        let server = SearchServer::start(0).expect("a server");
        let credentials = Credentials::new("test", "test", None, None, "test");
        let config = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("ap-northeast-2"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let index = Index::new(Client::new(&config, &server.endpoint()).expect("a client"), "search".into());
        Self { server, index }
    }

    fn settings() -> Settings {
        Settings::search(Analyzer::Bigram)
    }

    /// A server with an index of these documents.
    async fn with(documents: &[Document]) -> Self {
        let world = Self::new().await;
        world.index.create_first(&Self::settings()).await.expect("an index");
        let outcomes = world.write(documents).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Written), "{outcomes:?}");
        world
    }

    async fn write(&self, documents: &[Document]) -> Vec<Outcome> {
        let outcomes = self.index.write(Target::Alias, documents).await.expect("outcomes");
        reqwest::get(format!("{}/_refresh", self.server.endpoint())).await.expect("a response");
        outcomes
    }

    /// Ids of the documents that `caller` finds.
    async fn found(&self, caller: &str, query: &str) -> Vec<String> {
        self.found_by(MatchMode::Words, caller, query).await
    }

    async fn found_by(&self, mode: MatchMode, caller: &str, query: &str) -> Vec<String> {
        let query = Query::parse(query).expect("a query");
        self.find(Search { query: Some((mode, &query)), kind: None, tag: None }, caller).await
    }

    async fn find(&self, search: Search<'_>, caller: &str) -> Vec<String> {
        let page = self.index.search(search, caller, None, 50).await.expect("a page");
        page.hits.into_iter().map(|hit| hit.id).collect()
    }
}

fn dated_story(id: &str, title: &str, visibility: Visibility, at: &str, version: u64) -> Document {
    let published_at = at.parse().expect("a time");
    let story = Story { title: title.into(), author: "mina".into(), published_at, visibility, tags: vec![] };
    Document { vertex: id.into(), version, content: Content::Story(story) }
}

fn story(id: &str, title: &str) -> Document {
    dated_story(id, title, Visibility::Public, "2026-11-22T00:00:00Z", 1)
}

fn person(id: &str, name: &str) -> Document {
    Document { vertex: id.into(), version: 1, content: Content::Person(Person { name: name.into() }) }
}

fn tombstone(id: &str, version: u64) -> Document {
    Document { vertex: id.into(), version, content: Content::NotSearchable }
}

#[tokio::test]
async fn korean_matches_without_particles_and_english_by_stem() {
    let world = World::with(&[
        story("s1", "서울에서 만난 첫눈"),
        story("s2", "부산 바다"),
        story("s3", "Running in Seoul"),
        person("p1", "서울이"),
    ])
    .await;
    assert_eq!(world.found("jun", "서울").await, ["s1", "p1"]);
    // Decomposed letters (jamo), as some keyboards send them.
    assert_eq!(world.found("jun", "\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}").await, ["s1", "p1"]);
    assert_eq!(world.found("jun", "첫눈 서울").await, ["s1"]);
    assert_eq!(world.found("jun", "run seoul").await, ["s3"]);
    assert_eq!(world.found("jun", "제주").await, [""; 0]);
}

#[tokio::test]
async fn prefix_of_a_word_matches_in_suggestions() {
    let world = World::with(&[story("s1", "서울에서 만난 첫눈"), story("s2", "밤의 서쪽"), person("p1", "미나")]).await;
    assert_eq!(world.found_by(MatchMode::Prefixes, "jun", "서울").await, ["s1"]);
    assert_eq!(world.found_by(MatchMode::Prefixes, "jun", "만").await, ["s1"]);
    let mut by_syllable = world.found_by(MatchMode::Prefixes, "jun", "서").await;
    by_syllable.sort();
    assert_eq!(by_syllable, ["s1", "s2"]);
    assert_eq!(world.found_by(MatchMode::Prefixes, "jun", "미").await, ["p1"]);
    assert_eq!(world.found_by(MatchMode::Prefixes, "jun", "눈").await, [""; 0], "no beginning");
}

#[tokio::test]
async fn matched_words_are_highlighted() {
    let world = World::with(&[story("s1", "부산에서 <b>서울</b>로"), story("s2", "The runners")]).await;
    let highlighted = async |query| {
        let query = Query::parse(query).expect("a query");
        let search = Search { query: Some((MatchMode::Words, &query)), kind: Some(Kind::Story), tag: None };
        let page = world.index.search(search, "jun", None, 1).await.expect("a page");
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

#[tokio::test]
async fn tag_filter_returns_visible_stories_with_the_tag() {
    let hostile = r#"x" OR *:*"#;
    let world = World::with(&[
        tagged("s1", Visibility::Public, &["snow", "winter"]),
        tagged("s2", Visibility::Private, &["snow"]),
        tagged("s3", Visibility::Public, &[hostile]),
        story("s4", "비"),
        Document { vertex: "snow".into(), version: 1, content: Content::Tag(Tag { name: "눈사람".into() }) },
    ])
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

#[tokio::test]
async fn private_story_of_another_user_is_not_found() {
    let documents = Visibility::ALL
        .map(|visibility| dated_story(visibility.as_ref(), "첫눈", visibility, "2026-11-22T00:00:00Z", 1));
    let world = World::with(&documents).await;
    let mut found = world.found("jun", "첫눈").await;
    found.sort();
    assert_eq!(found, ["followers", "public"], "the index does not check followers");
    assert_eq!(world.found("mina", "첫눈").await.len(), 3);
}

#[tokio::test]
async fn older_version_is_superseded_by_a_newer_one_or_a_tombstone() {
    let world =
        World::with(&[story("s1", "첫눈"), dated_story("s2", "첫눈", Visibility::Public, "2026-11-22T00:00:00Z", 5)])
            .await;
    let older = dated_story("s2", "함박눈", Visibility::Public, "2026-11-22T00:00:00Z", 4);
    assert_eq!(world.write(&[tombstone("s1", 2), older]).await, [Outcome::Written, Outcome::Superseded]);
    assert_eq!(world.write(&[story("s1", "첫눈")]).await, [Outcome::Superseded], "a replay");
    assert_eq!(world.found("mina", "첫눈").await, ["s2"]);
    assert_eq!(world.found("mina", "함박눈").await, [""; 0]);
}

#[tokio::test]
async fn paging_is_stable_under_concurrent_writes() {
    let at = |n: usize| format!("2026-11-22T00:{n:02}:00Z");
    let documents: Vec<_> =
        (0..23).map(|n| dated_story(&format!("s{n:02}"), "첫눈", Visibility::Public, &at(n), 1)).collect();
    let world = World::with(&documents).await;
    let query = Query::parse("첫눈").expect("a query");
    let (mut seen, mut place) = (Vec::<String>::new(), None::<SortKey>);
    for round in 0.. {
        let search = Search { query: Some((MatchMode::Words, &query)), kind: None, tag: None };
        let page = world.index.search(search, "jun", place.as_ref(), 5).await.expect("a page");
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
    assert_eq!(seen, (0..23).rev().map(|n| format!("s{n:02}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn index_is_created_once_and_replaced_atomically() {
    let world = World::new().await;
    assert_eq!(world.found("jun", "첫눈").await, [""; 0], "the index does not exist");
    assert_eq!(world.write(&[story("s1", "첫눈")]).await, [Outcome::NoIndex]);
    for _ in 0..2 {
        world.index.create_first(&World::settings()).await.expect("an index");
    }
    assert_eq!(world.write(&[story("s1", "첫눈")]).await, [Outcome::Written]);
    let second = world.index.index_name(2);
    world.index.create(&second, &World::settings()).await.expect("an index");
    let target = Target::Index(&second);
    let outcomes = world.index.write(target, &[story("s1", "첫눈"), story("s2", "첫눈")]).await.expect("outcomes");
    assert_eq!(outcomes, [Outcome::Written, Outcome::Written]);
    assert_eq!(world.found("jun", "첫눈").await, ["s1"]);
    world.index.switch_alias(&second, &World::settings()).await.expect("switched");
    world.write(&[]).await;
    assert_eq!(world.found("jun", "첫눈").await, ["s1", "s2"]);
}

#[tokio::test]
async fn hostile_queries_are_plain_text() {
    let world =
        World::with(&[story("s1", "첫눈"), dated_story("s2", "비밀", Visibility::Private, "2026-11-22T00:00:00Z", 1)])
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

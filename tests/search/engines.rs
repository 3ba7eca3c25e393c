//! Search engines that all tests share.

use std::sync::OnceLock;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use domain::search::{Document, Query};
use opensearch::{Analyzer, Client, Index, MatchMode, Outcome, Search, Settings, Target, Viewer};
use stack::search_server::{Engine, SearchServer};
use uuid::Uuid;

/// Makes a test on each engine of functions that take an [`Engine`]. Without a JDK, those on OpenSearch do nothing, which
/// is an error in continuous integration.
macro_rules! on_each_engine {
    ($($name:ident)*) => {
        mod on_embedded {
            $(#[tokio::test]
            async fn $name() {
                super::$name(stack::search_server::Engine::Embedded).await;
            })*
        }

        mod on_opensearch {
            $(#[tokio::test]
            async fn $name() {
                if crate::engines::has_opensearch() {
                    super::$name(stack::search_server::Engine::OpenSearch).await;
                }
            })*
        }
    };
}
pub(crate) use on_each_engine;

/// Whether the tests have OpenSearch.
pub fn has_opensearch() -> bool {
    let has_opensearch = Engine::for_tests().expect("OpenSearch") == Engine::OpenSearch;
    if !has_opensearch {
        println!("no JDK: not tested with OpenSearch");
    }
    has_opensearch
}

/// The server of this process. It ends with the process.
pub fn server(engine: Engine) -> &'static SearchServer {
    static EMBEDDED: OnceLock<SearchServer> = OnceLock::new();
    static OPENSEARCH: OnceLock<SearchServer> = OnceLock::new();
    let server = match engine {
        Engine::Embedded => &EMBEDDED,
        Engine::OpenSearch => &OPENSEARCH,
    };
    // Servers that run at the same time need names of their own.
    let name = match engine {
        Engine::Embedded => "tests-embedded",
        Engine::OpenSearch => "tests-opensearch",
    };
    server.get_or_init(|| SearchServer::start(engine, name).expect("a server"))
}

/// An alias of its own on a server.
pub struct World {
    pub endpoint: String,
    pub alias: String,
    pub index: Index,
    analyzer: Analyzer,
}

impl World {
    pub fn new(engine: Engine) -> Self {
        Self::at(server(engine).endpoint(), engine.analyzer().parse().expect("an analyzer"))
    }

    /// A world on this server.
    pub fn at(endpoint: String, analyzer: Analyzer) -> Self {
        let alias = format!("test-{}", Uuid::new_v4());
        let index = Index::new(client(&endpoint), alias.clone());
        Self { endpoint, alias, index, analyzer }
    }

    /// A world with an index of these documents.
    pub async fn with(engine: Engine, documents: &[Document]) -> Self {
        let world = Self::new(engine);
        world.fill(documents).await;
        world
    }

    /// Creates the index with these documents.
    pub async fn fill(&self, documents: &[Document]) {
        self.index.create_first(&self.settings()).await.expect("an index");
        let outcomes = self.write(documents).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Written), "{outcomes:?}");
    }

    pub fn settings(&self) -> Settings {
        Settings::search(self.analyzer)
    }

    pub async fn write(&self, documents: &[Document]) -> Vec<Outcome> {
        let outcomes = self.index.write(Target::Alias, documents).await.expect("outcomes");
        self.refresh().await;
        outcomes
    }

    /// Makes all writes visible. Without an index there are none.
    pub async fn refresh(&self) {
        reqwest::get(format!("{}/{}-*/_refresh", self.endpoint, self.alias)).await.expect("a response");
    }

    /// Ids of the documents that `caller` finds.
    pub async fn found(&self, caller: &str, query: &str) -> Vec<String> {
        self.found_by(MatchMode::Words, caller, query).await
    }

    pub async fn found_by(&self, mode: MatchMode, caller: &str, query: &str) -> Vec<String> {
        let query = Query::parse(query).expect("a query");
        self.find(Search { query: Some((mode, &query)), kind: None, tag: None }, caller).await
    }

    pub async fn find(&self, search: Search<'_>, caller: &str) -> Vec<String> {
        self.find_as(Viewer { caller, followed: &[] }, search).await
    }

    pub async fn find_as(&self, viewer: Viewer<'_>, search: Search<'_>) -> Vec<String> {
        let page = self.index.search(search, viewer, None, 50).await.expect("a page");
        page.hits.into_iter().map(|hit| hit.id).collect()
    }
}

/// A person without follows.
pub const JUN: Viewer<'_> = Viewer { caller: "jun", followed: &[] };

/// A client with credentials that no engine checks.
fn client(endpoint: &str) -> Client {
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("ap-northeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    Client::new(&config, endpoint).expect("a client")
}

//! What the functions of search call.

use aws_client::AwsClient;
use lambda_runtime_api::Function;
use reqwest::Method;
use serde_json::{Value, json};
use stack::search_server::{Engine, SearchServer};
use test_support::queues::create_fifo_queue;

use crate::emulated_aws::{EmulatedAws, SEALING_SECRET};

/// An emulator with the tables of search, and a server with OpenSearch's API.
pub struct SearchEnvironment {
    emulated: EmulatedAws,
    pub aws: AwsClient,
    /// `None` once the test has stopped it.
    pub server: Option<SearchServer>,
    pub engine: Engine,
    pub endpoint: String,
    queue: String,
    pub dead_letter_queue: String,
}

impl SearchEnvironment {
    /// Each test needs another name.
    pub async fn start(name: &str) -> Self {
        let emulated = EmulatedAws::start(name);
        let aws = emulated.client.clone();
        let engine = Engine::for_tests().expect("search engine");
        let server = SearchServer::start(engine, &format!("contract-{name}")).expect("search server");
        for (name, keys) in
            [("search", &["id"][..]), ("mirror", &["id"]), ("audience", &["pk", "sk"]), ("follows", &["pk", "sk"])]
        {
            emulated.create_table(name, keys).await;
        }
        let queue = create_fifo_queue(&aws, "search.fifo").await;
        let dead_letter_queue = create_fifo_queue(&aws, "search-dlq.fifo").await;
        emulated.create_sealing_secret().await;
        let endpoint = server.endpoint();
        Self { emulated, aws, server: Some(server), engine, endpoint, queue, dead_letter_queue }
    }

    pub async fn start_function(&self, logical_id: &str) -> Function {
        let settings = [
            ("SEARCH_TABLE", "search"),
            ("AUDIENCE_TABLE", "audience"),
            ("FOLLOWS_TABLE", "follows"),
            ("SEARCH_INDEX", "search"),
            ("SEARCH_ANALYZER", self.engine.analyzer()),
            ("MIRROR_TABLE", "mirror"),
            ("MIRROR_INDEX", "amazon_neptune"),
            ("OPENSEARCH_ENDPOINT_URL", &self.endpoint),
            ("SEALING_SECRET_ARN", SEALING_SECRET),
            ("QUEUE_URL", &self.queue),
            ("DEAD_LETTER_QUEUE_URL", &self.dead_letter_queue),
        ];
        self.emulated.start_function(logical_id, &settings).await
    }

    /// All documents of the alias `search`, with their versions.
    pub async fn documents(&self) -> Value {
        self.find("search", &json!({"query": {"match_all": {}}, "sort": [{"id": "asc"}]})).await
    }

    /// All documents of an index with their versions and sequence numbers, byte for byte. Each write of a document has a new
    /// sequence number, also if it changes nothing.
    pub async fn stored(&self, index: &str) -> String {
        self.call(Method::GET, &format!("/{index}/_refresh"), &Value::Null).await;
        let path = format!("/{index}/_search?filter_path=hits.hits");
        let all = json!({"size": 100, "version": true, "seq_no_primary_term": true});
        let stored = self.call(Method::POST, &path, &all).await;
        assert!(stored.contains("_seq_no"), "{stored}");
        stored
    }

    /// Calls the engine as an operator does; returns the body of the response.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> String {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.endpoint));
        // OpenSearch rejects a body where it expects none.
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let response = request.header("content-type", "application/json").body(body).send().await;
        response.expect("a response").text().await.expect("a body")
    }

    /// The documents of an index that match, as `[id, version, source]`.
    pub async fn find(&self, index: &str, query: &Value) -> Value {
        let url = |path: &str| format!("{}/{index}/{path}", self.endpoint);
        reqwest::get(url("_refresh")).await.expect("response");
        let mut body = query.clone();
        (body["version"], body["size"]) = (json!(true), json!(100));
        let request = reqwest::Client::new().post(url("_search")).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.expect("response");
        let found: Value = serde_json::from_slice(&response.bytes().await.expect("body")).expect("JSON");
        let document = |hit: &Value| json!([hit["_id"], hit["_version"], hit["_source"]]);
        found["hits"]["hits"].as_array().expect("hits").iter().map(document).collect()
    }
}

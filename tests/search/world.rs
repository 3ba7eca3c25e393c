//! What the tests of search do with the deployed stack.

use std::collections::BTreeMap;

use domain::graph::Change;
use http::Method;
use local::{neptune::Commit, users::User};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Deployed, eventually};

/// The deployed stack, and a word that only one test has in its titles.
pub struct World {
    pub deployed: Deployed,
    pub word: String,
}

impl World {
    pub fn new() -> Self {
        Self { deployed: Deployed::get(), word: word() }
    }

    /// Somebody with an account and a vertex.
    pub async fn person(&self, name: &str) -> User {
        let user = self.deployed.person(name).await;
        self.commit(&Commit::new().add_vertex(&user.id, ["person"]).set(&user.id, "name", name)).await;
        user
    }

    pub async fn commit(&self, commit: &Commit) {
        self.deployed.commit(commit).await;
    }

    /// Tells a story; its id.
    pub async fn tell(&self, user: &User, title: &str, visibility: &str) -> String {
        let id = format!("story-{}", Uuid::new_v4());
        let vertex =
            Commit::new().add_vertex(&id, ["story"]).set(&id, "title", title).set(&id, "visibility", visibility);
        self.commit(&vertex.add_edge(format!("told:{id}"), "told", &user.id, &id)).await;
        id
    }

    pub async fn ask(&self, user: &User, parameters: &[(&str, &str)]) -> Answer {
        self.ask_at("/v1/search", user, parameters).await
    }

    pub async fn ask_at(&self, path: &str, user: &User, parameters: &[(&str, &str)]) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.deployed.ask(user, Method::GET, &format!("{path}?{query}"), None).await
    }

    /// The ids that `user` finds, in order.
    pub async fn found(&self, user: &User, query: &str) -> Vec<String> {
        let answer = self.ask(user, &[("q", query), ("limit", "50")]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        ids(&answer.body)
    }

    /// Waits until `user` finds this and nothing else.
    pub async fn finds(&self, user: &User, query: &str, id: &str) -> Value {
        eventually(&format!("{query} to be found"), async || {
            let answer = self.ask(user, &[("q", query)]).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let item = answer.body["items"].get(0).cloned()?;
            assert_eq!(ids(&answer.body), [id]);
            Some(item)
        })
        .await
    }

    /// Waits until all commits so far are in the index, and in what push keeps.
    pub async fn settle(&self) {
        self.deployed.settle("SearchQueueUrl").await;
        self.deployed.settle("PushQueueUrl").await;
        for alias in ["search", MIRROR] {
            let url = format!("{}/{alias}/_refresh", self.deployed.stack.search());
            reqwest::get(url).await.expect("refreshed");
        }
    }

    /// The ids that Neptune would get for `g.withSideEffect("Neptune#fts.queryType", "query_string")
    /// .V().has("*", "Neptune#fts <query>")` (Neptune User Guide, "Using Apache Lucene query syntax in
    /// Neptune full-text search queries").
    pub async fn fts(&self, query: &str) -> Vec<String> {
        let body = json!({"size": 100, "query": {"query_string": {"query": query}}});
        let answer = self.index_of(MIRROR, "_search", &body).await;
        let hits = answer["hits"]["hits"].as_array().unwrap_or_else(|| panic!("{query}: {answer}")).iter();
        let mut ids: Vec<_> = hits.map(|hit| hit["_source"]["entity_id"].as_str().expect("an id").to_owned()).collect();
        ids.sort();
        ids
    }

    /// The documents of the mirror, with their versions, as they are behind the alias: tombstones, too.
    pub async fn mirrored(&self, ids: &[String]) -> BTreeMap<String, Value> {
        let body = json!({"version": true, "size": 1_000, "query": {"terms": {"entity_id.keyword": ids}}});
        let answer = self.index_of(&format!("{MIRROR}-000001"), "_search", &body).await;
        let hits = answer["hits"]["hits"].as_array().expect("hits").iter();
        hits.map(|hit| (hit["_id"].to_string(), json!([hit["_version"], hit["_source"]]))).collect()
    }

    /// Exports the graph as `order` says, to its end; the last answer.
    pub async fn export(&self, mut order: Value) -> Value {
        loop {
            let answer = self.deployed.invoke("StreamPollerName", &json!({ "export": order })).await;
            match answer.get("export") {
                Some(rest) => order = rest.clone(),
                None => {
                    assert_eq!(answer["ended"], "exported", "{answer}");
                    return answer;
                }
            }
        }
    }

    /// Hands the indexer a change as the bus would, in whatever order.
    pub async fn deliver(&self, change: &Change) {
        let input = json!({
            "QueueUrl": self.deployed.output("SearchQueueUrl"), "MessageBody": change.to_cloud_event("local"),
            "MessageGroupId": change.group_id(), "MessageDeduplicationId": Uuid::new_v4().to_string(),
        });
        self.deployed.aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("sent");
    }

    /// Asks the index itself.
    pub async fn index(&self, path: &str, body: &Value) -> Value {
        self.index_of("search", path, body).await
    }

    pub async fn index_of(&self, alias: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/{alias}/{path}", self.deployed.stack.search());
        let request = reqwest::Client::new().post(url).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.expect("an answer").bytes().await.expect("a body");
        serde_json::from_slice(&answer).expect("JSON")
    }

    /// Documents by id, with their versions.
    pub async fn documents(&self, ids: &[String]) -> BTreeMap<String, Value> {
        let body = json!({"version": true, "size": 1_000, "query": {"ids": {"values": ids}}});
        let answer = self.index("_search", &body).await;
        let hits = answer["hits"]["hits"].as_array().expect("hits").iter();
        let document = |hit: &Value| (hit["_id"].to_string(), json!([hit["_version"], hit["_source"]]));
        hits.map(document).collect()
    }
}

/// What Neptune's own full-text queries look into.
const MIRROR: &str = "amazon_neptune";

pub fn ids(body: &Value) -> Vec<String> {
    let items = body["items"].as_array().expect("items").iter();
    items.map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// Five syllables that nobody else has.
fn word() -> String {
    let bytes = Uuid::new_v4().into_bytes();
    let syllable = |pair: &[u8]| char::from_u32(0xac00 + (u32::from(pair[0]) << 8 | u32::from(pair[1])) % 11_172);
    bytes.chunks_exact(3).filter_map(syllable).collect()
}

//! Published stories, and what users and the indexes find.

use std::collections::BTreeMap;

use domain::graph::Change;
use neptune::Commit;
use serde_json::{Value, json};
use stack::users::User;
use test_support::wait::wait_for;
use uuid::Uuid;

use crate::{
    commits::{add_person, add_story},
    deployed::{Deployed, Response},
};

/// The alias of the index that Neptune's own full-text queries use.
const FULL_TEXT_INDEX: &str = "amazon_neptune";

/// The deployed stack, and a word that is unique to one test.
pub struct SearchScenario {
    pub deployed: Deployed,
    pub word: String,
}

impl SearchScenario {
    pub async fn start() -> Self {
        Self { deployed: Deployed::shared().await, word: unique_word() }
    }

    /// A new user with a vertex.
    pub async fn sign_up(&self, name: &str) -> User {
        let user = self.deployed.sign_up(name).await;
        self.deployed.commit(&add_person(Commit::new(), &user)).await;
        user
    }

    /// Publishes a story; returns its id.
    pub async fn publish(&self, author: &User, title: &str, visibility: &str) -> String {
        let id = format!("story-{}", Uuid::new_v4());
        let story = add_story(Commit::new(), &author.id, &id, title).set(&id, "visibility", visibility);
        self.deployed.commit(&story).await;
        id
    }

    /// `GET /v1/search`.
    pub async fn query(&self, user: &User, parameters: &[(&str, &str)]) -> Response {
        self.get("/v1/search", user, parameters).await
    }

    pub async fn get(&self, path: &str, user: &User, parameters: &[(&str, &str)]) -> Response {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.deployed.get(user, &format!("{path}?{query}")).await
    }

    /// The ids that `user` finds, in order.
    pub async fn found(&self, user: &User, query: &str) -> Vec<String> {
        let response = self.query(user, &[("q", query), ("limit", "50")]).await;
        assert_eq!(response.status, 200, "{response:?}");
        ids(&response)
    }

    /// Waits until `user` finds the item with this id and no other; returns it.
    pub async fn wait_until_found(&self, user: &User, query: &str, id: &str) -> Value {
        wait_for(&format!("{query} to be found"), async || {
            let response = self.query(user, &[("q", query)]).await;
            assert_eq!(response.status, 200, "{response:?}");
            let item = response.items().first().cloned()?;
            assert_eq!(ids(&response), [id]);
            Some(item)
        })
        .await
    }

    /// Waits until search and push have consumed all commits so far, and refreshes the indexes.
    pub async fn wait_until_indexed(&self) {
        self.deployed.wait_until_consumed("SearchQueueUrl").await;
        self.deployed.wait_until_consumed("PushQueueUrl").await;
        for alias in ["search", FULL_TEXT_INDEX] {
            let url = format!("{}/{alias}/_refresh", self.deployed.stack.search_endpoint());
            reqwest::get(url).await.expect("refreshed");
        }
    }

    /// The ids that Neptune would get for `g.withSideEffect("Neptune#fts.queryType", "query_string")
    /// .V().has("*", "Neptune#fts <query>")` (Neptune User Guide, "Using Apache Lucene query syntax in Neptune full-text
    /// search queries").
    pub async fn full_text(&self, query: &str) -> Vec<String> {
        let body = json!({"size": 100, "query": {"query_string": {"query": query}}});
        let hits = self.hits(FULL_TEXT_INDEX, &body).await;
        let mut ids: Vec<_> =
            hits.iter().map(|hit| hit["_source"]["entity_id"].as_str().expect("id").to_owned()).collect();
        ids.sort();
        ids
    }

    /// The documents of these entities in the full-text index, tombstones included: the alias would hide those.
    pub async fn full_text_documents(&self, ids: &[String]) -> BTreeMap<String, Value> {
        self.documents_in(&format!("{FULL_TEXT_INDEX}-000001"), json!({"terms": {"entity_id.keyword": ids}})).await
    }

    /// The documents with these ids in the index of search.
    pub async fn documents(&self, ids: &[String]) -> BTreeMap<String, Value> {
        self.documents_in("search", json!({"ids": {"values": ids}})).await
    }

    /// Documents as `[version, source, sequence number]`, by their ids in JSON. Each write of a document has a new sequence
    /// number, also if it changes nothing.
    async fn documents_in(&self, index: &str, query: Value) -> BTreeMap<String, Value> {
        let body = json!({"version": true, "seq_no_primary_term": true, "size": 1_000, "query": query});
        let document = |hit: &Value| {
            assert!(hit["_seq_no"].is_u64(), "{hit}");
            (hit["_id"].to_string(), json!([hit["_version"], hit["_source"], hit["_seq_no"]]))
        };
        self.hits(index, &body).await.iter().map(document).collect()
    }

    async fn hits(&self, index: &str, body: &Value) -> Vec<Value> {
        let url = format!("{}/{index}/_search", self.deployed.stack.search_endpoint());
        let request = reqwest::Client::new().post(url).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.expect("response").bytes().await.expect("body");
        let response: Value = serde_json::from_slice(&response).expect("JSON");
        response["hits"]["hits"].as_array().unwrap_or_else(|| panic!("{body}: {response}")).clone()
    }

    /// Exports the graph in as many invocations as it takes; returns the last response.
    pub async fn export(&self, mut order: Value) -> Value {
        loop {
            let response = self.deployed.invoke("GraphExportName", &json!({ "export": order })).await;
            match response.get("export") {
                Some(rest) => order = rest.clone(),
                None => {
                    assert_eq!(response["ended"], "exported", "{response}");
                    return response;
                }
            }
        }
    }

    /// Sends a change to the indexer's queue, as the event bus does.
    pub async fn deliver(&self, change: &Change) {
        let input = json!({
            "QueueUrl": self.deployed.output("SearchQueueUrl"), "MessageBody": change.to_cloud_event("local"),
            "MessageGroupId": change.group_id(), "MessageDeduplicationId": Uuid::new_v4().to_string(),
        });
        self.deployed.aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("message sent");
    }
}

/// The ids of the items of a list.
pub fn ids(response: &Response) -> Vec<String> {
    response.items().iter().map(|item| item["id"].as_str().expect("id").to_owned()).collect()
}

/// Five random syllables.
fn unique_word() -> String {
    let bytes = Uuid::new_v4().into_bytes();
    let syllable = |pair: &[u8]| char::from_u32(0xac00 + (u32::from(pair[0]) << 8 | u32::from(pair[1])) % 11_172);
    bytes.chunks_exact(3).filter_map(syllable).collect()
}

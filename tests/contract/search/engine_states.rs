//! States of OpenSearch in which it refuses changes, and what happens to their messages.

use reqwest::Method;
use serde_json::{Value, json};
use stack::search_server::Engine;
use test_support::queues::receive_messages;

use super::environment::SearchEnvironment;
use crate::{
    events::event,
    responses::{consume, invoke, problem},
};

#[tokio::test]
async fn changes_wait_in_queue_while_index_is_blocked_and_unfit_ones_are_dead_lettered() {
    let search = SearchEnvironment::start("search-states").await;
    if search.engine != Engine::OpenSearch {
        // The embedded engine has none of these states.
        return;
    }
    // An index whose strict mapping has no field for authors, as if a later version had added it.
    let names = ["deleted", "kind", "id", "visibility", "text"];
    let mut properties: Value = names.iter().map(|name| ((*name).to_owned(), json!({"type": "keyword"}))).collect();
    properties["publishedAt"] = json!({"type": "long"});
    let index = json!({"mappings": {"dynamic": "strict", "properties": properties}, "aliases": {"search": {}}});
    let acknowledged = search.call(Method::PUT, "/search-000001", &index).await;
    assert!(acknowledged.contains(r#""acknowledged":true"#), "{acknowledged}");
    let (mut indexer, mut api) =
        (search.start_function("SearchIndexer").await, search.start_function("SearchApi").await);
    let changes = event("search-changes");

    // Full disk, stopped by an operator, closed.
    let set = |block: &'static str, is_set: bool| (Method::PUT, "/search-000001/_settings", json!({ block: is_set }));
    let close = |action: &'static str| (Method::POST, action, Value::Null);
    for (begin, end) in [
        (set("index.blocks.read_only_allow_delete", true), set("index.blocks.read_only_allow_delete", false)),
        (set("index.blocks.write", true), set("index.blocks.write", false)),
        (close("/search-000001/_close"), close("/search-000001/_open?wait_for_active_shards=1")),
    ] {
        search.call(begin.0, begin.1, &begin.2).await;
        let response = invoke(&mut indexer, &changes).await;
        assert_eq!(response["batchItemFailures"].as_array().map(Vec::len), Some(3), "{}: {response}", begin.2);
        if begin.2.is_null() {
            assert_eq!(problem(&mut api, &event("search")).await, (503, json!("urn:iyagi:problem:unavailable")));
        }
        search.call(end.0, end.1, &end.2).await;
    }

    // Afterwards, the person is indexed. Both changes of the story are dead letters: they wait for a rebuild.
    consume(&mut indexer, &changes).await;
    let mut dead = receive_messages(&search.aws, &search.dead_letter_queue, 3).await;
    dead.retain(|message| message.contains(r#""s1""#));
    assert_eq!(dead.len(), 2, "{dead:?}");
    let ids =
        |documents: Value| documents.as_array().map(|all| all.iter().map(|one| one[0].clone()).collect::<Vec<_>>());
    assert_eq!(ids(search.documents().await), Some(vec![json!("mina")]));

    // The rebuilt index has the fields of this version.
    let rebuilt = invoke(&mut indexer, &json!({"rebuild": {"number": 2}})).await;
    assert_eq!(rebuilt, json!({"offered": 4, "refused": 0}));
    assert_eq!(ids(search.documents().await), Some(vec![json!("mina"), json!("s1")]));
}

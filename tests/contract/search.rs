//! The functions of search: a story is indexed, found and suggested; indexes are rebuilt.

mod engine_states;
mod environment;

use serde_json::{Value, json};
use stack::search_server::Engine;
use test_support::{queues::receive_messages, wait::wait_for};

use self::environment::SearchEnvironment;
use crate::{
    events::{event, without_caller},
    responses::{consume, invoke, problem, request},
};

#[tokio::test]
async fn indexed_story_is_found_until_index_is_unavailable() {
    let mut search = SearchEnvironment::start("search").await;
    let (mut indexer, mut api) =
        (search.start_function("SearchIndexer").await, search.start_function("SearchApi").await);
    let query = event("search");
    assert_eq!(request(&mut api, &query).await, (200, json!({"items": []})), "there is no index yet");

    let changes = event("search-changes");
    consume(&mut indexer, &changes).await;
    let dead_letters = receive_messages(&search.aws, &search.dead_letter_queue, 1).await;
    assert_eq!(dead_letters, ["this is not a change"]);
    let story = wait_for("the story", async || {
        let (status, page) = request(&mut api, &query).await;
        assert_eq!(status, 200, "{page}");
        page["items"].get(0).cloned()
    })
    .await;
    // The embedded engine highlights whole words.
    let (matched, rest) = match search.engine {
        Engine::Embedded => ("서울에서", " 만난 첫눈"),
        Engine::OpenSearch => ("서울", "에서 만난 첫눈"),
    };
    let expected = json!({
        "kind": "story", "id": "s1", "title": "서울에서 만난 첫눈", "author": {"id": "mina", "name": "미나"},
        "publishedAt": "2026-11-22T03:04:05.678Z", "visibility": "public", "tags": [],
        "highlight": [{"text": matched, "match": true}, {"text": rest, "match": false}]
    });
    assert_eq!(story, expected);
    let suggestions = with_query(&query, "GET /v1/search/suggestions", json!({"q": "만"}));
    let (_, suggested) = request(&mut api, &suggestions).await;
    assert_eq!(suggested, json!({"items": [{"kind": "story", "id": "s1", "text": "서울에서 만난 첫눈"}]}));

    // The index holds only the fields that search uses. A second delivery leaves both indexes as they are, byte for byte.
    let before = search.documents().await;
    assert!(!before.to_string().contains("iyagi.example") && !before.to_string().contains("126.97"), "{before}");
    assert_eq!(before.as_array().map(Vec::len), Some(2), "{before}");
    let stored = [search.stored("search-000001").await, search.stored("amazon_neptune-000001").await];
    consume(&mut indexer, &changes).await;
    assert_eq!([search.stored("search-000001").await, search.stored("amazon_neptune-000001").await], stored);

    // Rebuild from the table, into a new index.
    let rebuild = json!({"rebuild": {"number": 2}});
    let rebuilt = invoke(&mut indexer, &rebuild).await;
    assert_eq!(rebuilt, json!({"offered": 4, "refused": 0}), "each document in both passes");
    assert_eq!(search.documents().await, before);
    let (_, page) = request(&mut api, &query).await;
    assert_eq!(page["items"], json!([expected]));

    // The Neptune full-text index also holds properties that search does not use.
    let full_text =
        |query: &str| json!({"query": {"query_string": {"query": query}}, "sort": [{"entity_id.keyword": "asc"}]});
    let by_place = full_text("predicates.location.value:\"37.56,126.97\" AND entity_type:story");
    let found = json!([[
        "aa3c25d1c1968a3e7fb37d0fe47470f6", 1, {
            "entity_id": "s1", "entity_type": ["story"], "document_type": "vertex",
            "predicates": {"location": [{"value": "37.56,126.97"}], "title": [{"value": "서울에서 만난 첫눈"}]}
        }
    ]]);
    assert_eq!(search.find("amazon_neptune", &by_place).await, found);
    let all = search.find("amazon_neptune", &full_text("*")).await;
    let rebuild = json!({"rebuild": {"number": 2, "mirror": true}});
    let rebuilt = invoke(&mut indexer, &rebuild).await;
    assert_eq!(rebuilt, json!({"offered": 6, "refused": 0}), "two vertices and an edge in both passes");
    assert_eq!(search.find("amazon_neptune", &full_text("*")).await, all);
    assert_eq!(search.find("amazon_neptune-000002", &by_place).await, found);

    for (parameters, status) in [(json!({}), 400), (json!({"q": "x".repeat(10_000)}), 400), (json!({"q": "((*"}), 200)]
    {
        assert_eq!(request(&mut api, &with_query(&query, "GET /v1/search", parameters)).await.0, status);
    }
    let refusal = problem(&mut api, &without_caller(query.clone())).await;
    assert_eq!(refusal, (401, json!("urn:iyagi:problem:unauthorized")));

    // Without an index, changes stay in the queue, and callers have to retry.
    drop(search.server.take());
    let response = invoke(&mut indexer, &changes).await;
    assert_eq!(response["batchItemFailures"].as_array().map(Vec::len), Some(3), "{response}");
    assert_eq!(problem(&mut api, &query).await, (503, json!("urn:iyagi:problem:unavailable")));
}

/// The request with another route and other query parameters.
fn with_query(event: &Value, route: &str, parameters: Value) -> Value {
    let mut event = event.clone();
    event["routeKey"] = route.into();
    event["rawQueryString"] = serde_urlencoded::to_string(&parameters).expect("a query").into();
    event["queryStringParameters"] = parameters;
    event
}

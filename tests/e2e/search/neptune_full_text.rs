//! The index that Neptune's own full-text queries use.

use neptune::Commit;
use serde_json::json;
use uuid::Uuid;

use super::scenario::SearchScenario;
use crate::commits::{author_edge_id, remove_story};

#[tokio::test]
async fn full_text_queries_find_current_properties_also_after_replay() {
    let search = SearchScenario::start().await;
    let mina = search.sign_up("미나").await;
    let word = format!("x{}", Uuid::new_v4().simple());
    let id = search.publish(&mina, &format!("{word} 첫눈"), "private").await;
    let edge_id = author_edge_id(&id);
    let more = Commit::new().set(&id, "mood", word.as_str()).set(&id, "listens", 40_i32);
    search.deployed.commit(&more.set(&edge_id, "through", word.as_str())).await;
    search.wait_until_indexed().await;
    let (vertex, edge) = (vec![id.clone()], vec![edge_id.clone()]);
    // The queries of AWS's examples: by property and label, phrase, prefix, and any property.
    for query in [
        format!("predicates.title.value:{word} AND entity_type:story"),
        format!("predicates.title.value:\"{word} 첫눈\" AND entity_type:story"),
        format!("predicates.title.value:{}*", &word[..20]),
        format!("predicates.mood.value:{word} AND predicates.listens.value:40"),
        format!("predicates.title.value:{word} AND document_type:vertex"),
    ] {
        assert_eq!(search.full_text(&query).await, vertex, "{query}");
    }
    assert_eq!(search.full_text(&format!("predicates.through.value:{word} AND entity_type:told")).await, edge);
    assert_eq!(search.full_text(&format!("predicates.title.value:{word} AND entity_type:person")).await, [""; 0]);
    let all = [id.clone(), edge_id];
    let documents = search.full_text_documents(&all).await;
    let document = documents.values().find(|document| document[1]["document_type"] == "vertex").expect("vertex");
    assert_eq!(document[1]["predicates"]["listens"], json!([{"value": 40, "datatype": "Int"}]));
    assert_eq!(document[1]["predicates"]["mood"], json!([{ "value": word }]));

    // A value of another type replaces the text.
    search.deployed.commit(&Commit::new().set(&id, "title", 7_i32)).await;
    search.wait_until_indexed().await;
    assert_eq!(search.full_text(&format!("predicates.title.value:{word}")).await, [""; 0]);
    assert_eq!(search.full_text(&format!("predicates.title.value:7 AND predicates.mood.value:{word}")).await, vertex);

    // With ten thousand properties, and one of a megabyte, the other properties are still found.
    let many = (0..10_000).fold(Commit::new(), |commit, n| commit.set(&id, format!("property {n}"), n));
    search.deployed.commit(&many).await;
    search.deployed.commit(&Commit::new().set(&id, "mood", format!("{word} {}", "x".repeat(1_000_000)))).await;
    search.deployed.commit(&Commit::new().set(&id, "title", word.as_str())).await;
    search.wait_until_indexed().await;
    assert_eq!(search.full_text(&format!("predicates.title.value:{word} AND entity_type:story")).await, vertex);
    assert_eq!(search.full_text(&format!("predicates.mood.value:{word}")).await, [""; 0]);
    let documents = search.full_text_documents(&vertex).await;
    let names = documents.values().next().and_then(|document| document[1]["predicates"].as_object());
    assert_eq!(names.map(|names| names.len()), Some(63), "64 names are stored, one of them without a value");

    let before = search.full_text_documents(&all).await;
    search.deployed.replay_stream().await;
    search.wait_until_indexed().await;
    assert_eq!(search.full_text_documents(&all).await, before, "the replay has changed documents");

    search.deployed.commit(&remove_story(&id)).await;
    search.wait_until_indexed().await;
    assert_eq!(search.full_text(&format!("predicates.title.value:{word}")).await, [""; 0]);
    assert_eq!(search.full_text(&format!("entity_id.keyword:\"{id}\"")).await, [""; 0], "the tombstone is found");
    let removed = search.full_text_documents(&vertex).await;
    assert_eq!(removed.values().next().map(|document| &document[1]), Some(&json!({ "entity_id": id })));
    search.deployed.replay_stream().await;
    search.wait_until_indexed().await;
    assert_eq!(search.full_text_documents(&vertex).await, removed, "the replay has restored the story");
}

//! The pipeline for Neptune's full-text queries.

use std::time::{Duration, Instant};

use domain::{
    graph::{ChangeKind, EntityKind, PropertyChange, Value},
    neptune_fts::{self, Element},
};
use function_kit::{failure::Kind, metrics::Metrics};
use opensearch::Outcome;
use serde_json::json;

use super::{
    changes::{change, title, told},
    in_memory_backend::InMemoryBackend,
};
use crate::{
    event::Rebuild,
    rebuild::{Progress, rebuild},
};

/// Labels and properties of a document.
fn labels_and_properties(source: &serde_json::Value) -> (&serde_json::Value, &serde_json::Value) {
    (&source["entity_type"], &source["predicates"])
}

#[tokio::test]
async fn mirror_contains_vertices_and_edges() {
    let backend = InMemoryBackend::<Element>::default();
    let mut place = change(1, EntityKind::Vertex, "s1");
    place.labels.added = vec!["story".to_owned()];
    let after = vec![Value::String("37.56,126.97".to_owned())];
    place.properties.insert("location".to_owned(), PropertyChange { before: vec![], after });
    let place = place.to_cloud_event("main");
    let batch = [title(2, "s1", Some("첫눈")), told(2, ChangeKind::Added, "mina", "s1"), place];
    assert_eq!(backend.deliver(&batch).await, []);
    let [vertex, edge] = [(EntityKind::Vertex, "s1"), (EntityKind::Edge, "told:mina:s1")]
        .map(|(kind, id)| neptune_fts::Document::id_of(&change(1, kind, id)));
    let found = backend.documents();
    assert_eq!(
        labels_and_properties(&found[&vertex]),
        (&json!(["story"]), &json!({"title": [{"value": "첫눈"}], "location": [{"value": "37.56,126.97"}]}))
    );
    assert_eq!((labels_and_properties(&found[&edge]).0, found.len()), (&json!(["told"]), 2));
    // A replay in any order changes nothing, and repairs a failed write.
    let before = backend.indexes.borrow().clone();
    backend.injected_outcomes.borrow_mut().push_back(Outcome::Rejected("mapping".into()));
    assert_eq!(backend.deliver(&batch[..1]).await, [Kind::Bug]);
    assert_eq!(backend.deliver(&batch.iter().rev().cloned().collect::<Vec<_>>()).await, []);
    assert_eq!(*backend.indexes.borrow(), before);
    assert_eq!(backend.deliver(&[told(3, ChangeKind::Removed, "mina", "s1")]).await, []);
    assert_eq!(backend.documents()[&edge], json!({"entity_id": "told:mina:s1"}));
}

#[tokio::test]
async fn change_the_mirror_cannot_store_is_ignored() {
    let backend = InMemoryBackend::<Element>::default();
    let mut dotted = change(1, EntityKind::Vertex, "s1");
    let after = vec![Value::Int(1)];
    dotted.properties.insert("a.b".to_owned(), PropertyChange { before: vec![], after });
    let mut omitted = change(2, EntityKind::Vertex, "s2");
    omitted.properties_omitted = 10_000;
    let long = title(3, &"x".repeat(5_000), Some("첫눈"));
    let batch = [dotted.to_cloud_event("main"), omitted.to_cloud_event("main"), long];
    assert_eq!(backend.deliver(&batch).await, []);
    assert_eq!((backend.requests.get(), backend.table.borrow().len()), (0, 0));
}

#[tokio::test]
async fn rebuilt_mirror_has_all_documents() {
    let backend = InMemoryBackend::<Element>::default();
    backend.page_size.set(2);
    let stories: Vec<_> = (0..5).map(|n| title(1, &format!("s{n}"), Some("첫눈"))).collect();
    backend.deliver(&stories).await;
    let before = backend.documents();
    let command = Rebuild { number: 2, mirror: true, switched: false, after: None };
    let document = |_: &str, element: &Element| neptune_fts::Document::of(element);
    let later = Instant::now() + Duration::from_secs(600);
    let progress = rebuild(&backend, &backend, document, &Metrics::of("test"), command, later).await.expect("progress");
    assert_eq!(progress, Progress { offered: 10, refused: 0, rebuild: None });
    assert_eq!((backend.alias.borrow().as_deref(), backend.documents()), (Some("search-000002"), before));
}

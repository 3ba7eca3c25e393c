//! The search pipeline.

use std::time::{Duration, Instant};

use domain::{
    graph::{ChangeKind, EdgeEndpoints, EntityKind},
    search::{self, Entry},
};
use function_kit::{failure::Kind, metrics::Metrics};
use opensearch::Outcome;
use proptest::{prelude::*, sample::Index};
use serde_json::json;

use super::{
    changes::{change, story, title, told},
    in_memory_backend::InMemoryBackend,
};
use crate::{
    event::Rebuild,
    rebuild::{Progress, rebuild},
};

#[tokio::test]
async fn first_document_creates_the_index() {
    let backend = InMemoryBackend::<Entry>::default();
    assert_eq!(backend.deliver(&story()).await, []);
    let expected = json!({
        "deleted": false, "kind": "story", "id": "s1", "text": "첫눈", "author": "mina", "visibility": "public",
        "publishedAt": 1_795_305_600_000_i64
    });
    assert_eq!(backend.documents(), [("s1".to_owned(), expected)].into());
    // One request without an index, and its repetition.
    assert_eq!(backend.requests.get(), 2);
}

#[tokio::test]
async fn batch_is_one_request_with_one_document_per_vertex() {
    let backend = InMemoryBackend::<Entry>::default();
    backend.deliver(&story()).await;
    backend.requests.set(0);
    let batch = [title(3, "s1", Some("함박눈")), title(4, "s1", Some("진눈깨비")), title(5, "s2", Some("비"))];
    assert_eq!(backend.deliver(&batch).await, []);
    assert_eq!(backend.requests.get(), 1);
    assert_eq!(backend.documents()["s1"]["text"], "진눈깨비");
    assert_eq!(backend.documents()["s2"], json!({"deleted": true}), "no edge `told`");
}

#[tokio::test]
async fn change_without_search_facts_calls_nothing() {
    let backend = InMemoryBackend::<Entry>::default();
    let mut like = change(1, EntityKind::Edge, "e");
    like.labels.added = vec!["likes".to_owned()];
    like.change_kind = ChangeKind::Added;
    like.ends = Some(EdgeEndpoints { from: "jun".to_owned(), to: "s1".to_owned() });
    assert_eq!(backend.deliver(&[like.to_cloud_event("main")]).await, []);
    assert_eq!((backend.requests.get(), backend.table.borrow().len()), (0, 0));
}

#[tokio::test]
async fn rejected_document_fails_its_own_message() {
    let backend = InMemoryBackend::<Entry>::default();
    backend.deliver(&story()).await;
    let outcomes = [Outcome::Rejected("mapping".into()), Outcome::Retry("busy".into()), Outcome::Superseded];
    backend.injected_outcomes.borrow_mut().extend(outcomes);
    let batch =
        [title(3, "a", Some("1")), title(3, "b", Some("2")), title(3, "c", Some("3")), title(3, "d", Some("4"))];
    assert_eq!(backend.deliver(&batch).await, [Kind::Bug, Kind::Transient]);
    assert!(backend.documents().contains_key("d"), "the other messages succeed");
    // A repeated message changes no row, but its document is written again.
    assert_eq!(backend.deliver(&batch[1..2]).await, []);
    assert!(backend.documents().contains_key("b"));
}

#[tokio::test]
async fn unreadable_message_is_a_bug() {
    let backend = InMemoryBackend::<Entry>::default();
    assert_eq!(backend.deliver(&["".to_owned(), "{}".to_owned()]).await, [Kind::Bug, Kind::Bug]);
}

#[tokio::test]
async fn concurrent_writes_of_one_row_are_both_applied() {
    let backend = InMemoryBackend::<Entry>::default();
    backend.deliver(&story()).await;
    backend.concurrent_messages.borrow_mut().push_back(told(4, ChangeKind::Removed, "mina", "s1"));
    assert_eq!(backend.deliver(&[title(3, "s1", Some("함박눈"))]).await, []);
    assert_eq!(backend.documents()["s1"], json!({"deleted": true}));
    backend.deliver(&[told(5, ChangeKind::Added, "jun", "s1")]).await;
    assert_eq!(
        (&backend.documents()["s1"]["text"], &backend.documents()["s1"]["author"]),
        (&json!("함박눈"), &json!("jun"))
    );
}

#[tokio::test]
async fn rebuilt_index_contains_concurrent_changes() {
    let backend = InMemoryBackend::<Entry>::default();
    backend.page_size.set(1);
    let stories: Vec<_> = (0..5).map(|n| title(1, &format!("s{n}"), Some("첫눈"))).collect();
    backend.deliver(&stories).await;
    let told: Vec<_> = (0..5).map(|n| told(2, ChangeKind::Added, "mina", &format!("s{n}"))).collect();
    backend.deliver(&told).await;
    let before = backend.documents();
    let metrics = Metrics::of("test");
    let command = Rebuild { number: 2, mirror: false, switched: false, after: None };

    // The deadline allows one page. The alias still points to the old index.
    let progress =
        rebuild(&backend, &backend, search::Document::of, &metrics, command, Instant::now()).await.expect("progress");
    let next = Rebuild { number: 2, mirror: false, switched: false, after: Some("s0".to_owned()) };
    assert_eq!(progress, Progress { offered: 1, refused: 0, rebuild: Some(next.clone()) });
    assert_eq!(backend.documents(), before);
    // A change of a row that is copied already.
    backend.deliver(&[title(3, "s0", Some("함박눈"))]).await;

    let later = Instant::now() + Duration::from_secs(600);
    let progress = rebuild(&backend, &backend, search::Document::of, &metrics, next, later).await.expect("progress");
    assert_eq!(progress.rebuild, None);
    assert_eq!(backend.alias.borrow().as_deref(), Some("search-000002"));
    assert_eq!(backend.documents()["s0"]["text"], "함박눈");
    assert_eq!(backend.documents().len(), 5);
}

proptest! {
    #[test]
    fn any_order_repetition_and_failure_result_in_the_same_documents(
        actions in prop::collection::vec((0_usize..3, 0_usize..4), 1..20),
        deliveries in prop::collection::vec((any::<Index>(), 1_usize..4), 0..40),
        failures in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let message = |(index, (story, action)): (usize, &(usize, usize))| {
            let (commit_num, id) = (index as u64 + 1, format!("s{story}"));
            match action {
                0 => title(commit_num, &id, None),
                1 => title(commit_num, &id, Some(&format!("제목 {index}"))),
                2 => told(commit_num, ChangeKind::Added, "mina", &id),
                _ => told(commit_num, ChangeKind::Removed, "mina", &id),
            }
        };
        let history: Vec<_> = actions.iter().enumerate().map(message).collect();
        let (in_order, other) = (InMemoryBackend::<Entry>::default(), InMemoryBackend::<Entry>::default());
        runtime.block_on(async {
            in_order.deliver(&history).await;
            for (number, (index, size)) in deliveries.iter().enumerate() {
                if failures.iter().any(|failure| failure.index(40) == number) {
                    other.injected_outcomes.borrow_mut().push_back(Outcome::Retry("busy".into()));
                }
                let start = index.index(history.len());
                other.deliver(&history[start..history.len().min(start + size)]).await;
            }
            other.injected_outcomes.borrow_mut().clear();
            let reversed: Vec<_> = history.iter().rev().cloned().collect();
            other.deliver(&reversed).await;
        });
        prop_assert_eq!(other.documents(), in_order.documents());
    }
}

//! What becomes of the index, however the news arrives.

use std::time::{Duration, Instant};

use domain::{
    graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Value},
    neptune_fts::{self, Element},
    search::{self, Entry},
};
use function_kit::{failure::Kind, metrics::Metrics};
use opensearch::Outcome;
use proptest::{prelude::*, sample::Index};
use serde_json::json;

use crate::{
    event::Rebuild,
    rebuild::{Progress, rebuild},
    town::Town,
};

fn change(commit_num: u64, kind: EntityKind, id: &str) -> Change {
    Change {
        position: Position::new(commit_num, 1),
        commit_timestamp_ms: 1_795_305_600_000,
        kind,
        entity_id: id.to_owned(),
        change_kind: ChangeKind::Changed,
        labels: Labels::default(),
        ends: None,
        ends_before: None,
        properties: [].into(),
        properties_omitted: 0,
    }
}

fn title(commit_num: u64, id: &str, text: Option<&str>) -> String {
    let mut change = change(commit_num, EntityKind::Vertex, id);
    let after = text.map(|text| Value::String(text.to_owned())).into_iter().collect();
    change.properties.insert("title".to_owned(), PropertyChange { before: vec![], after });
    change.to_cloud_event("main")
}

fn told(commit_num: u64, change_kind: ChangeKind, person: &str, id: &str) -> String {
    let mut change = change(commit_num, EntityKind::Edge, &format!("told:{person}:{id}"));
    change.change_kind = change_kind;
    let label = vec!["told".to_owned()];
    change.labels = match change_kind {
        ChangeKind::Removed => Labels { removed: label, ..Labels::default() },
        _ => Labels { added: label, ..Labels::default() },
    };
    change.ends = Some(EdgeEndpoints { from: person.to_owned(), to: id.to_owned() });
    change.to_cloud_event("main")
}

fn story() -> Vec<String> {
    vec![title(1, "s1", Some("첫눈")), told(2, ChangeKind::Added, "mina", "s1")]
}

#[tokio::test]
async fn the_first_document_makes_the_index() {
    let town = Town::<Entry>::default();
    assert_eq!(town.deliver(&story()).await, []);
    let expected = json!({
        "deleted": false, "kind": "story", "id": "s1", "text": "첫눈", "author": "mina", "visibility": "public",
        "publishedAt": 1_795_305_600_000_i64
    });
    assert_eq!(town.found(), [("s1".to_owned(), expected)].into());
    // One that found no index, and one.
    assert_eq!(town.requests.get(), 2);
}

#[tokio::test]
async fn a_batch_is_one_request_and_a_vertex_one_document() {
    let town = Town::<Entry>::default();
    town.deliver(&story()).await;
    town.requests.set(0);
    let batch = [title(3, "s1", Some("함박눈")), title(4, "s1", Some("진눈깨비")), title(5, "s2", Some("비"))];
    assert_eq!(town.deliver(&batch).await, []);
    assert_eq!(town.requests.get(), 1);
    assert_eq!(town.found()["s1"]["text"], "진눈깨비");
    assert_eq!(town.found()["s2"], json!({"deleted": true}), "nobody told it");
}

#[tokio::test]
async fn what_is_no_news_for_search_asks_nobody() {
    let town = Town::<Entry>::default();
    let mut like = change(1, EntityKind::Edge, "e");
    like.labels.added = vec!["likes".to_owned()];
    like.change_kind = ChangeKind::Added;
    like.ends = Some(EdgeEndpoints { from: "jun".to_owned(), to: "s1".to_owned() });
    assert_eq!(town.deliver(&[like.to_cloud_event("main")]).await, []);
    assert_eq!((town.requests.get(), town.table.borrow().len()), (0, 0));
}

#[tokio::test]
async fn every_refusal_is_its_own_messages() {
    let town = Town::<Entry>::default();
    town.deliver(&story()).await;
    let refusals = [Outcome::Refused("mapping".into()), Outcome::Later("busy".into()), Outcome::Superseded];
    town.refusals.borrow_mut().extend(refusals);
    let batch =
        [title(3, "a", Some("1")), title(3, "b", Some("2")), title(3, "c", Some("3")), title(3, "d", Some("4"))];
    assert_eq!(town.deliver(&batch).await, [Kind::Bug, Kind::Transient]);
    assert!(town.found().contains_key("d"), "the others go on");
    // What comes again is no news for the table, and still goes to the index.
    assert_eq!(town.deliver(&batch[1..2]).await, []);
    assert!(town.found().contains_key("b"));
}

#[tokio::test]
async fn what_cannot_be_read_is_a_bug() {
    let town = Town::<Entry>::default();
    assert_eq!(town.deliver(&["".to_owned(), "{}".to_owned()]).await, [Kind::Bug, Kind::Bug]);
}

#[tokio::test]
async fn two_who_write_one_entry_lose_nothing() {
    let town = Town::<Entry>::default();
    town.deliver(&story()).await;
    town.meanwhile.borrow_mut().push_back(told(4, ChangeKind::Removed, "mina", "s1"));
    assert_eq!(town.deliver(&[title(3, "s1", Some("함박눈"))]).await, []);
    assert_eq!(town.found()["s1"], json!({"deleted": true}));
    town.deliver(&[told(5, ChangeKind::Added, "jun", "s1")]).await;
    assert_eq!((&town.found()["s1"]["text"], &town.found()["s1"]["author"]), (&json!("함박눈"), &json!("jun")));
}

#[tokio::test]
async fn a_rebuilt_index_has_what_was_written_meanwhile() {
    let town = Town::<Entry>::default();
    town.entries_a_page.set(1);
    let stories: Vec<_> = (0..5).map(|n| title(1, &format!("s{n}"), Some("첫눈"))).collect();
    town.deliver(&stories).await;
    let told: Vec<_> = (0..5).map(|n| told(2, ChangeKind::Added, "mina", &format!("s{n}"))).collect();
    town.deliver(&told).await;
    let before = town.found();
    let metrics = Metrics::of("test");
    let order = Rebuild { number: 2, mirror: false, switched: false, after: None };

    // No time for more than one page: the alias leads to the old index.
    let progress =
        rebuild(&town, &town, search::Document::of, &metrics, order, Instant::now()).await.expect("progress");
    let next = Rebuild { number: 2, mirror: false, switched: false, after: Some("s0".to_owned()) };
    assert_eq!(progress, Progress { offered: 1, refused: 0, rebuild: Some(next.clone()) });
    assert_eq!(town.found(), before);
    // Of what was copied already.
    town.deliver(&[title(3, "s0", Some("함박눈"))]).await;

    let later = Instant::now() + Duration::from_secs(600);
    let progress = rebuild(&town, &town, search::Document::of, &metrics, next, later).await.expect("progress");
    assert_eq!(progress.rebuild, None);
    assert_eq!(town.alias.borrow().as_deref(), Some("search-000002"));
    assert_eq!(town.found()["s0"]["text"], "함박눈");
    assert_eq!(town.found().len(), 5);
}

fn mirrored(source: &serde_json::Value) -> (&serde_json::Value, &serde_json::Value) {
    (&source["entity_type"], &source["predicates"])
}

#[tokio::test]
async fn the_mirror_holds_every_vertex_and_every_edge() {
    let town = Town::<Element>::default();
    let mut place = change(1, EntityKind::Vertex, "s1");
    place.labels.added = vec!["story".to_owned()];
    let after = vec![Value::String("37.56,126.97".to_owned())];
    place.properties.insert("location".to_owned(), PropertyChange { before: vec![], after });
    let place = place.to_cloud_event("main");
    let batch = [title(2, "s1", Some("첫눈")), told(2, ChangeKind::Added, "mina", "s1"), place];
    assert_eq!(town.deliver(&batch).await, []);
    let [vertex, edge] = [(EntityKind::Vertex, "s1"), (EntityKind::Edge, "told:mina:s1")]
        .map(|(kind, id)| neptune_fts::Document::id_of(&change(1, kind, id)));
    let found = town.found();
    assert_eq!(
        mirrored(&found[&vertex]),
        (&json!(["story"]), &json!({"title": [{"value": "첫눈"}], "location": [{"value": "37.56,126.97"}]}))
    );
    assert_eq!((mirrored(&found[&edge]).0, found.len()), (&json!(["told"]), 2));
    // A replay is no news, in whatever order, and one that failed heals.
    let before = town.indexes.borrow().clone();
    town.refusals.borrow_mut().push_back(Outcome::Refused("mapping".into()));
    assert_eq!(town.deliver(&batch[..1]).await, [Kind::Bug]);
    assert_eq!(town.deliver(&batch.iter().rev().cloned().collect::<Vec<_>>()).await, []);
    assert_eq!(*town.indexes.borrow(), before);
    assert_eq!(town.deliver(&[told(3, ChangeKind::Removed, "mina", "s1")]).await, []);
    assert_eq!(town.found()[&edge], json!({"entity_id": "told:mina:s1"}));
}

#[tokio::test]
async fn what_cannot_be_kept_of_the_graph_fails_nothing() {
    let town = Town::<Element>::default();
    let mut dotted = change(1, EntityKind::Vertex, "s1");
    let after = vec![Value::Int(1)];
    dotted.properties.insert("a.b".to_owned(), PropertyChange { before: vec![], after });
    let mut omitted = change(2, EntityKind::Vertex, "s2");
    omitted.properties_omitted = 10_000;
    let long = title(3, &"x".repeat(5_000), Some("첫눈"));
    let batch = [dotted.to_cloud_event("main"), omitted.to_cloud_event("main"), long];
    assert_eq!(town.deliver(&batch).await, []);
    assert_eq!((town.requests.get(), town.table.borrow().len()), (0, 0));
}

#[tokio::test]
async fn a_mirror_is_made_anew_from_its_table() {
    let town = Town::<Element>::default();
    town.entries_a_page.set(2);
    let stories: Vec<_> = (0..5).map(|n| title(1, &format!("s{n}"), Some("첫눈"))).collect();
    town.deliver(&stories).await;
    let before = town.found();
    let order = Rebuild { number: 2, mirror: true, switched: false, after: None };
    let document = |_: &str, element: &Element| neptune_fts::Document::of(element);
    let later = Instant::now() + Duration::from_secs(600);
    let progress = rebuild(&town, &town, document, &Metrics::of("test"), order, later).await.expect("progress");
    assert_eq!(progress, Progress { offered: 10, refused: 0, rebuild: None });
    assert_eq!((town.alias.borrow().as_deref(), town.found()), (Some("search-000002"), before));
}

proptest! {
    #[test]
    fn any_order_repetition_and_failure_end_in_the_same_documents(
        deeds in prop::collection::vec((0_usize..3, 0_usize..4), 1..20),
        deliveries in prop::collection::vec((any::<Index>(), 1_usize..4), 0..40),
        failures in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let message = |(at, (story, deed)): (usize, &(usize, usize))| {
            let (commit_num, id) = (at as u64 + 1, format!("s{story}"));
            match deed {
                0 => title(commit_num, &id, None),
                1 => title(commit_num, &id, Some(&format!("제목 {at}"))),
                2 => told(commit_num, ChangeKind::Added, "mina", &id),
                _ => told(commit_num, ChangeKind::Removed, "mina", &id),
            }
        };
        let history: Vec<_> = deeds.iter().enumerate().map(message).collect();
        let (in_order, other) = (Town::<Entry>::default(), Town::<Entry>::default());
        runtime.block_on(async {
            in_order.deliver(&history).await;
            for (number, (index, size)) in deliveries.iter().enumerate() {
                if failures.iter().any(|failure| failure.index(40) == number) {
                    other.refusals.borrow_mut().push_back(Outcome::Later("busy".into()));
                }
                let begin = index.index(history.len());
                other.deliver(&history[begin..history.len().min(begin + size)]).await;
            }
            other.refusals.borrow_mut().clear();
            let backwards: Vec<_> = history.iter().rev().cloned().collect();
            other.deliver(&backwards).await;
        });
        prop_assert_eq!(other.found(), in_order.found());
    }
}

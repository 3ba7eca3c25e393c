//! Replayed, late and duplicate changes, and the export of a graph that is older than the stream.

use std::{collections::BTreeMap, slice};

use domain::graph::{self, Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange};
use neptune::{self, Commit};
use serde_json::json;
use stack::users::User;
use uuid::Uuid;

use super::scenario::SearchScenario;
use crate::commits::{add_person, add_story, author_edge_id, remove_story};

#[tokio::test]
async fn replay_of_whole_stream_writes_no_document() {
    let search = SearchScenario::start().await;
    let mina = search.sign_up("미나").await;
    let mut ids = vec![mina.id.clone()];
    for number in 0..5 {
        ids.push(search.publish(&mina, &format!("{} {number}", search.word), "public").await);
    }
    search.deployed.commit(&Commit::new().set(&ids[1], "title", "다른 제목")).await;
    search.deployed.commit(&remove_story(&ids[2])).await;
    search.wait_until_indexed().await;
    let before = search.documents(&ids).await;
    assert_eq!(before.len(), ids.len());
    // A tombstone: OpenSearch forgets the version of a deleted document after a minute.
    assert_eq!(before[&json!(ids[2]).to_string()][1], json!({"deleted": true}));
    search.deployed.replay_stream().await;
    search.wait_until_indexed().await;
    assert_eq!(search.documents(&ids).await, before);
}

/// A change of an entity that is not in the graph.
fn change(commit_num: u64, kind: EntityKind, id: &str, what: ChangeKind) -> Change {
    Change {
        position: Position::new(commit_num, 1),
        commit_timestamp_ms: 1_795_305_600_000,
        kind,
        entity_id: id.to_owned(),
        change_kind: what,
        labels: Labels::default(),
        ends: None,
        ends_before: None,
        properties: BTreeMap::new(),
        properties_omitted: 0,
        is_partial: false,
    }
}

/// A change of a story's title.
fn title_change(commit_num: u64, id: &str, title: Option<&str>) -> Change {
    let after = title.map(|title| graph::Value::String(title.to_owned())).into_iter().collect();
    let title = ("title".to_owned(), PropertyChange { before: vec![], after });
    Change { properties: [title].into(), ..change(commit_num, EntityKind::Vertex, id, ChangeKind::Changed) }
}

/// A change of the edge between an author and a story.
fn author_change(commit_num: u64, what: ChangeKind, author: &User, story: &str) -> Change {
    let label = vec!["told".to_owned()];
    let labels = match what {
        ChangeKind::Removed => Labels { removed: label, ..Labels::default() },
        _ => Labels { added: label, ..Labels::default() },
    };
    let ends = Some(EdgeEndpoints { from: author.id.clone(), to: story.to_owned() });
    Change { labels, ends, ..change(commit_num, EntityKind::Edge, &author_edge_id(story), what) }
}

#[tokio::test]
async fn late_and_duplicate_changes_do_not_overwrite_newer_ones() {
    let search = SearchScenario::start().await;
    let mina = search.sign_up("미나").await;
    let [present, removed] = ["present", "removed"].map(|name| format!("{name}-{}", Uuid::new_v4()));
    let newest = format!("{} 새 제목", search.word);
    let history = [
        title_change(7, &present, Some(&newest)),
        author_change(5, ChangeKind::Added, &mina, &present),
        title_change(4, &present, Some(&search.word)),
        author_change(9, ChangeKind::Removed, &mina, &removed),
        title_change(8, &removed, None),
        author_change(3, ChangeKind::Added, &mina, &removed),
        title_change(2, &removed, Some(&search.word)),
    ];
    // One at a time: the indexer may sort a batch.
    for change in &history {
        search.deliver(change).await;
        search.wait_until_indexed().await;
    }
    let expected = slice::from_ref(&present);
    assert_eq!(search.found(&mina, &search.word).await, expected);
    let ids = [present.clone(), removed.clone()];
    let before = search.documents(&ids).await;
    assert_eq!(before[&json!(present).to_string()][1]["text"], json!(newest));
    assert_eq!(before[&json!(removed).to_string()][1], json!({"deleted": true}));
    for change in history.iter().rev() {
        search.deliver(change).await;
    }
    search.wait_until_indexed().await;
    assert_eq!(search.documents(&ids).await, before);
    assert_eq!(search.found(&mina, &search.word).await, expected);
}

#[tokio::test]
async fn graph_older_than_stream_is_found_after_export() {
    let search = SearchScenario::start().await;
    let (mina, jun) = (search.deployed.sign_up("미나").await, search.sign_up("준").await);
    let [dated, private, undecided] =
        ["dated", "private", "undecided"].map(|name| format!("{name}-{}", Uuid::new_v4()));
    let mut older = add_person(Commit::new().unstreamed(), &mina);
    for (id, visibility) in [(&dated, Some("public")), (&private, Some("private")), (&undecided, None)] {
        older = add_story(older, &mina.id, id, &search.word);
        older = visibility.into_iter().fold(older, |older, visibility| older.set(id, "visibility", visibility));
    }
    let older = older.set(&dated, "createdAt", neptune::Value::Date(1_560_011_610_678));
    search.deployed.stack.neptune().commit(&older).await.expect("commit");
    let younger = search.publish(&jun, &search.word, "public").await;
    search.wait_until_indexed().await;
    assert_eq!(search.found(&mina, &search.word).await, [younger.as_str()]);
    let before = search.documents(slice::from_ref(&younger)).await;

    let dry_run = search.export(json!({"dryRun": true})).await;
    assert!(dry_run["undecided"].as_u64() >= Some(1) && dry_run["edges"].as_u64() >= Some(4), "{dry_run}");
    search.wait_until_indexed().await;
    assert_eq!(search.found(&mina, &search.word).await, [younger.as_str()], "the dry run has exported");

    search.export(json!({})).await;
    search.wait_until_indexed().await;
    // The newest first. The story without visibility is not indexed.
    assert_eq!(search.found(&jun, &search.word).await, [younger.as_str(), &dated]);
    assert_eq!(search.found(&mina, &search.word).await, [younger.as_str(), &dated, &private]);
    let found = search.query(&jun, &[("q", &search.word)]).await;
    let story = &found.body["items"][1];
    assert_eq!(story["author"], json!({"id": mina.id, "name": "미나"}), "{story}");
    assert_eq!(story["publishedAt"], "2019-06-08T16:33:30.678Z");
    assert_eq!(search.documents(slice::from_ref(&younger)).await, before, "the export has overwritten the stream");

    search.export(json!({"withoutVisibility": "public"})).await;
    search.wait_until_indexed().await;
    let mut all = search.found(&jun, &search.word).await;
    all.sort();
    let mut expected = vec![younger, dated.clone(), undecided.clone()];
    expected.sort();
    assert_eq!(all, expected);
    // Later changes of the stream hold, also against another export.
    search
        .deployed
        .commit(&Commit::new().set(&dated, "title", "다른 제목").set(&undecided, "visibility", "private"))
        .await;
    search.wait_until_indexed().await;
    let ids = [mina.id.clone(), dated.clone(), private, undecided.clone()];
    let documents = search.documents(&ids).await;
    search.export(json!({"withoutVisibility": "public", "undatedAt": "2026-01-01T00:00:00Z"})).await;
    search.wait_until_indexed().await;
    assert_eq!(search.documents(&ids).await, documents);
    let found = search.found(&jun, &search.word).await;
    assert!(!found.contains(&dated) && !found.contains(&undecided), "{found:?}");
}

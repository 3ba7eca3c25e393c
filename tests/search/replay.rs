//! What comes late, twice, or from before the stream began.

use std::collections::BTreeMap;

use domain::graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange};
use local::{
    neptune::{self, Commit},
    users::User,
};
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn a_replay_of_the_whole_stream_changes_no_document() {
    let world = World::new();
    let mina = world.person("미나").await;
    let mut ids = vec![mina.id.clone()];
    for number in 0..5 {
        ids.push(world.tell(&mina, &format!("{} {number}", world.word), "public").await);
    }
    world.commit(&Commit::new().set(&ids[1], "title", "다른 제목")).await;
    world.commit(&Commit::new().remove_edge(format!("told:{}", ids[2])).remove_vertex(&ids[2])).await;
    world.settle().await;
    let before = world.documents(&ids).await;
    assert_eq!(before.len(), ids.len());
    // A document: the index forgets what was deleted from it after a minute, but not this.
    assert_eq!(before[&json!(ids[2]).to_string()][1], json!({"deleted": true}));
    world.deployed.replay_all().await;
    world.settle().await;
    assert_eq!(world.documents(&ids).await, before);
}

/// A change that nobody made, of something that is not in the graph.
fn change(commit_num: u64, kind: EntityKind, id: &str, change_kind: ChangeKind) -> Change {
    Change {
        position: Position::new(commit_num, 1),
        commit_timestamp_ms: 1_795_305_600_000,
        kind,
        entity_id: id.to_owned(),
        change_kind,
        labels: Labels::default(),
        ends: None,
        ends_before: None,
        properties: BTreeMap::new(),
        properties_omitted: 0,
    }
}

fn titled(commit_num: u64, id: &str, title: Option<&str>) -> Change {
    let after = title.map(|title| domain::graph::Value::String(title.to_owned())).into_iter().collect();
    let title = ("title".to_owned(), PropertyChange { before: vec![], after });
    Change { properties: [title].into(), ..change(commit_num, EntityKind::Vertex, id, ChangeKind::Changed) }
}

fn told(commit_num: u64, change_kind: ChangeKind, person: &User, id: &str) -> Change {
    let label = vec!["told".to_owned()];
    let labels = match change_kind {
        ChangeKind::Removed => Labels { removed: label, ..Labels::default() },
        _ => Labels { added: label, ..Labels::default() },
    };
    let ends = Some(EdgeEndpoints { from: person.id.clone(), to: id.to_owned() });
    Change { labels, ends, ..change(commit_num, EntityKind::Edge, &format!("told:{id}"), change_kind) }
}

#[tokio::test]
async fn changes_that_come_late_and_twice_change_nothing() {
    let world = World::new();
    let mina = world.person("미나").await;
    let [there, gone] = ["there", "gone"].map(|name| format!("{name}-{}", Uuid::new_v4()));
    let newest = format!("{} 새 제목", world.word);
    let history = [
        titled(7, &there, Some(&newest)),
        told(5, ChangeKind::Added, &mina, &there),
        titled(4, &there, Some(&world.word)),
        told(9, ChangeKind::Removed, &mina, &gone),
        titled(8, &gone, None),
        told(3, ChangeKind::Added, &mina, &gone),
        titled(2, &gone, Some(&world.word)),
    ];
    // One after the other: within a batch, the indexer might put them in order.
    for change in &history {
        world.deliver(change).await;
        world.settle().await;
    }
    let expected = [there.clone()];
    assert_eq!(world.found(&mina, &world.word).await, expected);
    let before = world.documents(&[there.clone(), gone.clone()]).await;
    assert_eq!(before[&json!(there).to_string()][1]["text"], json!(newest));
    assert_eq!(before[&json!(gone).to_string()][1], json!({"deleted": true}));
    for change in history.iter().rev() {
        world.deliver(change).await;
    }
    world.settle().await;
    assert_eq!(world.documents(&[there, gone]).await, before);
    assert_eq!(world.found(&mina, &world.word).await, expected);
}

#[tokio::test]
async fn what_is_older_than_the_stream_is_found_once_it_is_exported() {
    let world = World::new();
    let (mina, jun) = (world.deployed.person("미나").await, world.person("준").await);
    let [dated, private, unsaid] = ["dated", "private", "unsaid"].map(|name| format!("{name}-{}", Uuid::new_v4()));
    let mut older = Commit::new().unstreamed().add_vertex(&mina.id, ["person"]).set(&mina.id, "name", "미나");
    for (id, visibility) in [(&dated, Some("public")), (&private, Some("private")), (&unsaid, None)] {
        older = older.add_vertex(id, ["story"]).set(id, "title", world.word.as_str());
        older = visibility.into_iter().fold(older, |older, visibility| older.set(id, "visibility", visibility));
        older = older.add_edge(format!("told:{id}"), "told", &mina.id, id);
    }
    let older = older.set(&dated, "createdAt", neptune::Value::Date(1_560_011_610_678));
    world.deployed.stack.neptune().commit(&older).await.expect("written");
    let younger = world.tell(&jun, &world.word, "public").await;
    world.settle().await;
    assert_eq!(world.found(&mina, &world.word).await, [younger.as_str()]);
    let before = world.documents(std::slice::from_ref(&younger)).await;

    let counted = world.export(json!({"dryRun": true})).await;
    assert!(counted["undecided"].as_u64() >= Some(1) && counted["edges"].as_u64() >= Some(4), "{counted}");
    world.settle().await;
    assert_eq!(world.found(&mina, &world.word).await, [younger.as_str()], "it only counts");

    world.export(json!({})).await;
    world.settle().await;
    // The newest first.
    assert_eq!(world.found(&jun, &world.word).await, [younger.as_str(), &dated]);
    assert_eq!(
        world.found(&mina, &world.word).await,
        [younger.as_str(), &dated, &private],
        "nobody decided on the third"
    );
    let found = world.ask(&jun, &[("q", &world.word)]).await;
    let story = &found.body["items"][1];
    assert_eq!(story["author"], json!({"id": mina.id, "name": "미나"}), "{story}");
    assert_eq!(story["publishedAt"], "2019-06-08T16:33:30.678Z");
    assert_eq!(world.documents(std::slice::from_ref(&younger)).await, before, "the stream has said it all");

    world.export(json!({"withoutVisibility": "public"})).await;
    world.settle().await;
    let mut all = world.found(&jun, &world.word).await;
    all.sort();
    let mut expected = vec![younger, dated.clone(), unsaid.clone()];
    expected.sort();
    assert_eq!(all, expected);
    // What the stream says from now on holds, and another export is no news.
    world.commit(&Commit::new().set(&dated, "title", "다른 제목").set(&unsaid, "visibility", "private")).await;
    world.settle().await;
    let ids = [mina.id.clone(), dated.clone(), private, unsaid.clone()];
    let documents = world.documents(&ids).await;
    world.export(json!({"withoutVisibility": "public", "undatedAt": "2026-01-01T00:00:00Z"})).await;
    world.settle().await;
    assert_eq!(world.documents(&ids).await, documents);
    let found = world.found(&jun, &world.word).await;
    assert!(!found.contains(&dated) && !found.contains(&unsaid), "{found:?}");
}

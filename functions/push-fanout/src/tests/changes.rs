//! Changes of the graph, as the bus delivers them.

use std::collections::BTreeMap;

use domain::graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Value};
use jiff::Timestamp;

/// Time of all commits: 2026-11-22T00:00:00Z.
pub const COMMITTED: Timestamp = Timestamp::constant(1_795_305_600, 0);

/// Commit `commit_num` adds an edge. Its id is made of label and vertices.
pub fn add_edge(commit_num: u64, label: &str, from: &str, to: &str) -> Change {
    edge(ChangeKind::Added, commit_num, label, from, to)
}

/// Commit `commit_num` removes the edge.
pub fn remove_edge(commit_num: u64, label: &str, from: &str, to: &str) -> Change {
    edge(ChangeKind::Removed, commit_num, label, from, to)
}

/// The same change of the edge `id`, committed `seconds` later.
pub fn of_edge(id: &str, seconds: i64, change: Change) -> Change {
    let commit_timestamp_ms = change.commit_timestamp_ms + seconds * 1000;
    Change { entity_id: id.to_owned(), commit_timestamp_ms, ..change }
}

fn edge(change_kind: ChangeKind, commit_num: u64, label: &str, from: &str, to: &str) -> Change {
    let (added, removed) =
        if change_kind == ChangeKind::Removed { (vec![], vec![label]) } else { (vec![label], vec![]) };
    let owned = |labels: Vec<&str>| labels.into_iter().map(str::to_owned).collect();
    Change {
        position: Position::new(commit_num, 1),
        commit_timestamp_ms: COMMITTED.as_millisecond(),
        kind: EntityKind::Edge,
        entity_id: format!("{label}-{from}-{to}"),
        change_kind,
        labels: Labels { added: owned(added), removed: owned(removed), kept: vec![] },
        ends: Some(EdgeEndpoints { from: from.to_owned(), to: to.to_owned() }),
        ends_before: None,
        properties: BTreeMap::new(),
        properties_omitted: 0,
        is_partial: false,
    }
}

/// Commit `commit_num` adds a story, with or without a visibility.
pub fn add_story(commit_num: u64, story: &str, visibility: Option<&str>) -> Change {
    let mut change = set_visibility(commit_num, story, visibility);
    (change.change_kind, change.labels.added) = (ChangeKind::Added, vec!["story".to_owned()]);
    if visibility.is_none() {
        change.properties.clear();
    }
    change
}

/// Commit `commit_num` sets or removes the visibility of a story.
pub fn set_visibility(commit_num: u64, story: &str, visibility: Option<&str>) -> Change {
    let mut change = set_property(commit_num, story, "visibility", visibility.unwrap_or_default());
    if visibility.is_none() {
        change.properties.values_mut().for_each(|property| property.after.clear());
    }
    change
}

/// Commit `commit_num` sets a property of a vertex, such as `name` of a person or `title` of a story.
pub fn set_property(commit_num: u64, vertex: &str, property: &str, text: &str) -> Change {
    let value = PropertyChange { before: vec![], after: vec![Value::String(text.to_owned())] };
    Change {
        kind: EntityKind::Vertex,
        entity_id: vertex.to_owned(),
        labels: Labels::default(),
        ends: None,
        properties: [(property.to_owned(), value)].into(),
        ..edge(ChangeKind::Changed, commit_num, "", "", "")
    }
}

//! Changes of the graph, as messages of the bus.

use domain::graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Value};

/// Change of an entity without labels and properties.
pub fn change(commit_num: u64, kind: EntityKind, id: &str) -> Change {
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
        is_partial: false,
    }
}

/// Commit `commit_num` sets or removes the title of a vertex.
pub fn title(commit_num: u64, id: &str, text: Option<&str>) -> String {
    let mut change = change(commit_num, EntityKind::Vertex, id);
    let after = text.map(|text| Value::String(text.to_owned())).into_iter().collect();
    change.properties.insert("title".to_owned(), PropertyChange { before: vec![], after });
    change.to_cloud_event("main")
}

/// Commit `commit_num` adds or removes the edge `told`.
pub fn told(commit_num: u64, change_kind: ChangeKind, person: &str, id: &str) -> String {
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

/// A story with a title and an author.
pub fn story() -> Vec<String> {
    vec![title(1, "s1", Some("첫눈")), told(2, ChangeKind::Added, "mina", "s1")]
}

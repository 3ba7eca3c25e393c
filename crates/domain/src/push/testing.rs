//! For tests: changes in short form.

use std::collections::BTreeMap;

use crate::graph::{
    Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, ReceivedChange, Value,
};

/// 2026-11-22T00:00:00Z.
pub(crate) const COMMIT_MS: i64 = 1_795_305_600_000;

/// A change of an edge in commit `commit_num`.
pub(crate) fn edge(change_kind: ChangeKind, commit_num: u64, id: &str, label: &str, from: &str, to: &str) -> Change {
    let label = vec![label.to_owned()];
    let labels = match change_kind {
        ChangeKind::Added => Labels { added: label, ..Labels::default() },
        ChangeKind::Changed => Labels { kept: label, ..Labels::default() },
        ChangeKind::Removed => Labels { removed: label, ..Labels::default() },
    };
    Change {
        position: Position::new(commit_num, 1),
        commit_timestamp_ms: COMMIT_MS,
        kind: EntityKind::Edge,
        entity_id: id.to_owned(),
        change_kind,
        labels,
        ends: Some(EdgeEndpoints { from: from.to_owned(), to: to.to_owned() }),
        ends_before: None,
        properties: BTreeMap::new(),
        properties_omitted: 0,
        is_partial: false,
    }
}

/// A change of a vertex: a property got another value, or none.
pub(crate) fn vertex(commit_num: u64, id: &str, property: &str, value: Option<&str>) -> Change {
    let after = value.map(|text| Value::String(text.to_owned())).into_iter().collect();
    Change {
        kind: EntityKind::Vertex,
        labels: Labels::default(),
        ends: None,
        properties: [(property.to_owned(), PropertyChange { before: vec![], after })].into(),
        ..edge(ChangeKind::Changed, commit_num, id, "", "", "")
    }
}

/// The change as received from the event bus.
pub(crate) fn received(change: Change) -> ReceivedChange {
    ReceivedChange { id: change.id("main"), cluster: "main".to_owned(), change }
}

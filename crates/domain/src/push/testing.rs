//! For tests: changes and events, as short as they can be told.

use std::collections::BTreeMap;

use crate::graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Received, Value};

/// 2026-11-22T00:00:00Z.
pub(crate) const COMMIT_MS: i64 = 1_795_305_600_000;

/// An edge that was added or removed by commit `commit_num`.
pub(crate) fn edge(what: ChangeKind, commit_num: u64, id: &str, label: &str, from: &str, to: &str) -> Change {
    let label = vec![label.to_owned()];
    let labels = match what {
        ChangeKind::Added => Labels { added: label, ..Labels::default() },
        ChangeKind::Changed => Labels { kept: label, ..Labels::default() },
        ChangeKind::Removed => Labels { removed: label, ..Labels::default() },
    };
    Change {
        position: Position::new(commit_num, 1),
        commit_timestamp_ms: COMMIT_MS,
        kind: EntityKind::Edge,
        entity_id: id.to_owned(),
        what,
        labels,
        ends: Some(EdgeEndpoints { from: from.to_owned(), to: to.to_owned() }),
        ends_before: None,
        properties: BTreeMap::new(),
        properties_omitted: 0,
    }
}

/// A vertex whose property got another value, or none.
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

/// As it comes over the bus.
pub(crate) fn received(change: Change) -> Received {
    Received { id: change.id("main"), cluster: "main".to_owned(), change }
}

//! For tests: changes in short form.

use crate::graph::Change;
pub(super) use crate::push::testing::{edge, vertex};

/// A change that adds a label to a vertex.
pub(super) fn labelled(commit_num: u64, id: &str, label: &str) -> Change {
    let mut change = vertex(commit_num, id, "", None);
    change.properties.clear();
    change.labels.added = vec![label.to_owned()];
    change
}

//! For tests: changes, as short as they can be told.

use crate::graph::Change;
pub(super) use crate::push::testing::{edge, vertex};

/// A vertex that was added with a label.
pub(super) fn labelled(commit_num: u64, id: &str, label: &str) -> Change {
    let mut change = vertex(commit_num, id, "", None);
    change.properties.clear();
    change.labels.added = vec![label.to_owned()];
    change
}

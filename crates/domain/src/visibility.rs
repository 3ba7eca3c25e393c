//! Who may see a story, by what its vertex says: for all who listen to the graph.

use crate::{graph::Change, media::Visibility};

/// The vertex's property that says so; registers that keep it are named likewise.
pub(crate) const VISIBILITY: &str = "visibility";

/// What a change says of its vertex's visibility: nothing, or one of those that are known; `Some(None)`
/// if it was removed or cannot be read, which is kept as a tombstone.
pub(crate) fn said(change: &Change) -> Option<Option<Visibility>> {
    match change.properties.get(VISIBILITY) {
        Some(property) => Some(property.after.first().and_then(|value| known(value.as_str()))),
        // It may be among those for which the message had no room. What is not known is not public.
        None => (change.properties_omitted > 0).then_some(None),
    }
}

/// Who may see it of which this was said last.
pub(crate) fn of(said: Option<&str>) -> Visibility {
    known(said).unwrap_or(Visibility::Private)
}

fn known(said: Option<&str>) -> Option<Visibility> {
    Visibility::ALL.into_iter().find(|visibility| Some(visibility.as_str()) == said)
}

//! Visibility of a story as its vertex declares it. All consumers of graph changes use it.

use crate::{graph::Change, media::Visibility};

/// Name of the vertex's property, and of the registers that keep it.
pub(crate) const VISIBILITY: &str = "visibility";

/// The visibility that a change sets on its vertex; `None` if it sets none. `Some(None)` means removed
/// or unknown, and is kept as a tombstone.
pub(crate) fn set_by(change: &Change) -> Option<Option<Visibility>> {
    // What the change sets may not be what the transaction sets.
    if change.is_partial {
        return Some(None);
    }
    match change.properties.get(VISIBILITY) {
        Some(property) => Some(property.after.first().and_then(|value| parse(value.as_str()))),
        // The property may be among those that did not fit in the message. Unknown is not public.
        None => (change.properties_omitted > 0).then_some(None),
    }
}

/// The visibility of a register with this value: private if it is a tombstone or unknown.
pub(crate) fn of_register(value: Option<&str>) -> Visibility {
    parse(value).unwrap_or(Visibility::Private)
}

fn parse(value: Option<&str>) -> Option<Visibility> {
    Visibility::ALL.into_iter().find(|visibility| Some(visibility.as_str()) == value)
}

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    bounded_map::BoundedLwwMap,
    element_register::{Content, Register},
};
use crate::graph::{Change, EntityKind, ReceivedChange, Value};

/// Most properties of an element. Each takes four of the 1,000 fields that an index may have.
pub const MAX_NAMES: usize = 64;
/// Longest name of a property, and longest label, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 128;
/// Longest id of an element, in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 2_048;
/// Largest JSON of an element, in bytes. DynamoDB's limit is 400 KiB.
pub const MAX_ROW_BYTES: usize = 300_000;

/// A row of the table `mirror`: LWW registers of a vertex or edge, and a version.
///
/// The version counts the changes that had an effect, like that of an [`Entry`](crate::search::Entry).
/// An element is bounded, and leaves out
/// - all but the latest [registers](super::MAX_REGISTERS) of labels and of each property;
/// - all but the [`MAX_NAMES`] properties with the shortest names, and names that an index cannot contain;
/// - values that did not fit in the change's message;
/// - above [`MAX_ROW_BYTES`], the longest values. Which values these are depends on the order of changes;
///   a replay does not change them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    #[serde(skip)]
    version: u64,
    kind: EntityKind,
    id: String,
    /// Number of fast resets before all registers. A fast reset deletes everything before it.
    generation: u32,
    labels: BoundedLwwMap,
    /// Registers of each property by name. Their keys are hashes of values.
    properties: BTreeMap<String, BoundedLwwMap>,
}

/// Effect of a change on an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyOutcome {
    /// The element of the next version; `None` if the change had no effect.
    pub next: Option<Element>,
    /// Number of labels and values that were left out.
    pub left_out: usize,
}

impl Element {
    /// An empty element for the entity of a change; `None` if the id is too long.
    pub fn of(change: &Change) -> Option<Self> {
        let id = change.entity_id.clone();
        (id.len() <= MAX_ID_BYTES).then(|| Self {
            version: 0,
            kind: change.kind,
            id,
            generation: 0,
            labels: BoundedLwwMap::default(),
            properties: BTreeMap::new(),
        })
    }

    /// An element from its version and the JSON of [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// If the JSON is not of an element.
    pub fn from_stored(version: u64, json: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { version, ..serde_json::from_str(json)? })
    }

    /// The element as JSON, without its version.
    pub fn to_json(&self) -> String {
        // Serialization cannot fail: all map keys are strings.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Version of the row and of its document.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn kind(&self) -> EntityKind {
        self.kind
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn labels(&self) -> &BoundedLwwMap {
        &self.labels
    }

    pub(super) fn properties(&self) -> &BTreeMap<String, BoundedLwwMap> {
        &self.properties
    }

    /// Applies a change of the element.
    pub fn apply(&self, received: &ReceivedChange) -> ApplyOutcome {
        let (change, generation) = (&received.change, received.position().generation);
        if generation < self.generation {
            return ApplyOutcome { next: None, left_out: 0 };
        }
        let mut next = self.clone();
        let is_reset = generation > self.generation;
        if is_reset {
            (next.generation, next.labels, next.properties) = (generation, BoundedLwwMap::default(), BTreeMap::new());
        }
        let (has_changed, mut left_out) = next.merge_change(change);
        if !has_changed && !is_reset {
            return ApplyOutcome { next: None, left_out };
        }
        left_out += next.shrink();
        next.version += 1;
        ApplyOutcome { next: Some(next), left_out }
    }

    /// Merges the labels and values of a change. Returns whether a register changed, and how many labels and
    /// values were left out.
    fn merge_change(&mut self, change: &Change) -> (bool, usize) {
        let (mut has_changed, mut left_out) = (false, 0);
        let register =
            |is_present: bool, content| Register { position: change.position, value: is_present.then_some(content) };
        // Present labels and values come first, because the first write of a position wins.
        let present = change.labels.added.iter().chain(&change.labels.kept).map(|label| (label, true));
        for (label, is_present) in present.chain(change.labels.removed.iter().map(|label| (label, false))) {
            if label.len() > MAX_NAME_BYTES {
                left_out += usize::from(is_present);
                continue;
            }
            let write = self.labels.apply(label.clone(), register(is_present, Content::KeyOnly));
            has_changed |= write.is_applied;
            left_out += usize::from(write.drops_value);
        }
        for (name, property) in &change.properties {
            let Some((values, dropped)) = self.property(name) else {
                left_out += property.after.len();
                continue;
            };
            left_out += dropped;
            let present = property.after.iter().map(|value| (value, true));
            for (value, is_present) in present.chain(property.before.iter().map(|value| (value, false))) {
                let is_omitted = matches!(value, Value::Omitted(_));
                let content = if is_omitted { Content::KeyOnly } else { Content::Value(value.clone()) };
                let write = values.apply(key(value), register(is_present, content));
                has_changed |= write.is_applied;
                left_out += usize::from(write.drops_value || (is_present && is_omitted));
            }
        }
        (has_changed, left_out)
    }

    /// Registers of a property, if it is kept, and the number of values that were dropped for it.
    ///
    /// Which properties are kept depends on their names only, so a dropped property never reappears with
    /// some of its values.
    fn property(&mut self, name: &str) -> Option<(&mut BoundedLwwMap, usize)> {
        let rank = |name: &str| (name.len(), name.to_owned());
        let mut dropped = 0;
        if !is_field_name(name) {
            return None;
        }
        if !self.properties.contains_key(name) && self.properties.len() >= MAX_NAMES {
            let longest = self.properties.keys().max_by_key(|name| rank(name))?.clone();
            if rank(name) > rank(&longest) {
                return None;
            }
            dropped = self.properties.remove(&longest).map_or(0, |values| values.live().count());
        }
        Some((self.properties.entry(name.to_owned()).or_default(), dropped))
    }

    /// Leaves out the longest values until the JSON fits in [`MAX_ROW_BYTES`]. Returns their number.
    fn shrink(&mut self) -> usize {
        let mut bytes = self.to_json().len();
        let mut left_out = 0;
        while bytes > MAX_ROW_BYTES {
            let registers = self.properties.values_mut().flat_map(BoundedLwwMap::registers_mut);
            let size = |register: &Register| register.property_value().map_or(0, unbounded_bytes);
            let Some(longest) = registers.max_by_key(|register| size(register)) else { break };
            if longest.property_value().is_none() {
                break;
            }
            // In JSON it takes at least as much.
            bytes = bytes.saturating_sub(size(longest).max(1));
            longest.value = Some(Content::KeyOnly);
            left_out += 1;
        }
        left_out
    }
}

/// Whether an index can contain a property of this name: dots would lead into objects.
fn is_field_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES && !name.trim().is_empty() && !name.contains('.')
}

/// Bytes of a value whose size has no bound; 0 for other values.
fn unbounded_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) | Value::Unrecognized { json: text, .. } => text.len(),
        _ => 0,
    }
}

/// Key of a value among those of its property: 24 hexadecimal digits of a hash. A value and its
/// [`Value::Omitted`] have the same key.
fn key(value: &Value) -> String {
    let content = match value {
        Value::String(text) | Value::Unrecognized { json: text, .. } => format!("{:x}", Sha256::digest(text)),
        Value::Omitted(digest) => digest.sha256.clone(),
        Value::Date(number) | Value::Long(number) => number.to_string(),
        Value::Bool(is_true) => is_true.to_string(),
        Value::Byte(number) => number.to_string(),
        Value::Short(number) => number.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
    };
    let mut key = format!("{:x}", Sha256::digest(format!("{}\0{content}", value.data_type())));
    key.truncate(24);
    key
}

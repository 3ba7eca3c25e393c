use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::newest::{BoundedLwwMap, Register};
use crate::{
    graph::{Change, EntityKind, Received, Value},
    search::GenerationPosition,
};

/// Properties that are kept of an element. Each takes four of the 1,000 fields that an index may have.
pub const MAX_NAMES: usize = 64;
/// The longest name of a property, and the longest label, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 128;
/// The longest id of an element, in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 2_048;
/// The most that an element takes as JSON, in bytes. DynamoDB takes 400 KiB.
pub const MAX_ROW_BYTES: usize = 300_000;

/// What is known of a vertex or an edge: a row of the table `mirror`.
///
/// Versions count the changes that taught it something, as with [`Entry`](crate::search::Entry), and
/// for the same reason. What would be too much is left out:
/// - of labels, and of each property, all but the newest [registers](super::MAX_REGISTERS);
/// - of properties, all but the [`MAX_NAMES`] with the shortest names, and names that no index can hold;
/// - values that did not fit in the change's message;
/// - if it still takes more than [`MAX_ROW_BYTES`], values, the longest first. Only of these it
///   depends on the order of changes which they are; a replay changes nothing there either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    #[serde(skip)]
    version: u64,
    kind: EntityKind,
    id: String,
    /// Fast resets before all that is kept. Each deletes what came before it.
    generation: u32,
    labels: BoundedLwwMap,
    /// By name; the keys of registers are those of values.
    properties: BTreeMap<String, BoundedLwwMap>,
}

/// What a change taught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyOutcome {
    /// The next version, if anything was news.
    pub next: Option<Element>,
    /// Labels and values of the graph that are not kept.
    pub left_out: usize,
}

impl Element {
    /// The element that a change is about, with nothing known of it; none if its id is too long to be kept.
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

    /// An element as [`json`](Self::json) wrote it at that version.
    ///
    /// # Errors
    /// If it is not so.
    pub fn stored(version: u64, json: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { version, ..serde_json::from_str(json)? })
    }

    /// All but the version.
    pub fn json(&self) -> String {
        // Texts, numbers and maps with texts as keys can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How often it was written; its document's version.
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

    /// The element with what a change of it says.
    pub fn with(&self, received: &Received) -> ApplyOutcome {
        let Received { cluster, change, .. } = received;
        let generation = GenerationPosition::of(cluster, change.position).generation;
        if generation < self.generation {
            return ApplyOutcome { next: None, left_out: 0 };
        }
        let mut next = self.clone();
        let is_reset = generation > self.generation;
        if is_reset {
            (next.generation, next.labels, next.properties) = (generation, BoundedLwwMap::default(), BTreeMap::new());
        }
        let (has_news, mut left_out) = next.learn(change);
        if !has_news && !is_reset {
            return ApplyOutcome { next: None, left_out };
        }
        left_out += next.shrink();
        next.version += 1;
        ApplyOutcome { next: Some(next), left_out }
    }

    /// Whether anything was news, and how much that holds is not kept.
    fn learn(&mut self, change: &Change) -> (bool, usize) {
        let (mut has_news, mut left_out) = (false, 0);
        let register = |holds, value| Register { at: change.position, holds, value };
        let labels = &change.labels;
        // What is there comes first: of one position, the first word counts.
        let there = labels.added.iter().chain(&labels.kept).map(|label| (label, true));
        for (label, holds) in there.chain(labels.removed.iter().map(|label| (label, false))) {
            if label.len() > MAX_NAME_BYTES {
                left_out += usize::from(holds);
                continue;
            }
            let learnt = self.labels.learn(label.clone(), register(holds, None));
            has_news |= learnt.is_news;
            left_out += usize::from(learnt.is_loss);
        }
        for (name, property) in &change.properties {
            let Some((values, dropped)) = self.property(name) else {
                left_out += property.after.len();
                continue;
            };
            left_out += dropped;
            let there = property.after.iter().map(|value| (value, true));
            for (value, holds) in there.chain(property.before.iter().map(|value| (value, false))) {
                let is_known = !matches!(value, Value::Omitted(_));
                let kept = (holds && is_known).then(|| value.clone());
                let learnt = values.learn(key(value), register(holds, kept));
                has_news |= learnt.is_news;
                left_out += usize::from(learnt.is_loss || (holds && !is_known));
            }
        }
        (has_news, left_out)
    }

    /// The registers of a property, if it is to be kept; and how many values had to go for it.
    ///
    /// Which names stay depends on the names alone, so what is dropped never comes back half.
    fn property(&mut self, name: &str) -> Option<(&mut BoundedLwwMap, usize)> {
        let rank = |name: &str| (name.len(), name.to_owned());
        let mut dropped = 0;
        if !is_field(name) {
            return None;
        }
        if !self.properties.contains_key(name) && self.properties.len() >= MAX_NAMES {
            let longest = self.properties.keys().max_by_key(|name| rank(name))?.clone();
            if rank(name) > rank(&longest) {
                return None;
            }
            dropped = self.properties.remove(&longest).map_or(0, |values| values.holding().count());
        }
        Some((self.properties.entry(name.to_owned()).or_default(), dropped))
    }

    /// Leaves out values until the row has room for it; how many.
    fn shrink(&mut self) -> usize {
        let mut bytes = self.json().len();
        let mut left_out = 0;
        while bytes > MAX_ROW_BYTES {
            let registers = self.properties.values_mut().flat_map(BoundedLwwMap::registers_mut);
            let size = |value: &Option<Value>| value.as_ref().map_or(0, text_bytes);
            let Some(longest) = registers.max_by_key(|register| size(&register.value)) else { break };
            let Some(value) = longest.value.take() else { break };
            // At least as long in JSON.
            bytes = bytes.saturating_sub(text_bytes(&value).max(1));
            left_out += 1;
        }
        left_out
    }
}

/// Whether an index can hold a property of this name: there, dots lead into objects.
fn is_field(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES && !name.trim().is_empty() && !name.contains('.')
}

/// The bytes of what has no bound.
fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) | Value::Unrecognized { json: text, .. } => text.len(),
        _ => 0,
    }
}

/// Tells a value from others of its property, also if only its hash came: 24 hexadecimal digits.
fn key(value: &Value) -> String {
    let content = match value {
        Value::String(text) | Value::Unrecognized { json: text, .. } => format!("{:x}", Sha256::digest(text)),
        Value::Omitted(omitted) => omitted.sha256.clone(),
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

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, hash::BuildHasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Op, Position, Record, RecordKind, Value};

/// Folds the records of one transaction, or of a part of one, into a [`Change`] for each vertex and
/// edge that differs, in the order of their first records.
///
/// A vertex or edge is a set of facts: its labels and the values of its properties. The first record
/// of a fact shows whether the entity had it before: a removed fact was there. The last record shows
/// whether the entity has it after. All rules follow from that:
/// - REMOVE of the old and ADD of the new value of a property give `before` and `after`.
/// - ADD and REMOVE of the same fact cancel out, in either order. An entity that was removed and added
///   again is reported with the facts that differ.
/// - [`ChangeKind::Added`]: a label was added, and no record shows that the entity existed before.
///   [`ChangeKind::Removed`]: a label was removed, and no record shows that the entity exists after.
///
/// Parts of a transaction are folded one by one. Together they may report more than the whole
/// transaction, because they report the state between two parts, but never less. Example: the label of
/// a vertex is replaced, and the parts are cut between the two records. The vertex is then reported as
/// removed and added.
///
/// Time and memory are linear in the number of records, however many belong to one entity.
pub fn fold(records: impl IntoIterator<Item = Record>) -> Vec<Change> {
    let records = records.into_iter();
    let mut folder = Folder::default();
    // Most records are of different facts.
    let expected = records.size_hint().0;
    folder.facts.reserve(expected);
    folder.fact_index.reserve(expected, |&(hash, _)| hash);
    for record in records {
        folder.add(record);
    }
    folder.finish()
}

#[derive(Default)]
struct Folder {
    hasher: DefaultHashBuilder,
    entities: Vec<Entity>,
    /// Hashes of kind and id, and indices into `entities`.
    entity_index: HashTable<(u64, usize)>,
    facts: Vec<Fact>,
    /// Hashes of entity and content, and indices into `facts`.
    fact_index: HashTable<(u64, usize)>,
}

struct Entity {
    position: Position,
    commit_timestamp_ms: i64,
    kind: EntityKind,
    id: String,
}

/// A label (of an edge: with its ends) or one value of a property.
struct Fact {
    entity: usize,
    content: Content,
    was_present: bool,
    is_present: bool,
}

#[derive(PartialEq, Eq, Hash)]
enum Content {
    Label { label: String, ends: Option<EdgeEndpoints> },
    Property { key: String, value: Value },
}

impl Folder {
    fn add(&mut self, record: Record) {
        let Record { position, commit_timestamp_ms, op, kind, id, key, value, from, to } = record;
        let (kind, content) = match kind {
            RecordKind::VertexLabel => (EntityKind::Vertex, Content::Label { label: label(value), ends: None }),
            RecordKind::VertexProperty => (EntityKind::Vertex, Content::Property { key, value }),
            RecordKind::Edge => {
                let ends = from.zip(to).map(|(from, to)| EdgeEndpoints { from, to });
                (EntityKind::Edge, Content::Label { label: label(value), ends })
            }
            RecordKind::EdgeProperty => (EntityKind::Edge, Content::Property { key, value }),
        };
        let entity = self.entity(Entity { position, commit_timestamp_ms, kind, id });

        let Self { hasher, facts, fact_index, .. } = self;
        let hash = hasher.hash_one((entity, &content));
        let found = fact_index
            .find(hash, |&(other, at)| other == hash && facts[at].entity == entity && facts[at].content == content);
        let is_present = op == Op::Add;
        match found {
            Some(&(_, at)) => facts[at].is_present = is_present,
            None => {
                let at = facts.len();
                facts.push(Fact { entity, content, was_present: !is_present, is_present });
                fact_index.insert_unique(hash, (hash, at), |&(hash, _)| hash);
            }
        }
    }

    /// Index of `entity` in the list, to which it is added if it is new.
    fn entity(&mut self, entity: Entity) -> usize {
        let Self { hasher, entities, entity_index, .. } = self;
        let is_same = |other: &Entity| other.kind == entity.kind && other.id == entity.id;
        // Records of one entity mostly follow each other.
        if entities.last().is_some_and(is_same) {
            return entities.len() - 1;
        }
        let hash = hasher.hash_one((entity.kind, entity.id.as_str()));
        if let Some(&(_, at)) = entity_index.find(hash, |&(other, at)| other == hash && is_same(&entities[at])) {
            return at;
        }
        let at = entities.len();
        entities.push(entity);
        entity_index.insert_unique(hash, (hash, at), |&(hash, _)| hash);
        at
    }

    fn finish(self) -> Vec<Change> {
        let mut drafts: Vec<Draft> = self.entities.into_iter().map(Draft::new).collect();
        for fact in self.facts {
            drafts[fact.entity].apply(fact);
        }
        drafts.into_iter().filter_map(Draft::finish).collect()
    }
}

/// Neptune's labels are strings. Any other value is represented by its JSON.
fn label(value: Value) -> String {
    match value {
        Value::String(label) => label,
        other => serde_json::to_string(&other).unwrap_or_default(),
    }
}

/// A change to which facts are still added.
struct Draft {
    change: Change,
    existed: bool,
    exists: bool,
}

impl Draft {
    fn new(Entity { position, commit_timestamp_ms, kind, id }: Entity) -> Self {
        let change = Change {
            position,
            commit_timestamp_ms,
            kind,
            entity_id: id,
            change_kind: ChangeKind::Changed,
            labels: Labels::default(),
            ends: None,
            ends_before: None,
            properties: BTreeMap::new(),
            properties_omitted: 0,
            is_partial: false,
        };
        Self { change, existed: false, exists: false }
    }

    fn apply(&mut self, Fact { content, was_present, is_present, .. }: Fact) {
        self.existed |= was_present;
        self.exists |= is_present;
        let change = &mut self.change;
        match content {
            Content::Label { label, ends } => {
                match (was_present, is_present) {
                    (false, false) => return,
                    (false, true) => change.labels.added.push(label),
                    (true, false) => change.labels.removed.push(label),
                    (true, true) => change.labels.kept.push(label),
                }
                let side = if is_present { &mut change.ends } else { &mut change.ends_before };
                *side = ends;
            }
            Content::Property { key, value } if was_present != is_present => {
                let property = change.properties.entry(key).or_default();
                if is_present { &mut property.after } else { &mut property.before }.push(value);
            }
            Content::Property { .. } => {}
        }
    }

    fn finish(self) -> Option<Change> {
        let Self { mut change, existed, exists } = self;
        let Change { kind, change_kind, labels, ends, ends_before, .. } = &mut change;
        // A moved edge keeps its label. A removed edge is reported with its last ends.
        if ends.is_none() {
            *ends = ends_before.take();
        } else if ends == ends_before {
            *ends_before = None;
        }
        if *kind == EntityKind::Edge && labels.added == labels.removed {
            labels.kept.append(&mut labels.added);
            labels.removed.clear();
        }

        *change_kind = if !labels.added.is_empty() && !existed {
            ChangeKind::Added
        } else if !labels.removed.is_empty() && !exists {
            ChangeKind::Removed
        } else {
            ChangeKind::Changed
        };
        let differs = !labels.added.is_empty() || !labels.removed.is_empty() || ends_before.is_some();
        (differs || !change.properties.is_empty()).then_some(change)
    }
}

#[cfg(test)]
mod tests;

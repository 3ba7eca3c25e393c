//! For tests: a small graph that writes records as Neptune does, and strategies for values and changes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;

use super::{
    Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Op, Position, PropertyChange, Record, RecordKind, Value,
};

/// The entities of each kind by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Graph(BTreeMap<(EntityKind, String), Entity>);

#[derive(Debug, Clone, Default, PartialEq)]
struct Entity {
    labels: BTreeSet<String>,
    ends: Option<EdgeEndpoints>,
    properties: BTreeMap<String, HashSet<Value>>,
}

impl Entity {
    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.properties.is_empty()
    }
}

/// A command to the graph. A command that is impossible in the current state has no effect.
#[derive(Debug, Clone)]
pub(super) enum Command {
    AddVertex { id: String, labels: BTreeSet<String> },
    AddEdge { id: String, label: String, ends: EdgeEndpoints },
    Relabel { id: String, label: String },
    Set { kind: EntityKind, id: String, key: String, value: Value },
    AddValue { id: String, key: String, value: Value },
    Unset { kind: EntityKind, id: String, key: String },
    Remove { kind: EntityKind, id: String },
}

type Step = (Op, RecordKind, String, String, Value, Option<EdgeEndpoints>);

/// The records of one transaction.
pub(super) fn records(commit_num: u64, steps: Vec<Step>) -> Vec<Record> {
    let numbered = steps.into_iter().zip(1..);
    numbered
        .map(|((op, kind, id, key, value, ends), op_num)| {
            let (from, to) = ends.map(|ends| (ends.from, ends.to)).unzip();
            let position = Position::new(commit_num, op_num);
            Record { position, commit_timestamp_ms: 1_560_011_610_678, op, kind, id, key, value, from, to }
        })
        .collect()
}

impl Graph {
    pub(super) fn has(&self, kind: EntityKind, id: &str) -> bool {
        self.0.contains_key(&(kind, id.to_owned()))
    }

    /// Number of entities that differ from `other`.
    pub(super) fn differences(&self, other: &Self) -> usize {
        let keys: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        keys.into_iter().filter(|key| self.0.get(*key) != other.0.get(*key)).count()
    }

    /// Runs the commands and returns the records of Neptune's stream.
    pub(super) fn run(&mut self, commands: &[Command]) -> Vec<Step> {
        commands.iter().flat_map(|command| self.run_one(command)).collect()
    }

    fn run_one(&mut self, command: &Command) -> Vec<Step> {
        let mut steps = Vec::new();
        match command.clone() {
            Command::AddVertex { id, labels } if !self.has(EntityKind::Vertex, &id) => {
                steps.extend(labels.iter().map(|label| label_step(Op::Add, &id, label, None)));
                self.0.insert((EntityKind::Vertex, id), Entity { labels, ..Entity::default() });
            }
            Command::AddEdge { id, label, ends } if !self.has(EntityKind::Edge, &id) => {
                if self.has(EntityKind::Vertex, &ends.from) && self.has(EntityKind::Vertex, &ends.to) {
                    steps.push(label_step(Op::Add, &id, &label, Some(&ends)));
                    let entity = Entity { labels: [label].into(), ends: Some(ends), ..Entity::default() };
                    self.0.insert((EntityKind::Edge, id), entity);
                }
            }
            Command::Relabel { id, label } => {
                if let Some(vertex) = self.0.get_mut(&(EntityKind::Vertex, id.clone())) {
                    steps.extend(vertex.labels.iter().map(|old| label_step(Op::Remove, &id, old, None)));
                    steps.push(label_step(Op::Add, &id, &label, None));
                    vertex.labels = [label].into();
                }
            }
            Command::Set { kind, id, key, value } => {
                if let Some(entity) = self.0.get_mut(&(kind, id.clone())) {
                    let values = entity.properties.entry(key.clone()).or_default();
                    steps.extend(values.drain().map(|old| property_step(Op::Remove, kind, &id, &key, old)));
                    values.insert(value.clone());
                    steps.push(property_step(Op::Add, kind, &id, &key, value));
                }
            }
            Command::AddValue { id, key, value } => {
                let kind = EntityKind::Vertex;
                if let Some(entity) = self.0.get_mut(&(kind, id.clone()))
                    && entity.properties.entry(key.clone()).or_default().insert(value.clone())
                {
                    steps.push(property_step(Op::Add, kind, &id, &key, value));
                }
            }
            Command::Unset { kind, id, key } => {
                let entity = self.0.get_mut(&(kind, id.clone()));
                let values = entity.and_then(|entity| entity.properties.remove(&key)).unwrap_or_default();
                steps.extend(values.into_iter().map(|old| property_step(Op::Remove, kind, &id, &key, old)));
            }
            Command::Remove { kind, id } => steps = self.remove(kind, &id),
            Command::AddVertex { .. } | Command::AddEdge { .. } => {}
        }
        steps
    }

    /// Removes incident edges first, labels last.
    fn remove(&mut self, kind: EntityKind, id: &str) -> Vec<Step> {
        let mut steps = Vec::new();
        if kind == EntityKind::Vertex {
            let touches = |ends: &EdgeEndpoints| ends.from == id || ends.to == id;
            let is_incident = |entity: &Entity| entity.ends.as_ref().is_some_and(touches);
            let edges: Vec<_> = self.0.iter().filter(|(_, entity)| is_incident(entity)).map(|(key, _)| key).collect();
            for (kind, id) in edges.into_iter().cloned().collect::<Vec<_>>() {
                steps.extend(self.remove(kind, &id));
            }
        }
        let Entity { labels, ends, properties } = self.0.remove(&(kind, id.to_owned())).unwrap_or_default();
        for (key, values) in properties {
            steps.extend(values.into_iter().map(|old| property_step(Op::Remove, kind, id, &key, old)));
        }
        steps.extend(labels.iter().map(|label| label_step(Op::Remove, id, label, ends.as_ref())));
        steps
    }

    /// Applies a change as a consumer would. Returns whether every part of it had an effect.
    pub(super) fn apply(&mut self, change: &Change) -> bool {
        let Change { labels, ends, ends_before, properties, .. } = change;
        let key = (change.kind, change.entity_id.clone());
        let entity = self.0.entry(key.clone()).or_default();
        let mut is_effective = true;
        for label in &labels.removed {
            is_effective &= entity.labels.remove(label);
        }
        for label in &labels.added {
            is_effective &= entity.labels.insert(label.clone());
        }
        is_effective &= ends_before.is_none() || entity.ends == *ends_before;
        if ends.is_some() {
            entity.ends.clone_from(ends);
        }
        for (key, property) in properties {
            let values = entity.properties.entry(key.clone()).or_default();
            for value in &property.before {
                is_effective &= values.remove(value);
            }
            for value in &property.after {
                is_effective &= values.insert(value.clone());
            }
            if values.is_empty() {
                entity.properties.remove(key);
            }
        }
        if entity.is_empty() {
            self.0.remove(&key);
        }
        is_effective
    }
}

fn label_step(op: Op, id: &str, label: &str, ends: Option<&EdgeEndpoints>) -> Step {
    let kind = if ends.is_some() { RecordKind::Edge } else { RecordKind::VertexLabel };
    (op, kind, id.to_owned(), "label".to_owned(), Value::String(label.to_owned()), ends.cloned())
}

fn property_step(op: Op, kind: EntityKind, id: &str, key: &str, value: Value) -> Step {
    let kind = match kind {
        EntityKind::Vertex => RecordKind::VertexProperty,
        EntityKind::Edge => RecordKind::EdgeProperty,
    };
    (op, kind, id.to_owned(), key.to_owned(), value, None)
}

/// Commands on few ids, labels, keys and values, so that they collide.
pub(super) fn commands() -> impl Strategy<Value = Vec<Command>> {
    let id = || prop::sample::select(vec!["1", "2", "이야기"]).prop_map(str::to_owned);
    let label = || prop::sample::select(vec!["Story", "Person"]).prop_map(str::to_owned);
    let key = || prop::sample::select(vec!["title", "tag"]).prop_map(str::to_owned);
    let few = vec![Value::Int(1), Value::Long(1), Value::String("a".into()), Value::Double(f64::NAN)];
    let value = move || prop::sample::select(few.clone());
    let labels = prop::collection::btree_set(label(), 1..=2);
    let ends = (id(), id()).prop_map(|(from, to)| EdgeEndpoints { from, to });
    let command = prop_oneof![
        3 => (id(), labels).prop_map(|(id, labels)| Command::AddVertex { id, labels }),
        3 => (id(), label(), ends).prop_map(|(id, label, ends)| Command::AddEdge { id, label, ends }),
        1 => (id(), label()).prop_map(|(id, label)| Command::Relabel { id, label }),
        3 => (kind(), id(), key(), value()).prop_map(|(kind, id, key, value)| Command::Set { kind, id, key, value }),
        2 => (id(), key(), value()).prop_map(|(id, key, value)| Command::AddValue { id, key, value }),
        1 => (kind(), id(), key()).prop_map(|(kind, id, key)| Command::Unset { kind, id, key }),
        2 => (kind(), id()).prop_map(|(kind, id)| Command::Remove { kind, id }),
    ];
    prop::collection::vec(command, 0..24)
}

pub(super) fn kind() -> impl Strategy<Value = EntityKind> {
    prop_oneof![Just(EntityKind::Vertex), Just(EntityKind::Edge)]
}

/// Any value of a record.
pub(super) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::String),
        any::<i64>().prop_map(Value::Date),
        any::<bool>().prop_map(Value::Bool),
        any::<i8>().prop_map(Value::Byte),
        any::<i16>().prop_map(Value::Short),
        any::<i32>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::Long),
        prop::num::f32::ANY.prop_map(Value::Float),
        prop::num::f64::ANY.prop_map(Value::Double),
        any::<(String, String)>().prop_map(|(data_type, json)| Value::Unrecognized { data_type, json }),
    ]
}

/// A change without labels or properties.
pub(super) fn change_of(kind: EntityKind, id: &str) -> Change {
    Change {
        position: Position::new(12, 1),
        commit_timestamp_ms: 1_560_011_610_678,
        kind,
        entity_id: id.to_owned(),
        change_kind: ChangeKind::Changed,
        labels: Labels::default(),
        ends: None,
        ends_before: None,
        properties: BTreeMap::new(),
        properties_omitted: 0,
        is_partial: false,
    }
}

/// Any change, including some that no records produce.
pub(super) fn change() -> impl Strategy<Value = Change> {
    let change_kind = prop_oneof![Just(ChangeKind::Added), Just(ChangeKind::Changed), Just(ChangeKind::Removed)];
    let texts = || prop::collection::vec(any::<String>(), 0..3);
    let labels = (texts(), texts(), texts()).prop_map(|(added, removed, kept)| Labels { added, removed, kept });
    let ends = || prop::option::of(any::<(String, String)>().prop_map(|(from, to)| EdgeEndpoints { from, to }));
    let values = || prop::collection::vec(value(), 0..4);
    let property = (values(), values()).prop_map(|(before, after)| PropertyChange { before, after });
    let properties = prop::collection::btree_map(any::<String>(), property, 0..5);
    let at = (any::<(u64, u64)>(), any::<i64>());
    (at, kind(), any::<(String, bool)>(), change_kind, labels, ends(), ends(), properties).prop_map(
        |(
            ((commit_num, op_num), commit_timestamp_ms),
            kind,
            (entity_id, is_partial),
            change_kind,
            labels,
            ends,
            ends_before,
            properties,
        )| {
            let position = Position::new(commit_num, op_num);
            let rest = change_of(kind, &entity_id);
            let with_ends = Change { ends, ends_before, is_partial, ..rest };
            Change { position, commit_timestamp_ms, change_kind, labels, properties, ..with_ends }
        },
    )
}

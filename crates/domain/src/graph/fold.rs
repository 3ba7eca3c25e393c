use std::{collections::BTreeMap, hash::BuildHasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Op, Position, Record, RecordKind, Value};

/// What the records of one transaction, or of a part of one, did: a [`Change`] for each vertex and
/// edge that differs, in the order of their first records.
///
/// A vertex or edge is a set of facts: its labels, the values of its properties. The first record
/// of a fact tells whether it held before (one that is removed did), the last one whether it holds
/// after. From that follow all rules:
/// - REMOVE of the old and ADD of the new value of a property: `before` and `after`.
/// - ADD and REMOVE of the same fact cancel, in either order. What was added and removed again
///   nobody could see, so there is nothing to tell; what was removed and added again differs in
///   what differs.
/// - [`ChangeKind::Added`]: a label came, and no record shows that the entity existed before.
///   [`ChangeKind::Removed`]: a label went, and no record shows that the entity exists after.
///
/// Parts of a transaction fold one by one into changes of their own. They tell what happened on the
/// way from part to part, so they may tell more than the whole would, never less: a vertex whose
/// label was replaced is removed and added, if the parts were cut between the two.
///
/// Costs time and memory in proportion to the records, however many there are of one entity.
pub fn fold(records: impl IntoIterator<Item = Record>) -> Vec<Change> {
    let records = records.into_iter();
    let mut folding = Folding::default();
    // Most records are a fact of their own.
    let expected = records.size_hint().0;
    folding.facts.reserve(expected);
    folding.fact_index.reserve(expected, |&(hash, _)| hash);
    for record in records {
        folding.take(record);
    }
    folding.finish()
}

#[derive(Default)]
struct Folding {
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
    held_before: bool,
    holds_after: bool,
}

#[derive(PartialEq, Eq, Hash)]
enum Content {
    Label { label: String, ends: Option<EdgeEndpoints> },
    Property { key: String, value: Value },
}

impl Folding {
    fn take(&mut self, record: Record) {
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
        let holds_after = op == Op::Add;
        match found {
            Some(&(_, at)) => facts[at].holds_after = holds_after,
            None => {
                let at = facts.len();
                facts.push(Fact { entity, content, held_before: !holds_after, holds_after });
                fact_index.insert_unique(hash, (hash, at), |&(hash, _)| hash);
            }
        }
    }

    /// Where `entity` is in the list; there it is put if it is new.
    fn entity(&mut self, entity: Entity) -> usize {
        let Self { hasher, entities, entity_index, .. } = self;
        let is_same = |other: &Entity| other.kind == entity.kind && other.id == entity.id;
        // An entity's records mostly follow each other.
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
            drafts[fact.entity].learn(fact);
        }
        drafts.into_iter().filter_map(Draft::finish).collect()
    }
}

/// Labels are strings always; should there be another, its JSON text serves as well.
fn label(value: Value) -> String {
    match value {
        Value::String(label) => label,
        other => serde_json::to_string(&other).unwrap_or_default(),
    }
}

/// A change, while its facts come in.
struct Draft {
    change: Change,
    existed_before: bool,
    exists_after: bool,
}

impl Draft {
    fn new(Entity { position, commit_timestamp_ms, kind, id }: Entity) -> Self {
        let change = Change {
            position,
            commit_timestamp_ms,
            kind,
            entity_id: id,
            what: ChangeKind::Changed,
            labels: Labels::default(),
            ends: None,
            ends_before: None,
            properties: BTreeMap::new(),
            properties_omitted: 0,
        };
        Self { change, existed_before: false, exists_after: false }
    }

    fn learn(&mut self, Fact { content, held_before, holds_after, .. }: Fact) {
        self.existed_before |= held_before;
        self.exists_after |= holds_after;
        let change = &mut self.change;
        match content {
            Content::Label { label, ends } => {
                match (held_before, holds_after) {
                    (false, false) => return,
                    (false, true) => change.labels.added.push(label),
                    (true, false) => change.labels.removed.push(label),
                    (true, true) => change.labels.kept.push(label),
                }
                let side = if holds_after { &mut change.ends } else { &mut change.ends_before };
                *side = ends;
            }
            Content::Property { key, value } if held_before != holds_after => {
                let property = change.properties.entry(key).or_default();
                if holds_after { &mut property.after } else { &mut property.before }.push(value);
            }
            Content::Property { .. } => {}
        }
    }

    fn finish(self) -> Option<Change> {
        let Self { mut change, existed_before, exists_after } = self;
        let Change { kind, what, labels, ends, ends_before, .. } = &mut change;
        // An edge that moved kept its label, and one that is gone has its last ends.
        if ends.is_none() {
            *ends = ends_before.take();
        } else if ends == ends_before {
            *ends_before = None;
        }
        if *kind == EntityKind::Edge && labels.added == labels.removed {
            labels.kept.append(&mut labels.added);
            labels.removed.clear();
        }

        *what = if !labels.added.is_empty() && !existed_before {
            ChangeKind::Added
        } else if !labels.removed.is_empty() && !exists_after {
            ChangeKind::Removed
        } else {
            ChangeKind::Changed
        };
        let differs = !labels.added.is_empty() || !labels.removed.is_empty() || ends_before.is_some();
        (differs || !change.properties.is_empty()).then_some(change)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::model::{Graph, commands, records};

    /// `+vl v1 Story`, `-vp v1 title old`, `+e e1 LIKES v1 v2`, `+ep e1 weight 1`.
    fn fold_lines(lines: &[&str]) -> Vec<Change> {
        fold(lines.iter().zip(1..).map(|(line, op_num)| {
            let words: Vec<&str> = line[1..].split(' ').collect();
            let text = |at: usize| words[at].to_owned();
            let is_property = words[0].ends_with('p');
            let is_edge = words[0] == "e";
            Record {
                position: Position::new(12, op_num),
                commit_timestamp_ms: 1_560_011_610_678,
                op: if line.starts_with('+') { Op::Add } else { Op::Remove },
                kind: match words[0] {
                    "vl" => RecordKind::VertexLabel,
                    "vp" => RecordKind::VertexProperty,
                    "e" => RecordKind::Edge,
                    _ => RecordKind::EdgeProperty,
                },
                id: text(1),
                key: if is_property { text(2) } else { "label".into() },
                value: Value::String(text(if is_property { 3 } else { 2 })),
                from: is_edge.then(|| text(3)),
                to: is_edge.then(|| text(4)),
            }
        }))
    }

    fn only(lines: &[&str]) -> Change {
        let mut changes = fold_lines(lines);
        assert_eq!(changes.len(), 1, "{changes:?}");
        changes.remove(0)
    }

    fn property(change: &Change, key: &str) -> (Vec<String>, Vec<String>) {
        let texts = |values: &[Value]| values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let property = &change.properties[key];
        (texts(&property.before), texts(&property.after))
    }

    fn ends(from: &str, to: &str) -> Option<EdgeEndpoints> {
        Some(EdgeEndpoints { from: from.into(), to: to.into() })
    }

    #[test]
    fn a_new_vertex_has_its_label_and_properties() {
        let change = only(&["+vl v1 Story", "+vp v1 title 안녕"]);
        assert_eq!(
            (change.what, change.kind, change.entity_id.as_str()),
            (ChangeKind::Added, EntityKind::Vertex, "v1")
        );
        assert_eq!(change.labels.added, ["Story"]);
        assert_eq!(property(&change, "title"), (vec![], vec!["안녕".into()]));
        assert_eq!(change.id("main"), "main/12/1");
        assert_eq!(change.commit_timestamp_ms, 1_560_011_610_678);
    }

    #[test]
    fn a_new_edge_has_its_ends() {
        let change = only(&["+e e1 LIKES v1 v2", "+ep e1 weight 1"]);
        assert_eq!((change.what, change.kind), (ChangeKind::Added, EntityKind::Edge));
        assert_eq!((change.ends, change.ends_before), (ends("v1", "v2"), None));
        assert_eq!(change.labels.added, ["LIKES"]);
    }

    #[test]
    fn a_removed_edge_has_its_ends_too() {
        let change = only(&["-ep e1 weight 1", "-e e1 LIKES v1 v2"]);
        assert_eq!(change.labels.removed, ["LIKES"]);
        assert_eq!(property(&change, "weight"), (vec!["1".into()], vec![]));
        assert_eq!((change.what, change.ends, change.ends_before), (ChangeKind::Removed, ends("v1", "v2"), None));
    }

    #[test]
    fn an_update_is_before_and_after() {
        let change = only(&["-vp v1 title old", "+vp v1 title new"]);
        assert_eq!(change.what, ChangeKind::Changed);
        assert_eq!(property(&change, "title"), (vec!["old".into()], vec!["new".into()]));
        assert_eq!(change.labels, Labels::default());
    }

    #[test]
    fn a_set_tells_the_values_that_came_and_went() {
        let change = only(&["+vp v1 tag a", "-vp v1 tag b", "+vp v1 tag c", "-vp v1 tag d", "+vp v1 tag d"]);
        assert_eq!(property(&change, "tag"), (vec!["b".into()], vec!["a".into(), "c".into()]));
    }

    #[test]
    fn what_is_undone_in_the_same_commit_is_not_told() {
        assert_eq!(fold_lines(&["+vp v1 title a", "-vp v1 title a"]), []);
        assert_eq!(fold_lines(&["-vp v1 title a", "+vp v1 title b", "-vp v1 title b", "+vp v1 title a"]), []);
        assert_eq!(fold_lines(&["+vl v1 Story", "+vp v1 title a", "-vp v1 title a", "-vl v1 Story"]), []);
        assert_eq!(fold_lines(&["+e e1 LIKES v1 v2", "-e e1 LIKES v1 v2"]), []);
        assert_eq!(fold_lines(&["-e e1 LIKES v1 v2", "+e e1 LIKES v1 v2"]), []);
        assert_eq!(fold_lines(&[]), []);
    }

    #[test]
    fn a_vertex_that_was_removed_and_added_again_changed_in_what_differs() {
        let change =
            only(&["-vp v1 title a", "-vp v1 by x", "-vl v1 Story", "+vl v1 Story", "+vp v1 title b", "+vp v1 by x"]);
        assert_eq!(change.what, ChangeKind::Changed);
        assert_eq!(change.labels, Labels { kept: vec!["Story".into()], ..Labels::default() });
        assert_eq!(property(&change, "title"), (vec!["a".into()], vec!["b".into()]));
        assert_eq!(change.properties.len(), 1);
    }

    #[test]
    fn an_edge_that_was_added_again_elsewhere_tells_both_pairs_of_ends() {
        let change = only(&["-e e1 LIKES v1 v2", "+e e1 LIKES v1 v3"]);
        assert_eq!(
            (change.what, change.ends, change.ends_before),
            (ChangeKind::Changed, ends("v1", "v3"), ends("v1", "v2"))
        );
        assert_eq!(change.labels, Labels { kept: vec!["LIKES".into()], ..Labels::default() });
        let change = only(&["-e e1 LIKES v1 v2", "+e e1 LOVES v1 v2"]);
        assert_eq!((change.what, change.ends, change.ends_before), (ChangeKind::Changed, ends("v1", "v2"), None));
        assert_eq!((change.labels.added[0].as_str(), change.labels.removed[0].as_str()), ("LOVES", "LIKES"));
    }

    #[test]
    fn other_labels_are_a_change() {
        let change = only(&["-vl v1 Draft", "+vl v1 Story"]);
        assert_eq!((change.what, change.labels.kept.len()), (ChangeKind::Changed, 0));
        // Some record shows that it existed before, or exists after.
        assert_eq!(only(&["+vl v1 Pinned", "-vp v1 pin 0", "+vp v1 pin 1"]).what, ChangeKind::Changed);
        assert_eq!(only(&["-vl v1 Pinned", "+vp v1 pin 1"]).what, ChangeKind::Changed);
        // Labels that came and went say nothing about the property's vertex.
        assert_eq!(only(&["+vl v1 Pinned", "+vp v1 pin 1", "-vl v1 Pinned"]).what, ChangeKind::Changed);
    }

    #[test]
    fn changes_come_in_the_order_of_first_records_and_edges_have_their_own_ids() {
        let changes = fold_lines(&["+vp b k 1", "+vl a Story", "+e b LIKES a a", "+vp b k 2", "+vp a k 1"]);
        let found: Vec<_> = changes.iter().map(|c| (c.kind, c.entity_id.as_str(), c.position.op_num)).collect();
        assert_eq!(found, [(EntityKind::Vertex, "b", 1), (EntityKind::Vertex, "a", 2), (EntityKind::Edge, "b", 3)]);
    }

    #[test]
    fn a_removed_vertex_takes_its_edges_along() {
        let changes = fold_lines(&["-ep e1 weight 1", "-e e1 LIKES v1 v2", "-vp v2 title a", "-vl v2 Story"]);
        assert_eq!(
            changes.iter().map(|change| change.what).collect::<Vec<_>>(),
            [ChangeKind::Removed, ChangeKind::Removed]
        );
    }

    proptest! {
        #[test]
        fn the_changes_are_the_difference(
            first in commands(),
            second in commands(),
        ) {
            let mut before = Graph::default();
            before.run(&first);
            let mut after = before.clone();
            let changes = fold(records(2, after.run(&second)));

            prop_assert!(changes.windows(2).all(|pair| pair[0].position < pair[1].position));
            let mut applied = before.clone();
            for change in &changes {
                let (kind, id) = (change.kind, change.entity_id.as_str());
                let what = match (before.has(kind, id), after.has(kind, id)) {
                    (false, _) => ChangeKind::Added,
                    (true, true) => ChangeKind::Changed,
                    (true, false) => ChangeKind::Removed,
                };
                prop_assert_eq!(change.what, what);
                prop_assert!(!change.is_truncated());
                prop_assert!(applied.apply(change), "it says what holds already: {:?}", change);
                prop_assert_eq!(applied.has(kind, id), what != ChangeKind::Removed);
            }
            prop_assert_eq!(&applied, &after);
            prop_assert_eq!(changes.len(), before.differences(&after));
        }

        #[test]
        fn the_parts_of_a_transaction_lose_nothing(
            first in commands(),
            second in commands(),
            sizes in prop::collection::vec(1_usize..9, 1..5),
        ) {
            let mut graph = Graph::default();
            graph.run(&first);
            let mut applied = graph.clone();
            let mut rest = records(2, graph.run(&second));
            let mut ids = Vec::new();
            for size in sizes.into_iter().cycle() {
                let behind = rest.split_off(size.min(rest.len()));
                for change in fold(rest) {
                    applied.apply(&change);
                    // A bus delivers twice.
                    applied.apply(&change);
                    ids.push(change.id("main"));
                }
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(applied, graph);
            let count = ids.len();
            ids.sort();
            ids.dedup();
            prop_assert_eq!(ids.len(), count);
        }
    }
}

//! A transaction that is published in parts: whether a part shows more of a vertex than the whole transaction.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap};

use super::{Change, ChangeKind, EntityKind, Op, Position, Record, RecordKind};
use crate::visibility::VISIBILITY;

/// Most vertices and labels to keep: about 35 MB.
const MAX_KEPT: usize = 1_000_000;

/// Records of later parts of a transaction that decide whether others may see a vertex: its visibility, and removals of
/// labels.
///
/// A vertex whose last such record is behind a part is marked as [partial](Change::is_partial) in that part. Consumers
/// treat it as private until the later part arrives. So no prefix of the parts shows more than the whole transaction.
///
/// Above a million vertices and labels, each change that shows a vertex is partial. Its visibility has to be written
/// again.
#[derive(Debug, Default)]
pub struct LaterRecords {
    hasher: DefaultHashBuilder,
    /// Operation number of a vertex's last record of its visibility, by hash of the id.
    visibility: HashMap<u64, u64>,
    /// Operation number of a label's last record, if that removes it, by hash of vertex and label.
    removed_labels: HashMap<u64, u64>,
    is_incomplete: bool,
}

impl LaterRecords {
    /// Whether a record with this kind and key matters. Others need not be passed to [`add`](Self::add).
    pub fn matters(kind: RecordKind, key: &str) -> bool {
        match kind {
            RecordKind::VertexLabel => true,
            RecordKind::VertexProperty => key == VISIBILITY,
            RecordKind::Edge | RecordKind::EdgeProperty => false,
        }
    }

    /// Adds the next record of the transaction.
    pub fn add(&mut self, record: &Record) {
        let Record { position, op, kind, id, key, value, .. } = record;
        if !Self::matters(*kind, key) {
            return;
        }
        match (kind, op) {
            (RecordKind::VertexProperty, _) => {
                self.visibility.insert(self.hasher.hash_one(id), position.op_num);
            }
            (_, Op::Remove) => {
                let hash = self.hasher.hash_one((id, value.as_str()));
                self.removed_labels.insert(hash, position.op_num);
            }
            (_, Op::Add) => {
                self.removed_labels.remove(&self.hasher.hash_one((id, value.as_str())));
            }
        }
        if self.visibility.len() + self.removed_labels.len() > MAX_KEPT {
            (self.visibility, self.removed_labels) = (HashMap::default(), HashMap::default());
            self.is_incomplete = true;
        }
    }

    /// Marks the changes of a part that ends at `end` and is followed by these records.
    pub fn mark_partial(&self, changes: &mut [Change], end: Position) {
        for change in changes.iter_mut().filter(|change| change.kind == EntityKind::Vertex) {
            change.is_partial = if self.is_incomplete {
                change.change_kind == ChangeKind::Added || change.properties.contains_key(VISIBILITY)
            } else {
                self.is_partial(change, end)
            };
        }
    }

    fn is_partial(&self, change: &Change, end: Position) -> bool {
        let id = &change.entity_id;
        let is_later = |op_num: Option<&u64>| op_num.is_some_and(|op_num| *op_num > end.op_num);
        let is_removed =
            |label: &String| is_later(self.removed_labels.get(&self.hasher.hash_one((id, Some(label.as_str())))));
        let mut labels = change.labels.added.iter().chain(&change.labels.kept).peekable();
        is_later(self.visibility.get(&self.hasher.hash_one(id))) || (labels.peek().is_some() && labels.all(is_removed))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        graph::{
            ReceivedChange, Value, fold,
            model::{Command, Graph, records},
        },
        media::Visibility,
        push::{self, Registers, Row, Vertex},
        search,
    };

    const IDS: [&str; 2] = ["s1", "s2"];

    fn commands() -> impl Strategy<Value = Vec<Command>> {
        let id = || prop::sample::select(&IDS[..]).prop_map(str::to_owned);
        let label = || prop::sample::select(&["story", "pinned"][..]).prop_map(str::to_owned);
        let value = prop::sample::select(&["public", "followers", "private", "friends"][..]);
        let (vertex, visibility) = (EntityKind::Vertex, || VISIBILITY.to_owned());
        let command = prop_oneof![
            4 => (id(), prop::collection::btree_set(label(), 1..3))
                .prop_map(|(id, labels)| Command::AddVertex { id, labels }),
            4 => (id(), value).prop_map(move |(id, value)| {
                Command::Set { kind: vertex, id, key: visibility(), value: Value::String(value.to_owned()) }
            }),
            2 => (id(), "[a-c]").prop_map(move |(id, title)| {
                Command::Set { kind: vertex, id, key: "title".to_owned(), value: Value::String(title) }
            }),
            1 => id().prop_map(move |id| Command::Unset { kind: vertex, id, key: visibility() }),
            1 => (id(), label()).prop_map(|(id, label)| Command::Relabel { id, label }),
            2 => id().prop_map(move |id| Command::Remove { kind: vertex, id }),
        ];
        prop::collection::vec(command, 0..8)
    }

    /// What both consumers keep of the changes.
    #[derive(Clone, Default)]
    struct Consumers {
        audience: BTreeMap<Row, Registers>,
        search: BTreeMap<String, search::Entry>,
    }

    impl Consumers {
        fn apply(&mut self, changes: Vec<Change>) {
            for change in changes {
                let received = ReceivedChange { id: change.id("main"), cluster: "main".to_owned(), change };
                for push::Fact { row, name, register } in push::facts(&received) {
                    self.audience.entry(row).or_default().insert(name, register);
                }
                for fact in search::facts("main", &received.change) {
                    let entry = self.search.entry(fact.vertex.clone()).or_default();
                    *entry = entry.apply_all([fact]).unwrap_or_else(|| entry.clone());
                }
            }
        }

        /// How many may see a story by its visibility, for push and for search.
        fn audiences(&self, id: &str) -> (u8, u8) {
            let rank = |visibility| match visibility {
                Visibility::Private => 0,
                Visibility::Followers => 1,
                Visibility::Public => 2,
            };
            let vertex = self.audience.get(&Row::Vertex(id.to_owned())).map(Vertex::from).unwrap_or_default();
            let register = self.search.get(id).and_then(|entry| entry.all_registers().get(VISIBILITY));
            let of_search = register
                .map_or(Visibility::Public, |register| crate::visibility::of_register(register.value.as_deref()));
            (vertex.visibility.map_or(0, |fact| rank(fact.visibility)), rank(of_search))
        }
    }

    fn later(records: &[Record]) -> LaterRecords {
        let mut later = LaterRecords::default();
        records.iter().for_each(|record| later.add(record));
        later
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        /// Every cut into two parts, and one cut into parts of one record each.
        #[test]
        fn no_prefix_of_parts_is_more_visible_than_the_whole(before in commands(), transaction in commands()) {
            let mut graph = Graph::default();
            let mut consumers = Consumers::default();
            consumers.apply(fold(records(1, graph.run(&before))));
            let all = records(2, graph.run(&transaction));
            let mut whole = consumers.clone();
            whole.apply(fold(all.clone()));

            let single: Vec<usize> = (1..all.len()).collect();
            let cuts = (1..all.len()).map(|cut| vec![cut]).chain([single]);
            for cuts in cuts {
                let mut state = consumers.clone();
                // One look ahead, from the first cut, serves all parts.
                let later = later(&all[cuts.first().copied().unwrap_or(0)..]);
                let mut start = 0;
                for end in cuts.iter().copied().chain([all.len()]) {
                    let mut changes = fold(all[start..end].iter().cloned());
                    if end < all.len() {
                        later.mark_partial(&mut changes, all[end - 1].position);
                    }
                    let touched: Vec<_> = changes.iter().map(|change| change.entity_id.clone()).collect();
                    state.apply(changes);
                    for id in touched {
                        let (found, mut allowed) = (state.audiences(&id), whole.audiences(&id));
                        // A vertex that the transaction removes at last may be shown as before until then.
                        if !graph.has(EntityKind::Vertex, &id) {
                            let before = consumers.audiences(&id);
                            allowed = (allowed.0.max(before.0), allowed.1.max(before.1));
                        }
                        prop_assert!(
                            found.0 <= allowed.0 && found.1 <= allowed.1,
                            "{} at {}: {:?}, whole {:?}: {:?}", id, end, found, allowed, all
                        );
                    }
                    start = end;
                }
            }
        }

        /// A vertex whose visibility is written once, by the end of the transaction, ends as in the whole.
        #[test]
        fn all_parts_together_show_a_new_story_as_the_whole(
            visibility in prop::option::of(prop::sample::select(&["public", "followers", "private"][..])),
            titles in 0_usize..3,
            cut in any::<prop::sample::Index>(),
        ) {
            let set = |key: &str, value: &str| Command::Set {
                kind: EntityKind::Vertex, id: "s1".to_owned(), key: key.to_owned(), value: Value::String(value.to_owned()),
            };
            let mut commands = vec![Command::AddVertex { id: "s1".to_owned(), labels: ["story".to_owned()].into() }];
            commands.extend((0..titles).map(|title| set("title", &title.to_string())));
            commands.extend(visibility.map(|visibility| set(VISIBILITY, visibility)));
            let all = records(2, Graph::default().run(&commands));
            let cut = cut.index(all.len());
            let (mut parts, mut whole) = (Consumers::default(), Consumers::default());
            whole.apply(fold(all.clone()));
            let mut first = fold(all[..cut].iter().cloned());
            later(&all[cut..]).mark_partial(&mut first, Position::new(2, cut as u64));
            parts.apply(first);
            parts.apply(fold(all[cut..].iter().cloned()));
            prop_assert_eq!(parts.audiences("s1"), whole.audiences("s1"));
        }
    }

    #[test]
    fn above_the_bound_each_change_that_shows_a_vertex_is_partial() {
        let mut graph = Graph::default();
        let set = |id: &str, key: &str| Command::Set {
            kind: EntityKind::Vertex,
            id: id.to_owned(),
            key: key.to_owned(),
            value: Value::String("public".to_owned()),
        };
        let add = |id: &str| Command::AddVertex { id: id.to_owned(), labels: ["story".to_owned()].into() };
        graph.run(&[add("s2"), add("s3")]);
        let mut changes = fold(records(2, graph.run(&[add("s1"), set("s2", VISIBILITY), set("s3", "title")])));
        let incomplete = LaterRecords { is_incomplete: true, ..LaterRecords::default() };
        incomplete.mark_partial(&mut changes, Position::new(2, 9));
        assert_eq!(changes.iter().map(|change| change.is_partial).collect::<Vec<_>>(), [true, true, false]);
    }
}

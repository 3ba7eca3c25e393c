//! Tests of the projections: facts written in any order, read back.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample::Index};

use super::{
    Fact, PersonPair, Registers, Relation, Row, Vertex, facts, followed_before, of_generation,
    testing::{edge, received, vertex},
    vertex_with_visibility,
};
use crate::{
    graph::{Change, ChangeKind, EdgeEndpoints, GenerationPosition, Labels, Position, ReceivedChange, Value},
    media::Visibility,
};

/// The rows of the table `audience`.
type Table = BTreeMap<Row, Registers>;

/// A conditional write to the table, which compares registers as texts.
fn apply(table: &mut Table, fact: &Fact) {
    let row = table.entry(fact.row.clone()).or_default();
    match row.get(&fact.name) {
        Some(known) if known.to_string() > fact.register.to_string() => {}
        _ => {
            row.insert(fact.name.clone(), fact.register.clone());
        }
    }
}

fn table(changes: &[Change]) -> Table {
    table_of(changes.iter().cloned().map(received))
}

fn table_of(changes: impl IntoIterator<Item = ReceivedChange>) -> Table {
    let mut table = Table::new();
    changes.into_iter().flat_map(|change| facts(&change)).for_each(|fact| apply(&mut table, &fact));
    table
}

/// The latest generation of any register in the table.
fn generation(table: &Table) -> u32 {
    let registers = table.values().flat_map(Registers::values);
    registers.map(|register| register.position.generation).max().unwrap_or(0)
}

fn read(table: &Table, row: &Row) -> Registers {
    of_generation(table.get(row).cloned().unwrap_or_default(), generation(table))
}

#[test]
fn story_has_its_owner_and_title() {
    let table =
        table(&[edge(ChangeKind::Added, 2, "e1", "told", "mina", "s1"), vertex(1, "s1", "title", Some("첫눈"))]);
    let story = Vertex::from(&read(&table, &Row::Vertex("s1".into())));
    assert_eq!(story.title.as_deref(), Some("첫눈"));
    assert_eq!(story.owners.iter().map(|owner| owner.person.as_str()).collect::<Vec<_>>(), ["mina"]);
}

#[test]
fn properties_have_positions_of_their_own() {
    let table = table(&[vertex(5, "p", "name", Some("Mina")), vertex(4, "p", "title", Some("t"))]);
    let person = Vertex::from(&read(&table, &Row::Vertex("p".into())));
    assert_eq!((person.name.as_deref(), person.title.as_deref()), (Some("Mina"), Some("t")));
}

#[test]
fn moved_edge_is_removed_from_its_old_ends() {
    let mut moved = edge(ChangeKind::Changed, 2, "e1", "follows", "jun", "sora");
    moved.ends_before = Some(EdgeEndpoints { from: "jun".into(), to: "mina".into() });
    let table = table(&[moved, edge(ChangeKind::Added, 1, "e1", "follows", "jun", "mina")]);
    let follows = |of: &str| {
        let row = Row::Follower { of: of.into(), follower: "jun".into() };
        followed_before(&read(&table, &row), Position::new(9, 1).into())
    };
    assert!(follows("sora") && !follows("mina"));
}

#[test]
fn relabelled_edge_has_its_new_label_only() {
    let mut relabelled = edge(ChangeKind::Changed, 2, "e1", "mutes", "jun", "mina");
    relabelled.labels = Labels { added: vec!["blocks".into()], removed: vec!["mutes".into()], kept: vec![] };
    let table = table(&[edge(ChangeKind::Added, 1, "e1", "mutes", "jun", "mina"), relabelled]);
    let between = read(&table, &Row::PersonPair(PersonPair::of("mina", "jun")));
    assert_eq!(Relation::of("jun", &between), Relation { blocked: true, muted: false });
    assert_eq!(Relation::of("mina", &between), Relation { blocked: true, muted: false });
}

#[test]
fn edge_removed_and_added_again_gives_no_facts() {
    assert_eq!(facts(&received(edge(ChangeKind::Changed, 3, "e1", "follows", "jun", "mina"))), []);
}

#[test]
fn mute_applies_to_the_muting_person_only() {
    let table = table(&[edge(ChangeKind::Added, 1, "e1", "mutes", "jun", "mina")]);
    let between = read(&table, &Row::PersonPair(PersonPair::of("mina", "jun")));
    assert!(Relation::of("jun", &between).muted && !Relation::of("mina", &between).muted);
}

#[test]
fn visibility_becomes_known_by_addition_or_property() {
    let (mut added, set) = (vertex(1, "s", "title", Some("t")), vertex(1, "s", "visibility", Some("friends")));
    assert_eq!((vertex_with_visibility(&added), vertex_with_visibility(&set)), (None, Some("s")));
    assert_eq!(vertex_with_visibility(&edge(ChangeKind::Added, 2, "e1", "told", "mina", "s")), None);
    added.change_kind = ChangeKind::Added;
    assert_eq!(vertex_with_visibility(&added), Some("s"));
    added.change_kind = ChangeKind::Removed;
    assert_eq!(vertex_with_visibility(&added), None);
}

#[test]
fn vertex_with_omitted_properties_is_private() {
    let mut added = vertex(1, "s", "title", Some("t"));
    (added.change_kind, added.properties_omitted) = (ChangeKind::Added, 3);
    let story = Vertex::from(&read(&table(&[added]), &Row::Vertex("s".into())));
    assert_eq!(story.visibility.map(|fact| fact.visibility), Some(Visibility::Private));
}

#[test]
fn blank_or_non_text_name_is_a_tombstone() {
    let mut change = vertex(1, "p", "name", Some("  "));
    assert_eq!(facts(&received(change.clone()))[0].register.value, None);
    change.properties.values_mut().for_each(|property| property.after = vec![Value::Int(7)]);
    assert_eq!(facts(&received(change.clone()))[0].register.value, None);
}

const LABELS: [&str; 8] = ["follows", "told", "wrote", "likes", "replies_to", "mentions", "blocks", "mutes"];

#[derive(Debug, Clone)]
enum Command {
    Toggle { edge: usize, from: usize, to: usize },
    Move { edge: usize, to: usize },
    Name { vertex: usize, name: Option<String> },
    SetVisibility { vertex: usize, value: Option<&'static str> },
    AddOrRemove { vertex: usize },
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let small = || 0_usize..4;
    let command = prop_oneof![
        4 => (0_usize..16, small(), small()).prop_map(|(edge, from, to)| Command::Toggle { edge, from, to }),
        1 => (0_usize..16, small()).prop_map(|(edge, to)| Command::Move { edge, to }),
        1 => (small(), prop::option::of("[a-c]")).prop_map(|(vertex, name)| Command::Name { vertex, name }),
        1 => (small(), prop::option::of(prop::sample::select(&["public", "followers", "private", "friends"][..])))
            .prop_map(|(vertex, value)| Command::SetVisibility { vertex, value }),
        1 => small().prop_map(|vertex| Command::AddOrRemove { vertex }),
    ];
    prop::collection::vec(command, 0..40)
}

/// Edges (label and ends by id), names, visibilities that were set, and added vertices of a graph.
#[derive(Debug, Default)]
struct Graph {
    edges: BTreeMap<String, (String, EdgeEndpoints)>,
    names: BTreeMap<String, String>,
    visibilities: BTreeMap<String, Visibility>,
    added: BTreeSet<String>,
}

impl Graph {
    fn run(&mut self, commands: &[Command]) -> Vec<Change> {
        commands.iter().zip(1..).map(|(command, commit_num)| self.run_one(command, commit_num)).collect()
    }

    fn run_one(&mut self, command: &Command, commit_num: u64) -> Change {
        let id = |number: usize| format!("v{number}");
        match command.clone() {
            Command::Name { vertex: number, name } => {
                match name.clone() {
                    Some(name) => self.names.insert(id(number), name),
                    None => self.names.remove(&id(number)),
                };
                vertex(commit_num, &id(number), "name", name.as_deref())
            }
            Command::SetVisibility { vertex: number, value } => {
                let known = Visibility::ALL.into_iter().find(|visibility| Some(visibility.as_str()) == value);
                self.visibilities.insert(id(number), known.unwrap_or(Visibility::Private));
                vertex(commit_num, &id(number), "visibility", value)
            }
            Command::AddOrRemove { vertex: number } => {
                let mut change = vertex(commit_num, &id(number), "name", None);
                self.names.remove(&id(number));
                if self.added.insert(id(number)) {
                    change.change_kind = ChangeKind::Added;
                    return change;
                }
                self.added.remove(&id(number));
                change.change_kind = ChangeKind::Removed;
                // The removal includes the property, if it was set.
                if let Some(visibility) = self.visibilities.get_mut(&id(number)) {
                    *visibility = Visibility::Private;
                    let removed = vertex(commit_num, &id(number), "visibility", None);
                    change.properties.extend(removed.properties);
                }
                change
            }
            Command::Move { edge: number, to } => match self.edges.get_mut(&format!("e{number}")) {
                Some((label, ends)) => {
                    let before = ends.clone();
                    ends.to = id(to);
                    let mut change =
                        edge(ChangeKind::Changed, commit_num, &format!("e{number}"), label, &ends.from, &ends.to);
                    change.ends_before = (before != *ends).then_some(before);
                    change
                }
                None => self.run_one(&Command::Toggle { edge: number, from: 0, to }, commit_num),
            },
            Command::Toggle { edge: number, from, to } => {
                let edge_id = format!("e{number}");
                if let Some((label, ends)) = self.edges.remove(&edge_id) {
                    return edge(ChangeKind::Removed, commit_num, &edge_id, &label, &ends.from, &ends.to);
                }
                let (label, ends) = (LABELS[number % LABELS.len()], EdgeEndpoints { from: id(from), to: id(to) });
                self.edges.insert(edge_id.clone(), (label.to_owned(), ends.clone()));
                edge(ChangeKind::Added, commit_num, &edge_id, label, &ends.from, &ends.to)
            }
        }
    }

    fn has(&self, label: &str, from: &str, to: &str) -> bool {
        self.edges.values().any(|(known, ends)| known == label && ends.from == from && ends.to == to)
    }
}

proptest! {
    #[test]
    fn any_order_and_repetition_give_the_state_of_the_graph(
        commands in commands(),
        after_reset in prop::option::of(commands()),
        deliveries in prop::collection::vec(any::<Index>(), 0..80),
        order in any::<u64>(),
    ) {
        // A fast reset deletes the graph, and starts the commit numbers again.
        let runs: Vec<_> = [Some(commands), after_reset].into_iter().flatten().map(|commands| {
            let mut graph = Graph::default();
            let changes = graph.run(&commands);
            (graph, changes)
        }).collect();
        let history: Vec<_> = runs.iter().zip(["main", "main.1"]).flat_map(|((_, changes), cluster)| {
            changes.iter().map(move |change| ReceivedChange {
                id: change.id(cluster), cluster: cluster.to_owned(), change: change.clone()
            })
        }).collect();
        // Every change once, in any order, then duplicates.
        let mut delivered: Vec<_> = (0..history.len()).collect();
        delivered.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(order | 1).rotate_left(17));
        if !history.is_empty() {
            delivered.extend(deliveries.iter().map(|index| index.index(history.len())));
        }
        let delivered: Vec<_> = delivered.into_iter().map(|at| history[at].clone()).collect();
        let table = table_of(delivered);
        // The reset becomes known by the first fact after it.
        let graph = &runs[generation(&table) as usize].0;

        let ids: Vec<_> = (0..4).map(|number| format!("v{number}")).collect();
        let latest = GenerationPosition { generation: u32::MAX, position: Position::new(0, 0) };
        for a in &ids {
            let vertex = Vertex::from(&read(&table, &Row::Vertex(a.clone())));
            prop_assert_eq!(vertex.name.as_ref(), graph.names.get(a));
            let public = graph.added.contains(a).then_some(Visibility::Public);
            prop_assert_eq!(vertex.visibility.map(|fact| fact.visibility), graph.visibilities.get(a).copied().or(public));
            for b in &ids {
                let follower = Row::Follower { of: a.clone(), follower: b.clone() };
                prop_assert_eq!(followed_before(&read(&table, &follower), latest), graph.has("follows", b, a));
                let owns = vertex.owners.iter().any(|owner| owner.person == *b);
                prop_assert_eq!(owns, graph.has("told", b, a) || graph.has("wrote", b, a));
                let relation = Relation::of(a, &read(&table, &Row::PersonPair(PersonPair::of(b, a))));
                prop_assert_eq!(relation.blocked, graph.has("blocks", a, b) || graph.has("blocks", b, a));
                prop_assert_eq!(relation.muted, graph.has("mutes", a, b));
            }
        }
    }
}

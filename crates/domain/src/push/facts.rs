//! What the projections keep of a change.

use std::collections::BTreeMap;

use super::{Register, rules, truncate::truncate};
use crate::{
    graph::{Change, ChangeKind, EdgeEndpoints, EntityKind},
    visibility::{self, VISIBILITY},
};

/// The register that says that a vertex's addition was seen: of what it did not say then, and nobody
/// has said since, it is known that it was never said.
pub(super) const ADDED: &str = "added";

/// Names and titles are kept up to this many bytes: more than any phone shows.
const MAX_NAME_BYTES: usize = 400;

/// A row of the projections. Its content are registers by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// What is known of a vertex: registers `name`, `title`, `visibility` and `added`, and for each edge
    /// by which somebody told or wrote it `owner#<edge id>`, with the label, a space and the person.
    Vertex(String),
    /// That one person follows another: a register `edge#<edge id>` for each edge.
    Follower {
        /// The followed.
        of: String,
        /// Who follows.
        follower: String,
    },
    /// What stands between two persons: registers `blocks#<edge id>` and `mutes#<edge id>`, with
    /// the person from whom the edge comes.
    Between(Pair),
    /// Whether an edge that somebody is told of still stands: the register `edge`, with its label.
    Edge(String),
}

/// Two persons, whichever is named first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair(String, String);

impl Pair {
    /// The pair of two persons; the same if they are swapped.
    pub fn of(one: &str, other: &str) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Self(first.to_owned(), second.to_owned())
    }

    /// Both, in the order of their ids.
    pub fn persons(&self) -> (&str, &str) {
        (&self.0, &self.1)
    }
}

/// One register of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Where it stands.
    pub row: Row,
    /// Its name in the row.
    pub name: String,
    /// What it says, and since when.
    pub register: Register,
}

/// The facts that a change tells, each with the change's position. No two are of one register.
///
/// A change without news for the projections gives none; so does an edge's property, and an edge
/// that was removed and added again as it was.
pub fn facts(change: &Change) -> Vec<Fact> {
    match change.kind {
        EntityKind::Vertex => of_vertex(change),
        EntityKind::Edge => of_edge(change),
    }
}

fn of_vertex(change: &Change) -> Vec<Fact> {
    let known = ["name", "title"].into_iter().filter_map(|name| Some((name, change.properties.get(name)?)));
    let texts = known.map(|(name, property)| {
        // What is no text, or was too long for the bus, is as good as no name.
        let text = property.after.first().and_then(|value| value.as_str());
        (name, text.map(|text| truncate(text, MAX_NAME_BYTES)).filter(|text| !text.trim().is_empty()))
    });
    let visibility =
        visibility::said(change).map(|said| (VISIBILITY, said.map(|visibility| visibility.as_str().to_owned())));
    let added = match change.what {
        ChangeKind::Added => Some((ADDED, Some(String::new()))),
        ChangeKind::Changed => None,
        ChangeKind::Removed => Some((ADDED, None)),
    };
    let facts = texts.chain(visibility).chain(added).map(|(name, value)| {
        let register = Register { position: change.position, value };
        Fact { row: Row::Vertex(change.entity_id.clone()), name: name.to_owned(), register }
    });
    facts.collect()
}

/// The vertex of which a change says who may see it, if it does: now, or by being new and not saying so.
pub fn shows(change: &Change) -> Option<&str> {
    let says = change.what == ChangeKind::Added || visibility::said(change).is_some();
    (change.kind == EntityKind::Vertex && change.what != ChangeKind::Removed && says)
        .then_some(change.entity_id.as_str())
}

fn of_edge(change: &Change) -> Vec<Fact> {
    let mut facts = BTreeMap::new();
    let (labels, now) = (&change.labels, change.ends.as_ref());
    let before = change.ends_before.as_ref().or(now);
    // Where an edge went elsewhere under its label, it is gone from where it was.
    let moved = || labels.kept.iter().filter(|_| change.ends_before.is_some());
    let gone = labels.removed.iter().chain(moved());
    let come = labels.added.iter().chain(moved());
    // What has come last overrides what is gone: both can concern one register.
    for (label, ends, holds) in gone
        .map(|label| (label, before, false))
        .chain(come.map(|label| (label, now, change.what != ChangeKind::Removed)))
    {
        let Some(ends) = ends else { continue };
        for (row, name, value) in registers(&change.entity_id, label, ends) {
            let register = Register { position: change.position, value: holds.then_some(value) };
            facts.insert((row, name), register);
        }
    }
    facts.into_iter().map(|((row, name), register)| Fact { row, name, register }).collect()
}

/// Where an edge with this label is kept, and what is said there.
fn registers(id: &str, label: &str, ends: &EdgeEndpoints) -> Vec<(Row, String, String)> {
    let EdgeEndpoints { from, to } = ends;
    let mut registers = Vec::new();
    match label {
        "follows" => {
            let row = Row::Follower { of: to.clone(), follower: from.clone() };
            registers.push((row, format!("edge#{id}"), String::new()));
        }
        "told" | "wrote" => registers.push((Row::Vertex(to.clone()), format!("owner#{id}"), format!("{label} {from}"))),
        "blocks" | "mutes" => {
            registers.push((Row::Between(Pair::of(from, to)), format!("{label}#{id}"), from.clone()));
        }
        _ => {}
    }
    if rules::about(label).next().is_some() {
        registers.push((Row::Edge(id.to_owned()), "edge".to_owned(), label.to_owned()));
    }
    registers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{prelude::*, sample::Index};

    use super::*;
    use crate::{
        graph::{Labels, Position, Value},
        media::Visibility,
        push::{
            Registers, Relation, Vertex, followed_before,
            testing::{edge, vertex},
        },
    };

    /// The projections as a table keeps them.
    type Table = BTreeMap<Row, Registers>;

    /// What the table's condition does.
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
        let mut table = Table::new();
        changes.iter().flat_map(facts).for_each(|fact| apply(&mut table, &fact));
        table
    }

    fn seen(table: &Table, row: &Row) -> Registers {
        table.get(row).cloned().unwrap_or_default()
    }

    #[test]
    fn who_told_a_story_and_what_it_is_called() {
        let table =
            table(&[edge(ChangeKind::Added, 2, "e1", "told", "mina", "s1"), vertex(1, "s1", "title", Some("첫눈"))]);
        let story = Vertex::from(&seen(&table, &Row::Vertex("s1".into())));
        assert_eq!(story.title.as_deref(), Some("첫눈"));
        assert_eq!(story.owners.iter().map(|owner| owner.person.as_str()).collect::<Vec<_>>(), ["mina"]);
    }

    #[test]
    fn each_property_has_a_position_of_its_own() {
        let table = table(&[vertex(5, "p", "name", Some("Mina")), vertex(4, "p", "title", Some("t"))]);
        let person = Vertex::from(&seen(&table, &Row::Vertex("p".into())));
        assert_eq!((person.name.as_deref(), person.title.as_deref()), (Some("Mina"), Some("t")));
    }

    #[test]
    fn an_edge_that_goes_elsewhere_leaves_where_it_was() {
        let mut moved = edge(ChangeKind::Changed, 2, "e1", "follows", "jun", "sora");
        moved.ends_before = Some(EdgeEndpoints { from: "jun".into(), to: "mina".into() });
        let table = table(&[moved, edge(ChangeKind::Added, 1, "e1", "follows", "jun", "mina")]);
        let follows = |of: &str| {
            let row = Row::Follower { of: of.into(), follower: "jun".into() };
            followed_before(&seen(&table, &row), Position::new(9, 1))
        };
        assert!(follows("sora") && !follows("mina"));
    }

    #[test]
    fn an_edge_that_gets_another_label_is_what_that_says() {
        let mut relabelled = edge(ChangeKind::Changed, 2, "e1", "mutes", "jun", "mina");
        relabelled.labels = Labels { added: vec!["blocks".into()], removed: vec!["mutes".into()], kept: vec![] };
        let table = table(&[edge(ChangeKind::Added, 1, "e1", "mutes", "jun", "mina"), relabelled]);
        let between = seen(&table, &Row::Between(Pair::of("mina", "jun")));
        assert_eq!(Relation::of("jun", &between), Relation { blocked: true, muted: false });
        assert_eq!(Relation::of("mina", &between), Relation { blocked: true, muted: false });
    }

    #[test]
    fn an_edge_that_came_back_in_the_same_commit_is_no_news() {
        assert_eq!(facts(&edge(ChangeKind::Changed, 3, "e1", "follows", "jun", "mina")), []);
    }

    #[test]
    fn only_who_muted_is_spared() {
        let table = table(&[edge(ChangeKind::Added, 1, "e1", "mutes", "jun", "mina")]);
        let between = seen(&table, &Row::Between(Pair::of("mina", "jun")));
        assert!(Relation::of("jun", &between).muted && !Relation::of("mina", &between).muted);
    }

    #[test]
    fn what_says_who_may_see_a_vertex_shows_it() {
        let (mut added, said) = (vertex(1, "s", "title", Some("t")), vertex(1, "s", "visibility", Some("friends")));
        assert_eq!((shows(&added), shows(&said)), (None, Some("s")));
        assert_eq!(shows(&edge(ChangeKind::Added, 2, "e1", "told", "mina", "s")), None);
        added.what = ChangeKind::Added;
        assert_eq!(shows(&added), Some("s"));
        added.what = ChangeKind::Removed;
        assert_eq!(shows(&added), None);
    }

    #[test]
    fn what_may_have_been_left_out_is_not_public() {
        let mut added = vertex(1, "s", "title", Some("t"));
        (added.what, added.properties_omitted) = (ChangeKind::Added, 3);
        let story = Vertex::from(&seen(&table(&[added]), &Row::Vertex("s".into())));
        assert_eq!(story.seen.map(|seen| seen.by), Some(Visibility::Private));
    }

    #[test]
    fn a_name_that_is_no_text_is_none() {
        let mut change = vertex(1, "p", "name", Some("  "));
        assert_eq!(facts(&change)[0].register.value, None);
        change.properties.values_mut().for_each(|property| property.after = vec![Value::Int(7)]);
        assert_eq!(facts(&change)[0].register.value, None);
    }

    const LABELS: [&str; 8] = ["follows", "told", "wrote", "likes", "replies_to", "mentions", "blocks", "mutes"];

    #[derive(Debug, Clone)]
    enum Command {
        Toggle { edge: usize, from: usize, to: usize },
        Move { edge: usize, to: usize },
        Name { vertex: usize, name: Option<String> },
        Show { vertex: usize, said: Option<&'static str> },
        Come { vertex: usize },
    }

    fn commands() -> impl Strategy<Value = Vec<Command>> {
        let small = || 0_usize..4;
        let command = prop_oneof![
            4 => (0_usize..16, small(), small()).prop_map(|(edge, from, to)| Command::Toggle { edge, from, to }),
            1 => (0_usize..16, small()).prop_map(|(edge, to)| Command::Move { edge, to }),
            1 => (small(), prop::option::of("[a-c]")).prop_map(|(vertex, name)| Command::Name { vertex, name }),
            1 => (small(), prop::option::of(prop::sample::select(&["public", "followers", "private", "friends"][..])))
                .prop_map(|(vertex, said)| Command::Show { vertex, said }),
            1 => small().prop_map(|vertex| Command::Come { vertex }),
        ];
        prop::collection::vec(command, 0..40)
    }

    /// A graph's edges (label and ends by id), names, what was ever said of visibility, and the vertices
    /// that came and did not go.
    #[derive(Debug, Default)]
    struct Graph {
        edges: BTreeMap<String, (String, EdgeEndpoints)>,
        names: BTreeMap<String, String>,
        said: BTreeMap<String, Visibility>,
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
                Command::Show { vertex: number, said } => {
                    let known = Visibility::ALL.into_iter().find(|visibility| Some(visibility.as_str()) == said);
                    self.said.insert(id(number), known.unwrap_or(Visibility::Private));
                    vertex(commit_num, &id(number), "visibility", said)
                }
                Command::Come { vertex: number } => {
                    let mut change = vertex(commit_num, &id(number), "name", None);
                    self.names.remove(&id(number));
                    if self.added.insert(id(number)) {
                        change.what = ChangeKind::Added;
                        return change;
                    }
                    self.added.remove(&id(number));
                    change.what = ChangeKind::Removed;
                    // With what was said of it.
                    if let Some(said) = self.said.get_mut(&id(number)) {
                        *said = Visibility::Private;
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
        fn any_order_and_any_duplication_give_the_graph(
            commands in commands(),
            deliveries in prop::collection::vec(any::<Index>(), 0..80),
            order in any::<u64>(),
        ) {
            let mut graph = Graph::default();
            let history = graph.run(&commands);
            // Everything once, in some order, and then anything again.
            let mut delivered: Vec<_> = (0..history.len()).collect();
            delivered.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(order | 1).rotate_left(17));
            if !history.is_empty() {
                delivered.extend(deliveries.iter().map(|index| index.index(history.len())));
            }
            let delivered: Vec<_> = delivered.into_iter().map(|at| history[at].clone()).collect();
            let table = table(&delivered);

            let ids: Vec<_> = (0..4).map(|number| format!("v{number}")).collect();
            let forever = Position::new(u64::MAX, 0);
            for a in &ids {
                let vertex = Vertex::from(&seen(&table, &Row::Vertex(a.clone())));
                prop_assert_eq!(vertex.name.as_ref(), graph.names.get(a));
                let public = graph.added.contains(a).then_some(Visibility::Public);
                prop_assert_eq!(vertex.seen.map(|seen| seen.by), graph.said.get(a).copied().or(public));
                for b in &ids {
                    let follower = Row::Follower { of: a.clone(), follower: b.clone() };
                    prop_assert_eq!(followed_before(&seen(&table, &follower), forever), graph.has("follows", b, a));
                    let owns = vertex.owners.iter().any(|owner| owner.person == *b);
                    prop_assert_eq!(owns, graph.has("told", b, a) || graph.has("wrote", b, a));
                    let relation = Relation::of(a, &seen(&table, &Row::Between(Pair::of(b, a))));
                    prop_assert_eq!(relation.blocked, graph.has("blocks", a, b) || graph.has("blocks", b, a));
                    prop_assert_eq!(relation.muted, graph.has("mutes", a, b));
                }
            }
        }
    }
}

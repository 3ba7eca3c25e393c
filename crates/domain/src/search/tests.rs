//! Tests of the projection: changes in any order, through the table into the index.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::Index};

use super::{
    Content, Document, Entry, Fact, facts,
    testing::{edge, labelled, vertex},
};
use crate::graph::{Change, ChangeKind, Position};

/// A command to a small graph with stories `s0` to `s2`, persons `p0` to `p2` and tags `t0` to `t2`.
#[derive(Debug, Clone)]
enum Command {
    Title(usize, Option<String>),
    Visibility(usize, Option<String>),
    Name(usize, Option<String>),
    AddTold { story: usize, person: usize },
    RemoveTold { story: usize, person: usize },
    Label { person: usize, is_added: bool },
    Tag { story: usize, tag: usize, is_tagged: bool },
}

fn command() -> impl Strategy<Value = Command> {
    let small = || 0_usize..3;
    let text = || prop::option::of("[가-다]{1,2}");
    let visibility = prop::option::of(prop::sample::select(vec!["public", "followers", "private", "x"]));
    prop_oneof![
        (small(), text()).prop_map(|(story, title)| Command::Title(story, title)),
        (small(), visibility).prop_map(|(story, text)| Command::Visibility(story, text.map(str::to_owned))),
        (small(), text()).prop_map(|(person, name)| Command::Name(person, name)),
        (small(), small()).prop_map(|(story, person)| Command::AddTold { story, person }),
        (small(), small()).prop_map(|(story, person)| Command::RemoveTold { story, person }),
        (small(), any::<bool>()).prop_map(|(person, is_added)| Command::Label { person, is_added }),
        (small(), small(), any::<bool>()).prop_map(|(story, tag, is_tagged)| Command::Tag { story, tag, is_tagged }),
    ]
}

/// The change that a command makes.
fn change(command: &Command, commit_num: u64) -> Change {
    let told = |change_kind, story: &usize, person: &usize| {
        edge(change_kind, commit_num, &format!("e{story}{person}"), "told", &format!("p{person}"), &format!("s{story}"))
    };
    match command {
        Command::Title(story, title) => vertex(commit_num, &format!("s{story}"), "title", title.as_deref()),
        Command::Visibility(story, text) => vertex(commit_num, &format!("s{story}"), "visibility", text.as_deref()),
        Command::Name(person, name) => vertex(commit_num, &format!("p{person}"), "name", name.as_deref()),
        Command::AddTold { story, person } => told(ChangeKind::Added, story, person),
        Command::RemoveTold { story, person } => told(ChangeKind::Removed, story, person),
        Command::Tag { story, tag, is_tagged } => {
            let change_kind = if *is_tagged { ChangeKind::Added } else { ChangeKind::Removed };
            edge(change_kind, commit_num, &format!("t{story}{tag}"), "tagged", &format!("s{story}"), &format!("t{tag}"))
        }
        Command::Label { person, is_added } => {
            let mut change = labelled(commit_num, &format!("p{person}"), "person");
            if !is_added {
                change.labels.removed = std::mem::take(&mut change.labels.added);
            }
            change
        }
    }
}

/// An export of the graph after `commands`: an addition of all that exists, at position 0/0.
fn exported(commands: &[Command]) -> Vec<Change> {
    let mut existing: BTreeMap<String, Change> = BTreeMap::new();
    for command in commands {
        let (key, exists) = match command {
            Command::Title(story, text) => (format!("title {story}"), text.is_some()),
            Command::Visibility(story, text) => (format!("visibility {story}"), text.is_some()),
            Command::Name(person, text) => (format!("name {person}"), text.is_some()),
            Command::Label { person, is_added } => (format!("label {person}"), *is_added),
            Command::AddTold { story, person } => (format!("told {story} {person}"), true),
            Command::RemoveTold { story, person } => (format!("told {story} {person}"), false),
            Command::Tag { story, tag, is_tagged } => (format!("tagged {story} {tag}"), *is_tagged),
        };
        if exists {
            existing.insert(key, Change { position: Position::new(0, 0), ..change(command, 1) });
        } else {
            existing.remove(&key);
        }
    }
    existing.into_values().collect()
}

/// The table and the index. Each changed row is stored, and its document is indexed if its version is
/// higher than the indexed one.
#[derive(Default)]
struct Projection {
    table: BTreeMap<String, Entry>,
    index: BTreeMap<String, Document>,
}

impl Projection {
    fn deliver(&mut self, cluster: &str, change: &Change) {
        let mut by_vertex: BTreeMap<String, Vec<Fact>> = BTreeMap::new();
        for fact in facts(cluster, change) {
            by_vertex.entry(fact.vertex.clone()).or_default().push(fact);
        }
        for (vertex, facts) in by_vertex {
            let entry = self.table.entry(vertex.clone()).or_default();
            if let Some(next) = entry.apply_all(facts) {
                *entry = next;
            }
            let document = Document::of(&vertex, entry);
            let known = self.index.get(&vertex).map_or(0, |known| known.version);
            if document.version > known {
                self.index.insert(vertex, document);
            }
        }
    }

    /// The indexed documents without their versions.
    fn documents(&self) -> Vec<(&String, serde_json::Value)> {
        self.index.iter().map(|(id, document)| (id, document.source())).collect()
    }
}

proptest! {
    /// Values that were written in a lost range come back with an export at its end. Later ones win.
    #[test]
    fn export_at_the_end_of_a_lost_range_heals_values(
        values in prop::collection::vec(
            (0_usize..2, "[가-다]{1,2}", prop::sample::select(vec!["public", "private"])), 1..12),
        range in any::<[Index; 2]>(),
        exported_at in any::<Index>(),
    ) {
        let [one, other] = range.map(|index| index.index(values.len()));
        let lost = one.min(other)..=one.max(other);
        let written = values.iter().zip(1..).map(|((story, title, visibility), commit_num)| {
            let id = format!("s{story}");
            let mut change = vertex(commit_num, &id, "title", Some(title));
            change.properties.extend(vertex(commit_num, &id, "visibility", Some(visibility)).properties);
            change
        });
        let history: Vec<Change> = written.collect();
        let told = ["s0", "s1"].map(|story| edge(ChangeKind::Added, 99, &format!("e{story}"), "told", "p0", story));
        let (mut whole, mut healed) = (Projection::default(), Projection::default());
        history.iter().chain(&told).for_each(|change| whole.deliver("main", change));

        let latest: BTreeMap<_, _> = history.iter().map(|change| (change.entity_id.clone(), change.clone())).collect();
        let position = history[*lost.end()].position;
        let exported = latest.into_values().map(|change| Change { position, ..change });
        let kept = history.iter().enumerate().filter(|(number, _)| !lost.contains(number));
        let mut delivered: Vec<Change> = kept.map(|(_, change)| change).chain(&told).cloned().collect();
        let at = exported_at.index(delivered.len() + 1);
        delivered.splice(at..at, exported);
        delivered.iter().for_each(|change| healed.deliver("main", change));
        prop_assert_eq!(healed.documents(), whole.documents());
    }

    #[test]
    fn any_order_and_repetition_give_the_same_documents(
        commands in prop::collection::vec(command(), 0..30),
        again in prop::collection::vec(any::<Index>(), 0..60),
        order in any::<u64>(),
    ) {
        let history: Vec<_> = commands.iter().zip(1..).map(|(command, commit_num)| change(command, commit_num)).collect();
        let mut in_order = Projection::default();
        history.iter().for_each(|change| in_order.deliver("main", change));

        // Every change once, in any order, then duplicates.
        let mut shuffled: Vec<_> = (0..history.len()).collect();
        shuffled.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(order | 1).rotate_left(17));
        let mut other = Projection::default();
        shuffled.iter().for_each(|at| other.deliver("main", &history[*at]));
        prop_assert_eq!(other.documents(), in_order.documents());
        let before = other.index.clone();
        if !history.is_empty() {
            again.iter().for_each(|index| other.deliver("main", &history[index.index(history.len())]));
        }
        prop_assert_eq!(other.index, before, "a replay changes nothing");
    }

    #[test]
    fn export_does_not_change_facts_of_the_stream(
        commands in prop::collection::vec(command(), 1..30),
        exports in prop::collection::vec((any::<Index>(), any::<Index>()), 1..4),
    ) {
        let history: Vec<_> = commands.iter().zip(1..).map(|(command, commit_num)| change(command, commit_num)).collect();
        let (mut alone, mut other) = (Projection::default(), Projection::default());
        history.iter().for_each(|change| alone.deliver("main", change));
        // Each export reads the graph after some commands, and is delivered at some time.
        for (at, change) in history.iter().enumerate() {
            for (read, _) in exports.iter().filter(|(_, delivered)| delivered.index(history.len()) == at) {
                exported(&commands[..read.index(commands.len() + 1)]).iter().for_each(|older| other.deliver("main", older));
            }
            other.deliver("main", change);
        }
        for id in alone.table.keys() {
            prop_assert_eq!(Content::of(&other.table[id]), Content::of(&alone.table[id]));
        }
        // No other document is found.
        let found = |projection: &Projection| projection.documents().into_iter().filter(|(_, found)| found["deleted"] == false).count();
        prop_assert_eq!(found(&other), found(&alone));

        // A second export changes nothing, whenever it was read.
        let before = other.index.clone();
        for (read, _) in &exports {
            exported(&commands[..read.index(commands.len() + 1)]).iter().for_each(|older| other.deliver("main", older));
        }
        for (id, document) in &before {
            prop_assert_eq!(&other.index[id], document);
        }
    }

    #[test]
    fn export_and_rest_of_the_stream_give_the_content_of_the_whole_stream(
        commands in prop::collection::vec(command(), 1..30),
        lost in any::<Index>(),
        read in any::<Index>(),
        is_first in any::<bool>(),
    ) {
        let history: Vec<_> = commands.iter().zip(1..).map(|(command, commit_num)| change(command, commit_num)).collect();
        let lost = lost.index(commands.len() + 1);
        // The export is read after the lost changes, or later.
        let older = exported(&commands[..lost + read.index(commands.len() + 1 - lost)]);
        let (mut whole, mut rest) = (Projection::default(), Projection::default());
        history.iter().for_each(|change| whole.deliver("main", change));
        let parts = if is_first { [&older[..], &history[lost..]] } else { [&history[lost..], &older] };
        parts.into_iter().flatten().for_each(|change| rest.deliver("main", change));
        for (id, entry) in &whole.table {
            let known = rest.table.get(id).map_or(Content::NotSearchable, Content::of);
            match (known, Content::of(entry)) {
                // The graph does not contain which author was first, nor a lost visibility.
                (Content::Story(known), Content::Story(expected)) => prop_assert_eq!(known.title, expected.title),
                (known, expected) => prop_assert_eq!(known, expected),
            }
        }
    }

    #[test]
    fn changes_after_a_reset_replace_all_before(
        before in prop::collection::vec(command(), 0..20),
        after in prop::collection::vec(command(), 1..20),
    ) {
        let deliver = |projection: &mut Projection, cluster, commands: &[Command]| {
            for (command, commit_num) in commands.iter().zip(1..) {
                projection.deliver(cluster, &change(command, commit_num));
            }
        };
        let (mut reset, mut new) = (Projection::default(), Projection::default());
        deliver(&mut reset, "main", &before);
        deliver(&mut reset, "main.1", &after);
        // Changes that were still queued before the reset.
        deliver(&mut reset, "main", &before);
        deliver(&mut new, "main.1", &after);
        for (id, entry) in &new.table {
            prop_assert_eq!(Content::of(&reset.table[id]), Content::of(entry));
        }
    }
}

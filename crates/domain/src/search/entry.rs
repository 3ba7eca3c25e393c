use std::collections::BTreeMap;

use super::{Fact, Register};
pub use crate::push::InvalidRegister;

/// What is known of a vertex: a row of the table `search`.
///
/// It is a set of last-writer-wins registers, so that any order and any repetition of changes gives
/// the same; and a version, which counts the changes that taught it something. Versions order what
/// the index is told: a document of a higher version is made from a later state of the entry. No
/// position can do that: of two states that know the same last change, one may know an earlier
/// change that came late.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    version: u64,
    registers: BTreeMap<String, Register>,
}

impl Entry {
    /// An entry as it was stored. A version of 0 is that of an entry of which nothing is stored.
    pub fn stored(version: u64, registers: BTreeMap<String, Register>) -> Self {
        Self { version, registers }
    }

    /// How often the entry was written; its document's version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// All registers, also those of generations that a fast reset has ended.
    pub fn all_registers(&self) -> &BTreeMap<String, Register> {
        &self.registers
    }

    /// Keeps what a fact says unless something newer is known; whether it was news.
    pub fn learn(&mut self, fact: Fact) -> bool {
        let is_news = self.registers.get(&fact.name).is_none_or(|known| known.stamp < fact.register.stamp);
        if is_news {
            self.registers.insert(fact.name, fact.register);
        }
        is_news
    }

    /// The entry with all of `facts`, as the next version, if any of them is news.
    pub fn with(&self, facts: impl IntoIterator<Item = Fact>) -> Option<Self> {
        let mut next = self.clone();
        let news = facts.into_iter().fold(false, |news, fact| next.learn(fact) | news);
        next.version += 1;
        news.then_some(next)
    }

    /// The registers of the latest generation: a fast reset deletes what came before it, and tells
    /// nobody of each.
    pub(super) fn registers(&self) -> impl Iterator<Item = (&str, &Register)> {
        let latest = self.registers.values().map(|register| register.stamp.generation).max();
        let is_latest = move |register: &Register| Some(register.stamp.generation) == latest;
        let registers = self.registers.iter().filter(move |(_, register)| is_latest(register));
        registers.map(|(name, register)| (name.as_str(), register))
    }

    pub(super) fn register(&self, name: &str) -> Option<&Register> {
        self.registers().find(|(known, _)| *known == name).map(|(_, register)| register)
    }

    /// What a register holds now.
    pub(super) fn holds(&self, name: &str) -> Option<&str> {
        self.register(name)?.value.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;
    use crate::{
        graph::{Change, ChangeKind, Position},
        search::{
            Content, Document, facts,
            testing::{edge, labelled, vertex},
        },
    };

    /// What happens in a small graph: stories `s0` to `s2`, persons `p0` to `p2`.
    #[derive(Debug, Clone)]
    enum Deed {
        Title(usize, Option<String>),
        Visibility(usize, Option<String>),
        Name(usize, Option<String>),
        Tell { story: usize, person: usize },
        TakeBack { story: usize, person: usize },
        Label(usize, bool),
        Tag { story: usize, tag: usize, is_tagged: bool },
    }

    fn deed() -> impl Strategy<Value = Deed> {
        let small = || 0_usize..3;
        let text = || prop::option::of("[가-다]{1,2}");
        let visibility = prop::option::of(prop::sample::select(vec!["public", "followers", "private", "x"]));
        prop_oneof![
            (small(), text()).prop_map(|(story, title)| Deed::Title(story, title)),
            (small(), visibility).prop_map(|(story, text)| Deed::Visibility(story, text.map(str::to_owned))),
            (small(), text()).prop_map(|(person, name)| Deed::Name(person, name)),
            (small(), small()).prop_map(|(story, person)| Deed::Tell { story, person }),
            (small(), small()).prop_map(|(story, person)| Deed::TakeBack { story, person }),
            (small(), any::<bool>()).prop_map(|(person, holds)| Deed::Label(person, holds)),
            (small(), small(), any::<bool>()).prop_map(|(story, tag, is_tagged)| Deed::Tag { story, tag, is_tagged }),
        ]
    }

    /// The change that a deed makes.
    fn change(deed: &Deed, commit_num: u64) -> Change {
        let told = |what, story: &usize, person: &usize| {
            edge(what, commit_num, &format!("e{story}{person}"), "told", &format!("p{person}"), &format!("s{story}"))
        };
        match deed {
            Deed::Title(story, title) => vertex(commit_num, &format!("s{story}"), "title", title.as_deref()),
            Deed::Visibility(story, text) => vertex(commit_num, &format!("s{story}"), "visibility", text.as_deref()),
            Deed::Name(person, name) => vertex(commit_num, &format!("p{person}"), "name", name.as_deref()),
            Deed::Tell { story, person } => told(ChangeKind::Added, story, person),
            Deed::TakeBack { story, person } => told(ChangeKind::Removed, story, person),
            Deed::Tag { story, tag, is_tagged } => {
                let what = if *is_tagged { ChangeKind::Added } else { ChangeKind::Removed };
                edge(what, commit_num, &format!("t{story}{tag}"), "tagged", &format!("s{story}"), &format!("t{tag}"))
            }
            Deed::Label(person, holds) => {
                let mut change = labelled(commit_num, &format!("p{person}"), "person");
                if !holds {
                    change.labels.removed = std::mem::take(&mut change.labels.added);
                }
                change
            }
        }
    }

    /// What an export tells of the graph as it is after `deeds`: what is there, before all commits.
    fn exported(deeds: &[Deed]) -> Vec<Change> {
        let mut there: BTreeMap<String, Change> = BTreeMap::new();
        for deed in deeds {
            let (key, is_there) = match deed {
                Deed::Title(story, text) => (format!("title {story}"), text.is_some()),
                Deed::Visibility(story, text) => (format!("visibility {story}"), text.is_some()),
                Deed::Name(person, text) => (format!("name {person}"), text.is_some()),
                Deed::Label(person, holds) => (format!("label {person}"), *holds),
                Deed::Tell { story, person } => (format!("told {story} {person}"), true),
                Deed::TakeBack { story, person } => (format!("told {story} {person}"), false),
                Deed::Tag { story, tag, is_tagged } => (format!("tagged {story} {tag}"), *is_tagged),
            };
            if is_there {
                there.insert(key, Change { position: Position::new(0, 0), ..change(deed, 1) });
            } else {
                there.remove(&key);
            }
        }
        there.into_values().collect()
    }

    /// A table and an index as they are: what each change teaches is stored, and every document is
    /// offered to the index, which takes it if its version is higher.
    #[derive(Default)]
    struct World {
        table: BTreeMap<String, Entry>,
        index: BTreeMap<String, Document>,
    }

    impl World {
        fn deliver(&mut self, cluster: &str, change: &Change) {
            let mut by_vertex: BTreeMap<String, Vec<Fact>> = BTreeMap::new();
            for fact in facts(cluster, change) {
                by_vertex.entry(fact.vertex.clone()).or_default().push(fact);
            }
            for (vertex, facts) in by_vertex {
                let entry = self.table.entry(vertex.clone()).or_default();
                if let Some(next) = entry.with(facts) {
                    *entry = next;
                }
                let document = Document::of(&vertex, entry);
                let known = self.index.get(&vertex).map_or(0, |known| known.version);
                if document.version > known {
                    self.index.insert(vertex, document);
                }
            }
        }

        /// What can be found: not how often that was said.
        fn found(&self) -> Vec<(&String, serde_json::Value)> {
            self.index.iter().map(|(id, document)| (id, document.source())).collect()
        }
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_give_the_same_documents(
            deeds in prop::collection::vec(deed(), 0..30),
            again in prop::collection::vec(any::<Index>(), 0..60),
            order in any::<u64>(),
        ) {
            let history: Vec<_> = deeds.iter().zip(1..).map(|(deed, commit_num)| change(deed, commit_num)).collect();
            let mut in_order = World::default();
            history.iter().for_each(|change| in_order.deliver("main", change));

            // Everything once, in some order, and then anything again.
            let mut shuffled: Vec<_> = (0..history.len()).collect();
            shuffled.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(order | 1).rotate_left(17));
            let mut other = World::default();
            shuffled.iter().for_each(|at| other.deliver("main", &history[*at]));
            prop_assert_eq!(other.found(), in_order.found());
            let before = other.index.clone();
            if !history.is_empty() {
                again.iter().for_each(|index| other.deliver("main", &history[index.index(history.len())]));
            }
            prop_assert_eq!(other.index, before, "a replay is no news");
        }

        #[test]
        fn what_is_older_than_the_stream_changes_nothing_that_the_stream_says(
            deeds in prop::collection::vec(deed(), 1..30),
            exports in prop::collection::vec((any::<Index>(), any::<Index>()), 1..4),
        ) {
            let history: Vec<_> = deeds.iter().zip(1..).map(|(deed, commit_num)| change(deed, commit_num)).collect();
            let (mut alone, mut other) = (World::default(), World::default());
            history.iter().for_each(|change| alone.deliver("main", change));
            // Each export finds the graph as it is after some deeds, and comes at some time.
            for (at, change) in history.iter().enumerate() {
                for (read, _) in exports.iter().filter(|(_, told)| told.index(history.len()) == at) {
                    exported(&deeds[..read.index(deeds.len() + 1)]).iter().for_each(|older| other.deliver("main", older));
                }
                other.deliver("main", change);
            }
            for id in alone.table.keys() {
                prop_assert_eq!(Content::of(&other.table[id]), Content::of(&alone.table[id]));
            }
            // Nobody else is found either.
            let found = |world: &World| world.found().into_iter().filter(|(_, found)| found["deleted"] == false).count();
            prop_assert_eq!(found(&other), found(&alone));

            // Another is no news, whenever it was read.
            let before = other.index.clone();
            for (read, _) in &exports {
                exported(&deeds[..read.index(deeds.len() + 1)]).iter().for_each(|older| other.deliver("main", older));
            }
            for (id, document) in &before {
                prop_assert_eq!(&other.index[id], document);
            }
        }

        #[test]
        fn an_export_and_the_rest_of_the_stream_say_what_the_whole_stream_says(
            deeds in prop::collection::vec(deed(), 1..30),
            lost in any::<Index>(),
            read in any::<Index>(),
            is_first in any::<bool>(),
        ) {
            let history: Vec<_> = deeds.iter().zip(1..).map(|(deed, commit_num)| change(deed, commit_num)).collect();
            let lost = lost.index(deeds.len() + 1);
            // The graph is read when what is lost had happened, or later.
            let older = exported(&deeds[..lost + read.index(deeds.len() + 1 - lost)]);
            let (mut whole, mut rest) = (World::default(), World::default());
            history.iter().for_each(|change| whole.deliver("main", change));
            let parts = if is_first { [&older[..], &history[lost..]] } else { [&history[lost..], &older] };
            parts.into_iter().flatten().for_each(|change| rest.deliver("main", change));
            for (id, entry) in &whole.table {
                let known = rest.table.get(id).map_or(Content::Nothing, Content::of);
                match (known, Content::of(entry)) {
                    // Who was the first of several, and a visibility that was lost: the graph does not say.
                    (Content::Story(known), Content::Story(expected)) => prop_assert_eq!(known.title, expected.title),
                    (known, expected) => prop_assert_eq!(known, expected),
                }
            }
        }

        #[test]
        fn what_comes_after_a_reset_is_all_that_counts(
            before in prop::collection::vec(deed(), 0..20),
            after in prop::collection::vec(deed(), 1..20),
        ) {
            let deliver = |world: &mut World, cluster, deeds: &[Deed]| {
                for (deed, commit_num) in deeds.iter().zip(1..) {
                    world.deliver(cluster, &change(deed, commit_num));
                }
            };
            let (mut reset, mut new) = (World::default(), World::default());
            deliver(&mut reset, "main", &before);
            deliver(&mut reset, "main.1", &after);
            // What was left on the queue from before.
            deliver(&mut reset, "main", &before);
            deliver(&mut new, "main.1", &after);
            for (id, entry) in &new.table {
                prop_assert_eq!(Content::of(&reset.table[id]), Content::of(entry));
            }
        }
    }
}

//! What the projections keep of a change.

use std::collections::BTreeMap;

use super::{Register, cut::cut, rules};
use crate::graph::{Change, Ends, EntityKind, What};

/// Names and titles are kept up to this many bytes: more than any phone shows.
const MAX_NAME_BYTES: usize = 400;

/// A row of the projections. Its content are registers by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// What is known of a vertex: registers `name`, `title`, and for each edge by which somebody
    /// told or wrote it `owner#<edge id>`, with the label, a space and the person.
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
    let facts = known.map(|(name, property)| {
        // What is no text, or was too long for the bus, is as good as no name.
        let text = property.after.first().and_then(|value| value.as_str());
        let text = text.map(|text| cut(text, MAX_NAME_BYTES)).filter(|text| !text.trim().is_empty());
        let register = Register { position: change.position, value: text };
        Fact { row: Row::Vertex(change.entity_id.clone()), name: name.to_owned(), register }
    });
    facts.collect()
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
    for (label, ends, holds) in
        gone.map(|label| (label, before, false)).chain(come.map(|label| (label, now, change.what != What::Removed)))
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
fn registers(id: &str, label: &str, ends: &Ends) -> Vec<(Row, String, String)> {
    let Ends { from, to } = ends;
    let mut registers = Vec::new();
    match label {
        "follows" => {
            let row = Row::Follower { of: to.clone(), follower: from.clone() };
            registers.push((row, format!("edge#{id}"), String::new()));
        }
        "told" | "wrote" => {
            registers.push((Row::Vertex(to.clone()), format!("owner#{id}"), format!("{label} {from}")))
        }
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

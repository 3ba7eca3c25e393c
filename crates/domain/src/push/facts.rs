//! Facts that the projections keep of a change.

use std::collections::BTreeMap;

use super::{Register, rules, truncate::truncate};
use crate::{
    graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, GenerationPosition, ReceivedChange},
    visibility::{self, VISIBILITY},
};

/// Register that is set when a vertex's addition was applied. From then on, a property that has no
/// register was never set.
pub(super) const ADDED: &str = "added";

/// Names and titles are truncated to this many bytes, more than a phone displays.
const MAX_NAME_BYTES: usize = 400;

/// A row of the projections. It contains registers by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// A vertex: registers `name`, `title`, `visibility` and `added`, and for each edge `told` or `wrote`
    /// a register `owner#<edge id>` with the label, a space and the person.
    Vertex(String),
    /// A follower of a person: a register `edge#<edge id>` for each edge.
    Follower {
        /// The followed person.
        of: String,
        /// The follower.
        follower: String,
    },
    /// Blocks and mutes between two persons: registers `blocks#<edge id>` and `mutes#<edge id>`, with the
    /// person from whom the edge leads.
    PersonPair(PersonPair),
    /// A person whom another one follows, seen from the follower: a register `edge#<edge id>` for each `follows` edge, and
    /// `blocks#<edge id>` for each block between the two. Only the table `follows` has such rows.
    Following {
        /// The follower.
        by: String,
        /// The followed person.
        of: String,
    },
    /// An edge with a notification rule: the register `edge`, with its label.
    Edge(String),
}

/// An unordered pair of persons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonPair(String, String);

impl PersonPair {
    /// The pair of two persons, in either order.
    pub fn of(one: &str, other: &str) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Self(first.to_owned(), second.to_owned())
    }

    /// Both persons, sorted by id.
    pub fn persons(&self) -> (&str, &str) {
        (&self.0, &self.1)
    }
}

/// A write to one register of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The row.
    pub row: Row,
    /// Name of the register.
    pub name: String,
    /// The value since the change's position.
    pub register: Register,
}

/// The facts of a change, at most one per register. Changes that no projection keeps have none, for
/// example properties of edges, and edges that were removed and added again as they were.
pub fn facts(received: &ReceivedChange) -> Vec<Fact> {
    let (change, position) = (&received.change, received.position());
    match change.kind {
        EntityKind::Vertex => vertex_facts(change, position),
        EntityKind::Edge => edge_facts(change, position, edge_registers),
    }
}

/// The facts of a change about whom a person follows.
pub fn following_facts(received: &ReceivedChange) -> Vec<Fact> {
    let (change, position) = (&received.change, received.position());
    match change.kind {
        EntityKind::Vertex => Vec::new(),
        EntityKind::Edge => edge_facts(change, position, following_registers),
    }
}

fn vertex_facts(change: &Change, position: GenerationPosition) -> Vec<Fact> {
    let texts = ["name", "title"].into_iter().filter_map(|name| {
        // A value that is not text, or did not fit in the message, counts as removed.
        let text = change.properties.get(name)?.after.first().and_then(|value| value.as_str());
        Some((name, text.map(|text| truncate(text, MAX_NAME_BYTES)).filter(|text| !text.trim().is_empty())))
    });
    let visibility =
        visibility::set_by(change).map(|set| (VISIBILITY, set.map(|visibility| visibility.as_ref().to_owned())));
    let added = match change.change_kind {
        ChangeKind::Added => Some((ADDED, Some(String::new()))),
        ChangeKind::Changed => None,
        ChangeKind::Removed => Some((ADDED, None)),
    };
    let facts = texts.chain(visibility).chain(added).map(|(name, value)| {
        let register = Register { position, value };
        Fact { row: Row::Vertex(change.entity_id.clone()), name: name.to_owned(), register }
    });
    facts.collect()
}

/// The vertex whose visibility becomes known by a change: the change sets it, or adds the vertex.
pub fn vertex_with_visibility(change: &Change) -> Option<&str> {
    let is_known = change.change_kind == ChangeKind::Added || visibility::set_by(change).is_some();
    (change.kind == EntityKind::Vertex && change.change_kind != ChangeKind::Removed && is_known)
        .then_some(change.entity_id.as_str())
}

/// Rows, registers and values of an edge, by its id, label and ends.
type EdgeRegisters = fn(&str, &str, &EdgeEndpoints) -> Vec<(Row, String, String)>;

fn edge_facts(change: &Change, position: GenerationPosition, registers_of: EdgeRegisters) -> Vec<Fact> {
    let mut facts = BTreeMap::new();
    let (labels, ends) = (&change.labels, change.ends.as_ref());
    let ends_before = change.ends_before.as_ref().or(ends);
    // An edge that moved keeps its label: it is removed from the old ends and added to the new ones.
    let moved = || labels.kept.iter().filter(|_| change.ends_before.is_some());
    let removed = labels.removed.iter().chain(moved()).map(|label| (label, ends_before, false));
    let added =
        labels.added.iter().chain(moved()).map(|label| (label, ends, change.change_kind != ChangeKind::Removed));
    // Both may write the same register; the addition wins.
    for (label, ends, is_present) in removed.chain(added) {
        let Some(ends) = ends else { continue };
        for (row, name, value) in registers_of(&change.entity_id, label, ends) {
            let register = Register { position, value: is_present.then_some(value) };
            facts.insert((row, name), register);
        }
    }
    facts.into_iter().map(|((row, name), register)| Fact { row, name, register }).collect()
}

/// Those of the rows [`Row::Following`].
fn following_registers(
    id: &str,
    label: &str,
    EdgeEndpoints { from, to }: &EdgeEndpoints,
) -> Vec<(Row, String, String)> {
    let row = |by: &String, of: &String| Row::Following { by: by.clone(), of: of.clone() };
    match label {
        "follows" => vec![(row(from, to), format!("edge#{id}"), String::new())],
        "blocks" => [(from, to), (to, from)].map(|(by, of)| (row(by, of), format!("blocks#{id}"), from.clone())).into(),
        _ => Vec::new(),
    }
}

/// Those of the rows that notifications need.
fn edge_registers(id: &str, label: &str, ends: &EdgeEndpoints) -> Vec<(Row, String, String)> {
    let EdgeEndpoints { from, to } = ends;
    let mut registers = Vec::new();
    match label {
        "follows" => {
            let row = Row::Follower { of: to.clone(), follower: from.clone() };
            registers.push((row, format!("edge#{id}"), String::new()));
        }
        "told" | "wrote" => registers.push((Row::Vertex(to.clone()), format!("owner#{id}"), format!("{label} {from}"))),
        "blocks" | "mutes" => {
            registers.push((Row::PersonPair(PersonPair::of(from, to)), format!("{label}#{id}"), from.clone()));
        }
        _ => {}
    }
    if rules::for_label(label).next().is_some() {
        registers.push((Row::Edge(id.to_owned()), "edge".to_owned(), label.to_owned()));
    }
    registers
}

use std::collections::{BTreeMap, btree_map};

use super::{Fact, Register};

/// A row of the table `search`: LWW registers of a vertex, and a version.
///
/// The version counts the changes that had an effect, and orders the documents of the index: a document
/// of a higher version is made from a later state of the row. A position cannot order documents. Two
/// states may have the same latest position, while one of them contains an earlier change that arrived
/// late.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    version: u64,
    registers: BTreeMap<String, Register>,
}

impl Entry {
    /// A stored entry. Version 0 means that none is stored.
    pub fn from_stored(version: u64, registers: BTreeMap<String, Register>) -> Self {
        Self { version, registers }
    }

    /// Version of the row and of its document.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// All registers, including those of generations that a fast reset ended.
    pub fn all_registers(&self) -> &BTreeMap<String, Register> {
        &self.registers
    }

    /// Merges a fact. Returns whether it had an effect.
    pub(super) fn apply(&mut self, fact: Fact) -> bool {
        match self.registers.entry(fact.name) {
            btree_map::Entry::Occupied(mut known) => known.get_mut().merge(fact.register),
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(fact.register);
                true
            }
        }
    }

    /// The entry of the next version after merging `facts`; `None` if no fact had an effect.
    pub fn apply_all(&self, facts: impl IntoIterator<Item = Fact>) -> Option<Self> {
        let mut next = self.clone();
        let has_changed = facts.into_iter().fold(false, |has_changed, fact| next.apply(fact) | has_changed);
        next.version += 1;
        has_changed.then_some(next)
    }

    /// Registers of the latest generation. A fast reset deletes all earlier ones, without a change for each.
    pub(super) fn registers(&self) -> impl Iterator<Item = (&str, &Register)> {
        let latest = self.registers.values().map(|register| register.position.generation).max();
        let is_latest = move |register: &Register| Some(register.position.generation) == latest;
        let registers = self.registers.iter().filter(move |(_, register)| is_latest(register));
        registers.map(|(name, register)| (name.as_str(), register))
    }

    /// The register of this name, in the latest generation.
    pub(super) fn register(&self, name: &str) -> Option<&Register> {
        self.registers().find(|(known, _)| *known == name).map(|(_, register)| register)
    }

    /// The value of a register, in the latest generation.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.register(name)?.value.as_deref()
    }
}

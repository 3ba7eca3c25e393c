//! The inbox in memory.

use std::{cell::RefCell, collections::BTreeMap};

use domain::{
    graph::GenerationPosition,
    push::{InboxEntry, InboxGroup},
};
use store::inbox::Holder;

/// Groups by user and key, and recipients by edge.
#[derive(Default)]
pub struct InMemoryInbox {
    groups: RefCell<BTreeMap<(String, String), InboxGroup>>,
    holders: RefCell<BTreeMap<String, Vec<Holder>>>,
}

impl InMemoryInbox {
    /// Keys of a user's groups, each with the actors, the latest first.
    pub fn of(&self, user: &str) -> Vec<(String, Vec<String>)> {
        let groups = self.groups.borrow();
        let own = groups.iter().filter(|((of, _), _)| of == user);
        own.map(|((_, key), group)| (key.clone(), group.latest().map(|entry| entry.actor.clone()).collect())).collect()
    }

    /// Number of rows about edges.
    pub fn holder_count(&self) -> usize {
        self.holders.borrow().values().map(Vec::len).sum()
    }

    pub fn holders(&self, edge: &str) -> Vec<Holder> {
        self.holders.borrow().get(edge).cloned().unwrap_or_default()
    }

    pub fn add_holder(&self, edge: &str, holder: &Holder) {
        let mut holders = self.holders.borrow_mut();
        let holders = holders.entry(edge.to_owned()).or_default();
        if !holders.contains(holder) {
            holders.push(holder.clone());
        }
    }

    pub fn remove_holder(&self, edge: &str, holder: &Holder) {
        if let Some(holders) = self.holders.borrow_mut().get_mut(edge) {
            holders.retain(|known| known != holder);
        }
    }

    pub fn add(&self, holder: Holder, entry: InboxEntry) {
        self.groups.borrow_mut().entry((holder.recipient, holder.group)).or_default().add(entry);
    }

    pub fn remove(&self, holder: &Holder, edge: &str, position: GenerationPosition) {
        let mut groups = self.groups.borrow_mut();
        let key = (holder.recipient.clone(), holder.group.clone());
        let Some(group) = groups.get_mut(&key) else { return };
        group.remove(edge, position);
        if group.is_empty() {
            groups.remove(&key);
        }
    }
}

//! The inbox in memory.

use std::{cell::RefCell, collections::BTreeMap};

use domain::{
    graph::GenerationPosition,
    push::{InboxEntry, InboxGroup},
};
use store::inbox::Holder;

/// A recipient of an edge's notification, with the position of the edge's removal.
type EdgeHolder = (Holder, Option<GenerationPosition>);

/// Groups by user and key, and recipients by edge.
#[derive(Default)]
pub struct InMemoryInbox {
    groups: RefCell<BTreeMap<(String, String), InboxGroup>>,
    holders: RefCell<BTreeMap<String, Vec<EdgeHolder>>>,
}

impl InMemoryInbox {
    /// Keys of a user's groups, each with the actors, the latest first.
    pub fn of(&self, user: &str) -> Vec<(String, Vec<String>)> {
        let groups = self.groups.borrow();
        let own = groups.iter().filter(|((of, _), _)| of == user);
        own.map(|((_, key), group)| (key.clone(), group.latest().map(|entry| entry.actor.clone()).collect())).collect()
    }

    pub fn holders(&self, edge: &str) -> Vec<Holder> {
        let holders = self.holders.borrow();
        holders.get(edge).into_iter().flatten().map(|(holder, _)| holder.clone()).collect()
    }

    pub fn add_holder(&self, edge: &str, holder: &Holder) {
        let mut holders = self.holders.borrow_mut();
        let holders = holders.entry(edge.to_owned()).or_default();
        if holders.iter().all(|(known, _)| known != holder) {
            holders.push((holder.clone(), None));
        }
    }

    pub fn withdraw_holder(&self, edge: &str, holder: &Holder, position: GenerationPosition) {
        let mut holders = self.holders.borrow_mut();
        for (_, withdrawn) in holders.get_mut(edge).into_iter().flatten().filter(|(known, _)| known == holder) {
            *withdrawn = (*withdrawn).max(Some(position));
        }
    }

    /// Adds the entry, unless its edge has a later tombstone. Both is one step.
    pub fn add_unless_withdrawn(&self, holder: Holder, entry: InboxEntry) {
        let is_withdrawn = self.holders.borrow().get(&entry.edge).into_iter().flatten().any(|(known, withdrawn)| {
            *known == holder && withdrawn.is_some_and(|withdrawn| withdrawn >= entry.position)
        });
        if !is_withdrawn {
            self.add(holder, entry);
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

//! Who may do what, without a server: a table of rights, and what is known of people and items.

use std::collections::BTreeMap;

use domain::media::MediaId;
use serde_json::{Value, json};

use crate::support::rights::Right;

/// A person, by their place in the list of all.
pub type Person = usize;

/// In the words of the table: what each person is to the owner of an item.
#[derive(Debug)]
pub struct Relations {
    /// Pairs of who and to whom.
    pub followers: Vec<(Person, Person)>,
    /// Pairs of who is blocked and by whom.
    pub blocked: Vec<(Person, Person)>,
}

impl Relations {
    fn of(&self, person: Person, owner: Person) -> &'static str {
        let follows = self.followers.contains(&(person, owner));
        match (person == owner, follows && self.blocked.contains(&(person, owner)), follows) {
            (true, ..) => "owner",
            (_, true, _) => "blocked follower",
            (.., true) => "follower",
            _ => "stranger",
        }
    }
}

/// An item that somebody declared.
#[derive(Debug, Clone)]
pub struct Item {
    pub owner: Person,
    pub visibility: &'static str,
    pub kind: &'static str,
    pub post: Option<&'static str>,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Declared, and never sent.
    Pending,
    Ready,
    Failed,
    Deleted,
}

/// All that is known.
#[derive(Debug)]
pub struct Model {
    pub rights: Vec<Right>,
    pub relations: Relations,
    pub items: BTreeMap<MediaId, Item>,
    /// Platforms by person and the app's own id.
    pub devices: BTreeMap<(Person, String), String>,
    pub preferences: BTreeMap<Person, Value>,
}

impl Model {
    fn right(&self, person: Person, item: &Item) -> &Right {
        let who = self.relations.of(person, item.owner);
        let mut rights = self.rights.iter();
        rights.find(|right| right.who == who && right.visibility == item.visibility).expect("a row for everybody")
    }

    /// The item, if it is one that somebody could be shown.
    fn there(&self, id: MediaId) -> Option<&Item> {
        self.items.get(&id).filter(|item| matches!(item.state, State::Ready | State::Failed))
    }

    /// The status of `GET /v1/media/{id}`.
    pub fn get(&self, person: Person, id: MediaId) -> u16 {
        self.there(id).map_or(404, |item| self.right(person, item).get)
    }

    /// The status of `DELETE /v1/media/{id}`.
    pub fn delete(&self, person: Person, id: MediaId) -> u16 {
        self.there(id).map_or(404, |item| self.right(person, item).delete)
    }

    /// Whether a batch holds the item.
    pub fn is_in_batch(&self, person: Person, id: MediaId) -> bool {
        self.there(id).is_some_and(|item| self.right(person, item).is_in_batch)
    }

    /// What a list holds, in no order.
    pub fn listed(&self, person: Person, owner: Person, kind: Option<&str>, post: Option<&str>) -> Vec<MediaId> {
        let is_listed = |id: &MediaId| {
            self.there(*id).is_some_and(|item| {
                item.owner == owner
                    && self.right(person, item).is_listed
                    && kind.is_none_or(|kind| item.kind == kind)
                    && post.is_none_or(|post| item.post == Some(post))
            })
        };
        self.items.keys().copied().filter(is_listed).collect()
    }

    /// Ids and platforms of somebody's devices.
    pub fn devices_of(&self, person: Person) -> BTreeMap<&str, &str> {
        let own = self.devices.iter().filter(|((owner, _), _)| *owner == person);
        own.map(|((_, id), platform)| (id.as_str(), platform.as_str())).collect()
    }

    /// What somebody chose to be told of.
    pub fn preferences_of(&self, person: Person) -> Value {
        self.preferences.get(&person).cloned().unwrap_or_else(|| json!({"muted": []}))
    }
}

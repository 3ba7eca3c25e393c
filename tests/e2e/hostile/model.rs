//! A model of the API: the access rules, and the state of people and items.

use std::collections::BTreeMap;

use domain::media::MediaId;
use serde_json::{Value, json};

use crate::access_table::AccessRule;

/// A person: an index into the list of all people.
pub type Person = usize;

/// The relations from which a person's role follows.
#[derive(Debug)]
pub struct Relations {
    /// Pairs of follower and followed owner.
    pub followers: Vec<(Person, Person)>,
    /// Pairs of blocked person and blocking owner.
    pub blocked: Vec<(Person, Person)>,
}

impl Relations {
    /// The role of `person` in the access table.
    fn role(&self, person: Person, owner: Person) -> &'static str {
        let follows = self.followers.contains(&(person, owner));
        match (person == owner, follows && self.blocked.contains(&(person, owner)), follows) {
            (true, ..) => "owner",
            (_, true, _) => "blocked follower",
            (.., true) => "follower",
            _ => "stranger",
        }
    }
}

/// A declared item.
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
    /// Declared, without an uploaded file.
    Pending,
    Ready,
    Failed,
    Deleted,
}

/// The expected state of the API.
#[derive(Debug)]
pub struct Model {
    pub rules: Vec<AccessRule>,
    pub relations: Relations,
    pub items: BTreeMap<MediaId, Item>,
    /// Platforms by person and device id.
    pub devices: BTreeMap<(Person, String), String>,
    pub preferences: BTreeMap<Person, Value>,
}

impl Model {
    fn rule(&self, person: Person, item: &Item) -> &AccessRule {
        let role = self.relations.role(person, item.owner);
        let mut rules = self.rules.iter();
        rules.find(|rule| rule.role == role && rule.visibility == item.visibility).expect("row")
    }

    /// The item, if it is `ready` or `failed`.
    fn visible_item(&self, id: MediaId) -> Option<&Item> {
        self.items.get(&id).filter(|item| matches!(item.state, State::Ready | State::Failed))
    }

    /// The status of `GET /v1/media/{id}`.
    pub fn get(&self, person: Person, id: MediaId) -> u16 {
        self.visible_item(id).map_or(404, |item| self.rule(person, item).get)
    }

    /// The status of `POST /v1/reports`.
    pub fn report(&self, person: Person, id: MediaId) -> u16 {
        match self.get(person, id) {
            200 => 201,
            status => status,
        }
    }

    /// The status of `DELETE /v1/media/{id}`.
    pub fn delete(&self, person: Person, id: MediaId) -> u16 {
        self.visible_item(id).map_or(404, |item| self.rule(person, item).delete)
    }

    /// Whether a batch returns the item.
    pub fn is_in_batch(&self, person: Person, id: MediaId) -> bool {
        self.visible_item(id).is_some_and(|item| self.rule(person, item).is_in_batch)
    }

    /// The ids in a list, unordered.
    pub fn listed(&self, person: Person, owner: Person, kind: Option<&str>, post: Option<&str>) -> Vec<MediaId> {
        let is_listed = |id: &MediaId| {
            self.visible_item(*id).is_some_and(|item| {
                item.owner == owner
                    && self.rule(person, item).is_listed
                    && kind.is_none_or(|kind| item.kind == kind)
                    && post.is_none_or(|post| item.post == Some(post))
            })
        };
        self.items.keys().copied().filter(is_listed).collect()
    }

    /// Whether `person` is notified that `follower` follows them.
    pub fn may_notify(&self, follower: Person, person: Person) -> bool {
        let Relations { followers, blocked } = &self.relations;
        followers.contains(&(follower, person)) && !blocked.contains(&(follower, person))
    }

    /// Ids and platforms of a person's devices.
    pub fn devices_of(&self, person: Person) -> BTreeMap<&str, &str> {
        let own = self.devices.iter().filter(|((owner, _), _)| *owner == person);
        own.map(|((_, id), platform)| (id.as_str(), platform.as_str())).collect()
    }

    /// A person's notification preferences.
    pub fn preferences_of(&self, person: Person) -> Value {
        self.preferences.get(&person).cloned().unwrap_or_else(|| json!({"muted": [], "hideContent": false}))
    }
}

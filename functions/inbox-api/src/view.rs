//! A group of the inbox as its user sees it now.

use std::collections::{BTreeSet, HashMap, HashSet};

use api::{InboxNotification, MAX_ACTORS, NotificationActor};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{
    media::Visibility,
    push::{Audience, InboxEntry, PersonPair, Registers, Relation, Row, Rule, Vertex, follows, rules},
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use store::inbox::StoredGroup;

/// Actors of a group whose relation to the user is checked. Those who act before them are only counted.
const CHECKED_ACTORS: usize = 2 * MAX_ACTORS;
/// Bytes of the hash that names a group.
const ID_BYTES: usize = 16;

/// What is known of the persons and stories of a page, for one caller.
#[derive(Debug, Default)]
pub struct Facts {
    vertices: HashMap<String, Vertex>,
    /// Persons whom the caller has muted, or with whom there is a block.
    hidden: HashSet<String>,
    /// Persons whom the caller follows.
    followed: HashSet<String>,
}

impl Facts {
    /// Adds rows of the projections.
    pub fn add(&mut self, caller: &str, rows: HashMap<Row, Registers>) {
        for (row, registers) in rows {
            match row {
                Row::Vertex(id) => drop(self.vertices.insert(id, Vertex::from(&registers))),
                Row::PersonPair(pair) => {
                    let Relation { blocked, muted } = Relation::of(caller, &registers);
                    if blocked || muted {
                        let (one, other) = pair.persons();
                        self.hidden.insert(if one == caller { other } else { one }.to_owned());
                    }
                }
                Row::Follower { of, .. } => {
                    if follows(&registers) {
                        self.followed.insert(of);
                    }
                }
                // These were not asked for.
                Row::Following { .. } | Row::Edge(_) => {}
            }
        }
    }

    fn vertex(&self, id: &str) -> Option<&Vertex> {
        self.vertices.get(id)
    }

    fn owners(&self, id: &str) -> impl Iterator<Item = &str> {
        self.vertex(id).into_iter().flat_map(|vertex| &vertex.owners).map(|owner| owner.person.as_str())
    }
}

/// Rows that [`notification`] needs, without those of followers.
pub fn rows(caller: &str, groups: &[StoredGroup]) -> Vec<Row> {
    let (mut vertices, mut actors) = (HashSet::new(), HashSet::new());
    for entry in groups.iter().flat_map(|stored| stored.group.latest().take(CHECKED_ACTORS)) {
        vertices.extend([&*entry.source, &*entry.target, &*entry.actor]);
        actors.insert(&*entry.actor);
    }
    let vertices = vertices.into_iter().map(|id| Row::Vertex(id.to_owned()));
    vertices.chain(actors.into_iter().map(|actor| Row::PersonPair(PersonPair::of(caller, actor)))).collect()
}

/// Rows that tell whether the caller follows the owners of stories for followers.
pub fn follower_rows(caller: &str, groups: &[StoredGroup], facts: &Facts) -> Vec<Row> {
    let stories = groups.iter().filter_map(|stored| {
        let end = rules::by_id(&stored.rule)?.discloses()?;
        let entry = stored.group.latest().next()?;
        Some(end.of(&*entry.source, &*entry.target))
    });
    let for_followers = stories.filter(|story| visibility(facts, story) == Some(Visibility::Followers));
    let owners: BTreeSet<_> = for_followers.flat_map(|story| facts.owners(story)).collect();
    let row = |owner: &str| Row::Follower { of: owner.to_owned(), follower: caller.to_owned() };
    owners.into_iter().map(row).collect()
}

/// Whether the caller has read a group that changed at `updated_at`. The mark has milliseconds.
pub fn is_read(updated_at: Timestamp, read_through: Option<Timestamp>) -> bool {
    read_through.is_some_and(|through| updated_at.as_millisecond() <= through.as_millisecond())
}

/// The notification of a group, unless the caller may see none of it.
pub fn notification(
    caller: &str,
    stored: &StoredGroup,
    facts: &Facts,
    read_through: Option<Timestamp>,
) -> Option<InboxNotification> {
    // A rule of a later version.
    let rule = rules::by_id(&stored.rule)?;
    let is_shown = |entry: &InboxEntry| !facts.hidden.contains(&entry.actor);
    let checked: Vec<_> = stored.group.latest().take(CHECKED_ACTORS).collect();
    let shown: Vec<_> = checked.iter().copied().filter(|entry| is_shown(entry)).collect();
    let hidden = (checked.len() - shown.len()) as u64;
    let last = shown.first().filter(|entry| may_see(caller, rule, entry, facts))?;
    let actor = |entry: &&InboxEntry| NotificationActor {
        id: entry.actor.clone(),
        name: facts.vertex(&entry.actor).and_then(|person| person.name.clone()),
    };
    let titled = rule.titled().and_then(|end| facts.vertex(end.of(&last.source, &last.target)));
    let updated_at = stored.group.updated_at()?;
    let is_of_service = rules::is_of_service(rule);
    Some(InboxNotification {
        id: BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(&stored.key)[..ID_BYTES]),
        rule: rule.id.clone(),
        category: rule.category,
        actors: shown.iter().take(MAX_ACTORS).filter(|_| !is_of_service).map(actor).collect(),
        actor_count: if is_of_service { 0 } else { stored.group.actor_count() - hidden },
        source: last.source.clone(),
        target: last.target.clone(),
        title: titled.and_then(|story| story.title.clone()),
        happened_at: format!("{:.3}", last.committed_at),
        updated_at: format!("{updated_at:.3}"),
        is_read: is_read(updated_at, read_through),
    })
}

/// Whether the caller may see what an entry is about.
fn may_see(caller: &str, rule: &Rule, entry: &InboxEntry, facts: &Facts) -> bool {
    let owns = |id: &str| facts.owners(id).any(|owner| owner == caller);
    // The story or comment was deleted, or has another owner.
    if rule.audience == Audience::OwnerOfTarget && !owns(&entry.target) {
        return false;
    }
    let Some(end) = rule.discloses() else { return true };
    let story = end.of(&*entry.source, &*entry.target);
    if facts.owners(story).next().is_none() {
        // It is no longer published.
        return false;
    }
    match visibility(facts, story) {
        None => false,
        Some(Visibility::Public) => true,
        Some(Visibility::Private) => owns(story),
        Some(Visibility::Followers) => {
            facts.owners(story).any(|owner| owner == caller || facts.followed.contains(owner))
        }
    }
}

fn visibility(facts: &Facts, story: &str) -> Option<Visibility> {
    facts.vertex(story)?.visibility.map(|fact| fact.visibility)
}

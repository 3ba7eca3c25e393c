//! A group of the inbox as its user sees it now.

use std::collections::{BTreeSet, HashMap};

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

/// Facts about the groups of a page.
pub type Facts = HashMap<Row, Registers>;

/// Rows that [`notification`] needs, without those of followers.
pub fn rows(caller: &str, groups: &[StoredGroup]) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for entry in groups.iter().flat_map(|stored| stored.group.latest().take(CHECKED_ACTORS)) {
        rows.extend([&entry.source, &entry.target, &entry.actor].map(|id| Row::Vertex(id.clone())));
        rows.insert(Row::PersonPair(PersonPair::of(caller, &entry.actor)));
    }
    rows
}

/// Rows that tell whether the caller follows the owners of stories for followers.
pub fn follower_rows(caller: &str, groups: &[StoredGroup], facts: &Facts) -> BTreeSet<Row> {
    let stories = groups.iter().filter_map(|stored| {
        let end = rules::by_id(&stored.rule)?.discloses()?;
        let entry = stored.group.latest().next()?;
        Some(vertex(facts, end.of(&entry.source, &entry.target)))
    });
    let for_followers = stories.filter(|story| visibility(story) == Some(Visibility::Followers));
    for_followers.flat_map(|story| story.owners).map(|owner| follower(caller, &owner.person)).collect()
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
    let is_shown = |entry: &InboxEntry| {
        let pair = facts.get(&Row::PersonPair(PersonPair::of(caller, &entry.actor)));
        let relation = pair.map(|registers| Relation::of(caller, registers)).unwrap_or_default();
        !relation.blocked && !relation.muted
    };
    let checked: Vec<_> = stored.group.latest().take(CHECKED_ACTORS).collect();
    let shown: Vec<_> = checked.iter().copied().filter(|entry| is_shown(entry)).collect();
    let hidden = (checked.len() - shown.len()) as u64;
    let last = shown.first().filter(|entry| may_see(caller, rule, entry, facts))?;
    let actor =
        |entry: &&InboxEntry| NotificationActor { id: entry.actor.clone(), name: vertex(facts, &entry.actor).name };
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
        title: rule.titled().and_then(|end| vertex(facts, end.of(&last.source, &last.target)).title),
        happened_at: format!("{:.3}", last.committed_at),
        updated_at: format!("{updated_at:.3}"),
        // The mark has milliseconds.
        is_read: read_through.is_some_and(|through| updated_at.as_millisecond() <= through.as_millisecond()),
    })
}

/// Whether the caller may see what an entry is about.
fn may_see(caller: &str, rule: &Rule, entry: &InboxEntry, facts: &Facts) -> bool {
    let owns = |id: &str| vertex(facts, id).owners.iter().any(|owner| owner.person == caller);
    // The story or comment was deleted, or has another owner.
    if rule.audience == Audience::OwnerOfTarget && !owns(&entry.target) {
        return false;
    }
    let Some(end) = rule.discloses() else { return true };
    let id = end.of(entry.source.as_str(), entry.target.as_str());
    let story = vertex(facts, id);
    if story.owners.is_empty() {
        // It is no longer published.
        return false;
    }
    match visibility(&story) {
        None => false,
        Some(Visibility::Public) => true,
        Some(Visibility::Private) => owns(id),
        Some(Visibility::Followers) => {
            let follows_one =
                story.owners.iter().any(|owner| facts.get(&follower(caller, &owner.person)).is_some_and(follows));
            follows_one || owns(id)
        }
    }
}

fn vertex(facts: &Facts, id: &str) -> Vertex {
    facts.get(&Row::Vertex(id.to_owned())).map(Vertex::from).unwrap_or_default()
}

fn visibility(story: &Vertex) -> Option<Visibility> {
    story.visibility.map(|fact| fact.visibility)
}

fn follower(caller: &str, owner: &str) -> Row {
    Row::Follower { of: owner.to_owned(), follower: caller.to_owned() }
}

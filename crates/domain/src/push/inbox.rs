//! The inbox: notifications that users can read later, also those that no phone received.
//!
//! Notifications that replace each other on the phone form one group: several likes of a story are one group with several
//! entries.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Arg, End, Event, Rule};
use crate::graph::GenerationPosition;

/// How long the inbox keeps an entry.
pub const INBOX_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Entries that a group holds. Of older ones only the number is kept.
pub const MAX_INBOX_ENTRIES: usize = 100;
/// Longest key of a group that holds the vertex itself, in bytes.
const MAX_KEY_BYTES: usize = 512;

/// One event in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxEntry {
    /// Id of the edge.
    pub edge: String,
    /// Position of the edge's addition.
    pub position: GenerationPosition,
    /// Id of the person who acted.
    pub actor: String,
    /// Id of the edge's source.
    pub source: String,
    /// Id of the edge's target.
    pub target: String,
    /// Time of the commit.
    pub committed_at: Timestamp,
    /// Time at which the entry was added to the inbox. Entries may arrive late, so this time decides what is unread.
    pub added_at: Timestamp,
}

/// Entries that replace each other on the phone, the earliest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxGroup {
    /// Entries by position.
    entries: Vec<InboxEntry>,
    /// Number of earlier entries that are no longer in `entries`.
    #[serde(default)]
    older: u64,
    /// Position of the latest of these. Events up to it are not added again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<GenerationPosition>,
}

/// Key of the group of an edge, unique per recipient: the notification's tag on the phone.
pub fn inbox_group_key(rule: &Rule, source: &str, target: &str) -> String {
    let key = format!("{}:{}", rule.id, rule.replaces_by.of(source, target));
    if key.len() <= MAX_KEY_BYTES { key } else { format!("{}:sha256:{:x}", rule.id, Sha256::digest(key)) }
}

impl InboxEntry {
    /// The entry of an event that is added at `now`.
    pub fn of(event: &Event, actor: &str, now: Timestamp) -> Self {
        Self {
            edge: event.edge.clone(),
            position: event.position,
            actor: actor.to_owned(),
            source: event.from.clone(),
            target: event.to.clone(),
            committed_at: event.committed_at,
            added_at: now,
        }
    }

    fn is_about(&self, person: &str) -> bool {
        [&self.actor, &self.source, &self.target].into_iter().any(|id| id == person)
    }
}

impl InboxGroup {
    /// Adds an entry and drops what has expired at its time. Returns whether the group has changed: an event that is
    /// delivered again changes nothing.
    pub fn add(&mut self, entry: InboxEntry) -> bool {
        let is_known = self.floor.is_some_and(|floor| entry.position <= floor)
            || self.entries.iter().any(|known| known.edge == entry.edge && known.position >= entry.position);
        if is_known {
            return false;
        }
        let kept_since = entry.added_at.checked_sub(INBOX_RETENTION).unwrap_or(Timestamp::MIN);
        // A fast reset has deleted the graph of earlier generations.
        let generation = entry.position.generation;
        self.entries.retain(|known| {
            known.edge != entry.edge && known.added_at > kept_since && known.position.generation >= generation
        });
        let at = self.entries.partition_point(|known| known.position < entry.position);
        self.entries.insert(at, entry);
        if self.entries.len() > MAX_INBOX_ENTRIES {
            self.floor = Some(self.entries.remove(0).position);
            self.older = self.older.saturating_add(1);
        }
        true
    }

    /// Removes the entry of an edge that was removed at or after `position`. Returns whether the group has changed.
    pub fn remove(&mut self, edge: &str, position: GenerationPosition) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.edge != edge || entry.position > position);
        self.entries.len() < before
    }

    /// Removes the entries about `person`. Returns whether the group has changed.
    pub fn remove_about(&mut self, person: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| !entry.is_about(person));
        self.entries.len() < before
    }

    /// The entries about `person`.
    pub fn about<'a>(&'a self, person: &'a str) -> impl Iterator<Item = &'a InboxEntry> {
        self.entries.iter().filter(move |entry| entry.is_about(person))
    }

    /// Whether nothing is left to show.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries, the latest first, one per actor.
    pub fn latest(&self) -> impl Iterator<Item = &InboxEntry> {
        let entries = &self.entries;
        entries.iter().enumerate().rev().filter_map(|(index, entry)| {
            entries[index + 1..].iter().all(|later| later.actor != entry.actor).then_some(entry)
        })
    }

    /// Number of actors. Of more than [`MAX_INBOX_ENTRIES`] entries, each counts.
    pub fn actor_count(&self) -> u64 {
        (self.latest().count() as u64).saturating_add(self.older)
    }

    /// Time at which the group last got an entry that is still there.
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.entries.iter().map(|entry| entry.added_at).max()
    }
}

impl Rule {
    /// The end whose title the rule's texts name, if any.
    pub fn titled(&self) -> Option<End> {
        self.templates.iter().flat_map(|template| template.title.args.iter().chain(&template.body.args)).find_map(
            |arg| match arg {
                Arg::SourceTitle => Some(End::Source),
                Arg::TargetTitle => Some(End::Target),
                Arg::ActorName => None,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        graph::Position,
        push::{rules::by_id, testing::COMMIT_MS},
    };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(COMMIT_MS + ms).expect("a time")
    }

    fn entry(edge: &str, commit: u64, actor: &str) -> InboxEntry {
        InboxEntry {
            edge: edge.into(),
            position: Position::new(commit, 1).into(),
            actor: actor.into(),
            source: actor.into(),
            target: "s1".into(),
            committed_at: at(0),
            added_at: at(i64::try_from(commit).expect("a number")),
        }
    }

    fn actors(group: &InboxGroup) -> Vec<&str> {
        group.latest().map(|entry| entry.actor.as_str()).collect()
    }

    #[test]
    fn group_key_is_the_tag_on_the_phone() {
        let rule = by_id("like-story").expect("a rule");
        assert_eq!(inbox_group_key(rule, "jun", "s1"), "like-story:s1");
        let long = "s".repeat(600);
        let key = inbox_group_key(rule, "jun", &long);
        assert!(key.len() < 100 && key.starts_with("like-story:sha256:"), "{key}");
        assert_ne!(key, inbox_group_key(rule, "jun", &format!("{long}x")));
    }

    #[test]
    fn likes_of_several_persons_count_once_each_the_latest_first() {
        let mut group = InboxGroup::default();
        for (edge, commit, actor) in [("e1", 1, "jun"), ("e3", 3, "sora"), ("e2", 2, "haneul"), ("e4", 4, "jun")] {
            assert!(group.add(entry(edge, commit, actor)));
        }
        assert_eq!(actors(&group), ["jun", "sora", "haneul"]);
        assert_eq!((group.actor_count(), group.updated_at()), (3, Some(at(4))));
    }

    #[test]
    fn event_delivered_again_changes_nothing() {
        let mut group = InboxGroup::default();
        group.add(entry("e1", 1, "jun"));
        let before = group.clone();
        assert!(!group.add(InboxEntry { added_at: at(900), ..entry("e1", 1, "jun") }));
        assert_eq!(group, before);
    }

    #[test]
    fn removed_edge_disappears_and_a_later_addition_of_it_stays() {
        let mut group = InboxGroup::default();
        group.add(entry("e1", 1, "jun"));
        group.add(entry("e2", 2, "sora"));
        assert!(group.remove("e2", Position::new(3, 1).into()));
        assert!(!group.remove("e2", Position::new(3, 1).into()));
        assert_eq!((actors(&group), group.updated_at()), (vec!["jun"], Some(at(1))));
        group.add(entry("e1", 5, "jun"));
        assert!(!group.remove("e1", Position::new(4, 1).into()), "a late removal");
        assert!(group.remove("e1", Position::new(6, 1).into()) && group.is_empty());
    }

    #[test]
    fn oldest_entries_of_a_large_group_are_counted_only() {
        let mut group = InboxGroup::default();
        for commit in 1..=150 {
            assert!(group.add(entry(&format!("e{commit}"), commit, &format!("p{commit}"))));
        }
        assert_eq!((group.actor_count(), group.latest().count()), (150, MAX_INBOX_ENTRIES));
        assert!(!group.add(entry("e7", 7, "p7")), "a replay of a counted event");
        assert_eq!(group.actor_count(), 150);
    }

    #[test]
    fn expired_entries_and_those_of_a_deleted_graph_are_dropped() {
        let mut group = InboxGroup::default();
        group.add(entry("e1", 1, "jun"));
        group.add(InboxEntry { added_at: at(1) + INBOX_RETENTION, ..entry("e2", 2, "sora") });
        assert_eq!(actors(&group), ["sora"]);
        let position = GenerationPosition { generation: 1, position: Position::new(1, 1) };
        group.add(InboxEntry { position, ..entry("e3", 1, "haneul") });
        assert_eq!(actors(&group), ["haneul"]);
    }

    #[test]
    fn erased_person_is_removed_as_actor_and_as_vertex() {
        let mut group = InboxGroup::default();
        group.add(entry("e1", 1, "jun"));
        group.add(InboxEntry { source: "c1".into(), ..entry("e2", 2, "sora") });
        assert_eq!(group.about("jun").count(), 1);
        assert!(group.remove_about("jun") && !group.remove_about("jun"));
        assert_eq!(actors(&group), ["sora"]);
    }

    #[test]
    fn titled_end_is_the_story_of_the_texts() {
        let titled = |id| by_id(id).expect("a rule").titled();
        assert_eq!(titled("like-story"), Some(End::Target));
        assert_eq!(titled("mention-story"), Some(End::Source));
        assert_eq!((titled("follow"), titled("like-comment")), (None, None));
    }

    /// An addition or removal of one of few edges.
    fn operation() -> impl Strategy<Value = (usize, bool)> {
        (0..6_usize, any::<bool>())
    }

    proptest! {
        /// The changes of an edge arrive in their order, but those of different edges in any; each may arrive twice.
        #[test]
        fn group_holds_the_present_edges_in_any_order_of_delivery(
            history in prop::collection::vec(operation(), 0..30),
            delays in prop::collection::vec(0..30_usize, 30),
            repeats in prop::collection::vec(any::<bool>(), 30),
        ) {
            let mut present = [None; 6];
            let mut messages: Vec<(usize, usize, u64, bool)> = Vec::new();
            for (index, (edge, added)) in history.into_iter().enumerate() {
                let commit = index as u64 + 1;
                present[edge] = added.then_some(commit);
                let earliest = messages.iter().filter(|(_, of, ..)| *of == edge).map(|(at, ..)| *at).max().unwrap_or(0);
                messages.push((earliest.max(index + delays[index]), edge, commit, added));
            }
            messages.sort_by_key(|(at, _, commit, _)| (*at, *commit));
            let mut group = InboxGroup::default();
            for (index, (_, edge, commit, added)) in messages.into_iter().enumerate() {
                let (edge, person) = (format!("e{edge}"), format!("p{edge}"));
                for _ in 0..=usize::from(repeats[index]) {
                    if added {
                        group.add(entry(&edge, commit, &person));
                    } else {
                        group.remove(&edge, Position::new(commit, 1).into());
                    }
                }
            }
            let mut expected: Vec<_> = present.into_iter().enumerate().filter_map(|(edge, commit)| Some((commit?, format!("p{edge}")))).collect();
            expected.sort_by(|one, other| other.cmp(one));
            prop_assert_eq!(actors(&group), expected.iter().map(|(_, person)| person.as_str()).collect::<Vec<_>>());
            prop_assert_eq!(group.actor_count(), expected.len() as u64);
        }

        #[test]
        fn stored_group_of_malformed_json_is_read_or_rejected(
            text in malformed_inputs::documents(&[r#"{"entries":[{"edge":"e1","position":"7/1","actor":"jun","source":"jun","target":"s1","committed_at":"2026-11-22T00:00:00Z","added_at":"2026-11-22T00:00:01Z"}],"older":1,"floor":"3/1"}"#]),
        ) {
            if let Ok(group) = serde_json::from_str::<InboxGroup>(&text) {
                let json = serde_json::to_string(&group).expect("JSON");
                prop_assert_eq!(serde_json::from_str::<InboxGroup>(&json).expect("a group"), group);
            }
        }
    }
}

//! What readers of an inbox see of its groups.

use std::collections::{BTreeMap, BTreeSet};

use super::group::{Entry, Group, GroupKey};
use crate::model::graph::{Graph, Link, Node};

/// The API names at most this many actors.
const NAMED_ACTORS: usize = 3;
/// The API counts at most this many unread notifications.
const MAX_UNREAD: usize = 100;

/// A notification as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The persons who acted last, the latest first, with their names.
    pub actors: Vec<(usize, Option<String>)>,
    /// Number of persons who acted.
    pub actor_count: u64,
    /// Source and target of the last edge.
    pub ends: (Node, Node),
    /// Title of the story, if there is one.
    pub title: Option<String>,
    /// Commit time of the last edge, in milliseconds since 1970.
    pub happened_at: i64,
    /// When an entry was last added, in milliseconds since 1970.
    pub updated_at: i64,
    /// Whether the reader has read it.
    pub is_read: bool,
}

/// The notifications that a person sees, if the inbox has these groups and the graph is as given.
pub fn shown(graph: &Graph, person: usize, groups: &[Group], read_through: Option<i64>) -> BTreeMap<GroupKey, Shown> {
    groups.iter().filter_map(|group| Some((group.key, notification(graph, person, group, read_through)?))).collect()
}

/// Number of unread notifications that were last added to at these times. Those that are not shown count, too.
pub fn unread(updated_at: impl IntoIterator<Item = i64>, read_through: Option<i64>) -> usize {
    updated_at.into_iter().filter(|time| !is_read(*time, read_through)).count().min(MAX_UNREAD)
}

fn notification(graph: &Graph, person: usize, group: &Group, read_through: Option<i64>) -> Option<Shown> {
    let latest = latest_by_actor(&group.entries);
    let visible: Vec<_> = latest.into_iter().filter(|entry| !is_hidden(graph, person, entry.actor)).collect();
    let last = visible.first()?;
    if !may_see(graph, person, group.key.rule, last.link.to) {
        return None;
    }
    let name = |actor: usize| (actor, text(graph, Node::Person(actor), "name"));
    Some(Shown {
        actors: visible.iter().take(NAMED_ACTORS).map(|entry| name(entry.actor)).collect(),
        actor_count: visible.len() as u64,
        ends: (last.link.from, last.link.to),
        title: matches!(last.link.to, Node::Story(_)).then(|| text(graph, last.link.to, "title")).flatten(),
        happened_at: last.committed_at,
        updated_at: group.updated_at,
        is_read: is_read(group.updated_at, read_through),
    })
}

/// The latest entry of each actor, the latest first.
fn latest_by_actor(entries: &[Entry]) -> Vec<&Entry> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|entry| (entry.generation, entry.commit));
    let mut seen = BTreeSet::new();
    sorted.into_iter().rev().filter(|entry| seen.insert(entry.actor)).collect()
}

/// Whether a person does not see what an actor did: one has blocked the other, or the person has muted the actor.
fn is_hidden(graph: &Graph, person: usize, actor: usize) -> bool {
    let has =
        |label, from, to| graph.links.contains_key(&Link { label, from: Node::Person(from), to: Node::Person(to) });
    has("blocks", person, actor) || has("blocks", actor, person) || has("mutes", person, actor)
}

/// Whether a person may see what a notification is about.
fn may_see(graph: &Graph, person: usize, rule: &str, target: Node) -> bool {
    let authors: Vec<_> =
        graph.links.keys().filter(|link| link.label == "told" && link.to == target).map(|link| link.from).collect();
    let person = Node::Person(person);
    match rule {
        // Reactions are for the author.
        "like-story" | "reply-story" => authors.contains(&person),
        "story" => {
            let follows =
                |author: &Node| graph.links.contains_key(&Link { label: "follows", from: person, to: *author });
            let is_follower = || authors.iter().any(follows) || authors.contains(&person);
            // A visibility that was removed means private; one that was never set, public.
            match graph.nodes.get(&target).and_then(|story| story.get("visibility")) {
                _ if authors.is_empty() => false,
                None => true,
                Some(visibility) => match visibility.as_deref() {
                    Some("public") => true,
                    Some("followers") => is_follower(),
                    _ => authors.contains(&person),
                },
            }
        }
        _ => true,
    }
}

fn text(graph: &Graph, node: Node, name: &str) -> Option<String> {
    graph.property(node, name).map(str::to_owned)
}

fn is_read(updated_at: i64, read_through: Option<i64>) -> bool {
    read_through.is_some_and(|through| updated_at <= through)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::testing::executed, operation::Operation};

    const FOLLOW: Operation = Operation::Follow { from: 1, to: 0 };
    const PUBLISH: Operation = Operation::PublishStory { author: 0, story: 0 };

    fn entry(label: &'static str, actor: usize, to: Node, commit: u64) -> Entry {
        let link = Link { label, from: Node::Person(actor), to };
        Entry { generation: 0, commit, link, actor, committed_at: 0, added_at: commit as i64 }
    }

    fn group(rule: &'static str, subject: Node, entries: Vec<Entry>) -> Group {
        let updated_at = entries.iter().map(|entry| entry.added_at).max().unwrap_or_default();
        Group { key: GroupKey { rule, subject }, updated_at, entries }
    }

    fn likes(actors: &[usize]) -> Group {
        let story = Node::Story(0);
        let entries = (1..).zip(actors).map(|(commit, actor)| entry("likes", *actor, story, commit));
        group("like-story", story, entries.collect())
    }

    fn published() -> Group {
        group("story", Node::Story(0), vec![entry("told", 0, Node::Story(0), 1)])
    }

    /// What a person sees of one group after these operations.
    fn seen(person: usize, group: Group, operations: &[Operation]) -> Option<Shown> {
        let graph = Graph::of(&executed(operations.to_vec()));
        let key = group.key;
        shown(&graph, person, &[group], None).remove(&key)
    }

    /// The actors that the story's author sees.
    fn actors(group: Group, operations: &[Operation]) -> Vec<usize> {
        let seen = seen(0, group, &[&[PUBLISH], operations].concat());
        seen.into_iter().flat_map(|shown| shown.actors).map(|(actor, _)| actor).collect()
    }

    #[test]
    fn several_likes_are_one_notification_with_the_latest_actors() {
        let title = Operation::SetTitle { story: 0, title: Some(3) };
        let shown = seen(0, likes(&[1, 2, 1, 3, 4]), &[PUBLISH, title]).expect("a notification");
        let name = |person| (person, Some(format!("사람 {person}, 0")));
        assert_eq!((shown.actors, shown.actor_count), (vec![name(4), name(3), name(1)], 4));
        assert_eq!((shown.ends, shown.title), ((Node::Person(4), Node::Story(0)), Some("이야기 0, 3".to_owned())));
    }

    #[test]
    fn blocked_and_muted_actors_are_hidden_while_they_are() {
        let both = || likes(&[1, 2]);
        let block = Operation::Block { from: 2, to: 0 };
        assert_eq!(actors(both(), std::slice::from_ref(&block)), [1]);
        assert_eq!(actors(both(), &[Operation::Mute { from: 0, to: 1 }]), [2]);
        assert_eq!(actors(both(), &[Operation::Mute { from: 1, to: 0 }]), [2, 1]);
        assert_eq!(actors(both(), &[block.clone(), Operation::Unblock { from: 2, to: 0 }]), [2, 1]);
        assert_eq!(actors(likes(&[2]), &[block]), [0; 0]);
    }

    #[test]
    fn author_sees_reactions_while_the_story_is_published() {
        let hide = Operation::SetVisibility { story: 0, visibility: Some("private") };
        assert_eq!(actors(likes(&[1]), &[hide]), [1]);
        assert_eq!(actors(likes(&[1]), &[Operation::UnpublishStory { author: 0, story: 0 }]), [0; 0]);
        assert_eq!(actors(likes(&[1]), &[Operation::Reset]), [0; 0]);
    }

    #[test]
    fn published_story_is_seen_by_those_who_may_see_it_now() {
        let show = |visibility| Operation::SetVisibility { story: 0, visibility };
        let is_seen = |rest: &[Operation]| seen(1, published(), &[&[FOLLOW, PUBLISH], rest].concat()).is_some();
        let unfollow = || Operation::Unfollow { from: 1, to: 0 };
        assert!(is_seen(&[]) && is_seen(&[unfollow()]) && is_seen(&[show(Some("followers"))]));
        assert!(!is_seen(&[show(Some("followers")), unfollow()]));
        assert!(!is_seen(&[show(Some("private"))]) && !is_seen(&[show(Some("public")), show(None)]));
        assert!(!is_seen(&[Operation::UnpublishStory { author: 0, story: 0 }]));
        assert!(!is_seen(&[Operation::RemoveStory { story: 0 }]) && !is_seen(&[Operation::Reset]));
    }

    #[test]
    fn what_was_added_to_since_the_read_mark_is_unread() {
        assert_eq!([None, Some(1), Some(2), Some(3)].map(|through| unread([1, 2, 3], through)), [3, 2, 1, 0]);
        assert_eq!(unread([1; 101], None), 100);
        let is_read = |through| {
            let shown = shown(&Graph::of(&executed(vec![PUBLISH])), 0, &[likes(&[1, 2])], through);
            shown.into_values().map(|shown| shown.is_read).collect::<Vec<_>>()
        };
        assert_eq!([is_read(Some(1)), is_read(Some(2))], [[false], [true]]);
    }
}

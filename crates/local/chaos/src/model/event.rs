//! The operations of a history that cause notifications.

use std::collections::BTreeMap;

use super::{
    Executed,
    graph::{Link, Node},
};
use crate::operation::Operation;

/// An event that causes notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Index in the history.
    pub at: usize,
    /// Index in the history from which it is processed completely.
    pub processed_at: usize,
    pub generation: u64,
    pub commit: u64,
    /// In milliseconds since 1970.
    pub committed_at: i64,
    pub actor: usize,
    pub rule: &'static str,
    pub category: &'static str,
    pub audience: Audience,
    /// The story whose author is the recipient, if any.
    pub story: Option<usize>,
    /// The published story, if the event is a publication.
    pub published: Option<usize>,
    /// The comment that is the edge's source, if the event is a reply.
    pub comment: Option<usize>,
    /// Index at which it is reverted, and index from which the reversal is processed.
    pub reverted: Option<(usize, usize)>,
}

/// Who is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    One(usize),
    FollowersOf(usize),
}

impl Event {
    /// The edge that was added.
    pub fn link(&self) -> Link {
        let (person, story) = (Node::Person(self.actor), |story| Node::Story(story));
        let (label, from, to) = match (self.published, self.comment, self.story, self.audience) {
            (Some(published), ..) => ("told", person, story(published)),
            (_, Some(comment), Some(replied_to), _) => ("replies_to", Node::Comment(comment), story(replied_to)),
            (_, _, Some(liked), _) => ("likes", person, story(liked)),
            (_, _, None, Audience::One(other) | Audience::FollowersOf(other)) => {
                ("follows", person, Node::Person(other))
            }
        };
        Link { label, from, to }
    }
}

/// The index from which the effects of operation `at` are visible: the next point at which all work was done.
pub fn settled_from(history: &[Executed], at: usize) -> usize {
    let mut later = history.iter().enumerate().skip(at + 1);
    later.find(|(_, executed)| executed.settled).map_or(usize::MAX, |(index, _)| index)
}

/// The events of a history, in order.
pub fn events(history: &[Executed]) -> Vec<Event> {
    let mut authors = BTreeMap::new();
    let mut events = Vec::new();
    for (at, executed) in history.iter().enumerate() {
        if let Operation::PublishStory { author, story } = executed.operation {
            authors.insert(story, author);
        }
        let owner_of = |story: usize| authors.get(&story).map(|owner| Audience::One(*owner));
        let published = match executed.operation {
            Operation::PublishStory { story, .. } => Some(story),
            _ => None,
        };
        let comment = match executed.operation {
            Operation::Reply { comment, .. } => Some(comment),
            _ => None,
        };
        let event = match executed.operation {
            Operation::Follow { from, to } => Some(("follow", "followers", from, Some(Audience::One(to)), None)),
            Operation::PublishStory { author, .. } => {
                Some(("story", "stories", author, Some(Audience::FollowersOf(author)), None))
            }
            Operation::Like { from, story } => Some(("like-story", "likes", from, owner_of(story), Some(story))),
            Operation::Reply { from, story, .. } => {
                Some(("reply-story", "replies", from, owner_of(story), Some(story)))
            }
            _ => None,
        };
        let (Some((rule, category, actor, Some(audience), story)), Some(commit)) = (event, executed.commit) else {
            continue;
        };
        let mut later = history.iter().enumerate().skip(at + 1);
        let reverted = later.find(|(_, later)| {
            reverts(&later.operation, &executed.operation) || erases(&later.operation, actor, audience)
        });
        let reverted = reverted.map(|(at, _)| (at, settled_from(history, at)));
        let processed_at = settled_from(history, at);
        let generation = executed.generation;
        events.push(Event {
            at,
            processed_at,
            generation,
            commit,
            committed_at: executed.committed_at.unwrap_or_default(),
            actor,
            rule,
            category,
            audience,
            story,
            published,
            comment,
            reverted,
        });
    }
    events
}

/// Whether an operation erases the actor, or the only recipient. What is between them, goes with both.
fn erases(later: &Operation, actor: usize, audience: Audience) -> bool {
    matches!(later, Operation::Erase { person, .. } if *person == actor || audience == Audience::One(*person))
}

/// Whether an operation removes the edge that an earlier one added.
fn reverts(later: &Operation, earlier: &Operation) -> bool {
    match (earlier, later) {
        (_, Operation::Reset) => true,
        (Operation::Follow { from, to }, Operation::Unfollow { from: other_from, to: other_to }) => {
            (from, to) == (other_from, other_to)
        }
        (Operation::Like { from, story }, Operation::Unlike { from: other_from, story: other_story }) => {
            (from, story) == (other_from, other_story)
        }
        (Operation::PublishStory { story, .. }, Operation::UnpublishStory { story: other_story, .. }) => {
            story == other_story
        }
        (
            Operation::PublishStory { story, .. } | Operation::Like { story, .. } | Operation::Reply { story, .. },
            Operation::RemoveStory { story: other_story },
        ) => story == other_story,
        _ => false,
    }
}

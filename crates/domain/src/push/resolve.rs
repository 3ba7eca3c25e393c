//! Applying a rule to an event: the actor and the recipients.

use super::{
    Event, Vertex, VisibilityFact,
    schema::{Actor, Audience, End, Kind, Rule},
};

/// Result of applying a rule to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The rule is about other kinds of vertices.
    NotApplicable,
    /// The projections do not have the owner of this vertex yet, or the vertex is not visible to others
    /// than its owners yet.
    WaitFor(String),
    /// Recipients are to be notified.
    Notify {
        /// The person who caused the change.
        actor: String,
        /// The persons to notify.
        recipients: Recipients,
    },
}

/// Persons to notify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// These persons.
    Persons(Vec<String>),
    /// All who followed this person before the event and still do.
    FollowersOf(String),
}

impl Rule {
    /// Applies the rule to an event of its label, with the projections of the event's two vertices.
    pub fn resolve(&self, event: &Event, source: &Vertex, target: &Vertex) -> Resolution {
        let actor = match self.actor {
            // Of the service there is no edge. Its events are not resolved.
            Actor::Source | Actor::Service => event.from.clone(),
            Actor::OwnerOfSource => match source.owners.first() {
                Some(owner) => owner.person.clone(),
                None => return Resolution::WaitFor(event.from.clone()),
            },
        };
        if self.audience == Audience::OwnerOfTarget && target.owners.is_empty() {
            return Resolution::WaitFor(event.to.clone());
        }
        let matches = |required: Option<Kind>, vertex: &Vertex| {
            required.is_none_or(|required| vertex.owners.first().is_some_and(|owner| owner.kind == required))
        };
        if !matches(self.when.source, source) || !matches(self.when.target, target) {
            return Resolution::NotApplicable;
        }
        if let Some(end) = self.discloses()
            && !end.of(source, target).visibility.is_some_and(VisibilityFact::is_shared)
        {
            return Resolution::WaitFor(self.vertex(end, event).to_owned());
        }
        let recipients = match self.audience {
            Audience::Target => Recipients::Persons(vec![event.to.clone()]),
            Audience::FollowersOfSource => Recipients::FollowersOf(event.from.clone()),
            Audience::OwnerOfTarget => {
                Recipients::Persons(target.owners.iter().map(|owner| owner.person.clone()).collect())
            }
        };
        Resolution::Notify { actor, recipients }
    }

    /// Id of the event's vertex at `end`.
    pub fn vertex<'a>(&self, end: End, event: &'a Event) -> &'a str {
        end.of(&event.from, &event.to)
    }
}

impl End {
    /// The one of two values that belongs to this end.
    pub fn of<T>(self, source: T, target: T) -> T {
        match self {
            Self::Source => source,
            Self::Target => target,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{ChangeKind, Position},
        media::Visibility,
        push::{
            Owner,
            rules::{awaited_vertices, by_id, for_label},
            testing::{edge, received},
        },
    };

    fn event(label: &str) -> Event {
        Event::of(&received(edge(ChangeKind::Added, 7, "e1", label, "a", "b"))).expect("an event")
    }

    /// A public vertex.
    fn owned(person: &str, kind: Kind) -> Vertex {
        let visibility = Some(VisibilityFact { visibility: Visibility::Public, since: Position::new(1, 1).into() });
        Vertex { owners: vec![Owner { person: person.into(), kind }], visibility, ..Vertex::default() }
    }

    /// Rule, actor and recipients of all rules that notify.
    fn notified(label: &str, source: &Vertex, target: &Vertex) -> Vec<(&'static str, String, Recipients)> {
        let event = event(label);
        let notified = for_label(label).filter_map(|rule| match rule.resolve(&event, source, target) {
            Resolution::Notify { actor, recipients } => Some((rule.id.as_str(), actor, recipients)),
            _ => None,
        });
        notified.collect()
    }

    fn persons(person: &str) -> Recipients {
        Recipients::Persons(vec![person.to_owned()])
    }

    #[test]
    fn each_kind_of_edge_notifies_its_audience() {
        let unknown = Vertex::default();
        let (story, comment) = (owned("mina", Kind::Story), owned("jun", Kind::Comment));
        assert_eq!(notified("follows", &unknown, &unknown), [("follow", "a".into(), persons("b"))]);
        assert_eq!(notified("likes", &unknown, &story), [("like-story", "a".into(), persons("mina"))]);
        assert_eq!(notified("likes", &unknown, &comment), [("like-comment", "a".into(), persons("jun"))]);
        assert_eq!(notified("replies_to", &comment, &story), [("reply-story", "jun".into(), persons("mina"))]);
        assert_eq!(notified("replies_to", &comment, &comment), [("reply-comment", "jun".into(), persons("jun"))]);
        assert_eq!(notified("mentions", &story, &unknown), [("mention-story", "mina".into(), persons("b"))]);
        assert_eq!(notified("mentions", &comment, &unknown), [("mention-comment", "jun".into(), persons("b"))]);
        assert_eq!(notified("told", &unknown, &story), [("story", "a".into(), Recipients::FollowersOf("a".into()))]);
        for label in ["wrote", "blocks", "mutes", "LIKES"] {
            assert_eq!(for_label(label).count(), 0, "{label}");
        }
    }

    #[test]
    fn event_waits_for_vertices_without_a_known_owner() {
        let (unknown, comment) = (Vertex::default(), owned("jun", Kind::Comment));
        let resolve = |label, source, target| -> Vec<_> {
            for_label(label).map(|rule| rule.resolve(&event(label), source, target)).collect()
        };
        assert_eq!(resolve("likes", &unknown, &unknown), vec![Resolution::WaitFor("b".into()); 2]);
        assert_eq!(resolve("replies_to", &unknown, &unknown), vec![Resolution::WaitFor("a".into()); 2]);
        assert_eq!(resolve("replies_to", &comment, &unknown), vec![Resolution::WaitFor("b".into()); 2]);
        assert_eq!(awaited_vertices("likes"), (false, true));
        assert_eq!(awaited_vertices("replies_to"), (true, true));
        assert_eq!(awaited_vertices("mentions"), (true, false));
        assert_eq!(awaited_vertices("told"), (false, true));
        assert_eq!(awaited_vertices("follows"), (false, false));
    }

    #[test]
    fn hidden_story_notifies_its_owners_only() {
        let (unknown, mut story) = (Vertex::default(), owned("mina", Kind::Story));
        let hidden = Some(VisibilityFact { visibility: Visibility::Private, since: Position::new(3, 1).into() });
        for visibility in [None, hidden] {
            story.visibility = visibility;
            let resolve = |label, id, source, target| by_id(id).expect("a rule").resolve(&event(label), source, target);
            assert_eq!(resolve("told", "story", &unknown, &story), Resolution::WaitFor("b".into()));
            assert_eq!(resolve("mentions", "mention-story", &story, &unknown), Resolution::WaitFor("a".into()));
            assert_eq!(notified("likes", &unknown, &story), [("like-story", "a".into(), persons("mina"))]);
            assert_eq!(notified("mentions", &owned("jun", Kind::Comment), &unknown).len(), 1);
        }
        for visibility in [Visibility::Public, Visibility::Followers] {
            story.visibility = Some(VisibilityFact { visibility, since: Position::new(3, 1).into() });
            assert_eq!(
                (notified("told", &unknown, &story).len(), notified("mentions", &story, &unknown).len()),
                (1, 1)
            );
        }
    }
}

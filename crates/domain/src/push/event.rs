use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Rule, rules};
use crate::graph::{ChangeKind, EntityKind, Position, Received};

/// An edge that was added, and that somebody may have to be told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `<cluster>/<commitNum>/<opNum>`: the same at every delivery.
    pub id: String,
    /// Its place in the graph's history.
    pub position: Position,
    /// When the commit was requested.
    pub committed_at: Timestamp,
    /// The edge's id.
    pub edge: String,
    /// Its label.
    pub label: String,
    /// The vertex where it begins.
    pub from: String,
    /// The vertex where it ends.
    pub to: String,
}

impl Event {
    /// The event in a change, if there is a rule for it. An edge that was only changed is none,
    /// also if it leads elsewhere since: see [`ChangeKind::Changed`].
    pub fn of(received: &Received) -> Option<Self> {
        let change = &received.change;
        let ends = change.ends.as_ref()?;
        let label = change.labels.added.first()?;
        if change.kind != EntityKind::Edge || change.what != ChangeKind::Added || rules::about(label).next().is_none() {
            return None;
        }
        Some(Self {
            id: received.id.clone(),
            position: change.position,
            // A year beyond 9999 is too old as well.
            committed_at: Timestamp::from_millisecond(change.commit_timestamp_ms).unwrap_or(Timestamp::MIN),
            edge: change.entity_id.clone(),
            label: label.clone(),
            from: ends.from.clone(),
            to: ends.to.clone(),
        })
    }

    /// The rules that are about it.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        rules::about(&self.label)
    }

    /// How long a notification by `rule` has still to live. `None` if it is too old to be sent.
    pub fn time_left(&self, rule: &Rule, now: Timestamp) -> Option<SignedDuration> {
        let ttl = SignedDuration::from_secs(rule.ttl_seconds.into());
        // A clock ahead of ours must not make it live longer.
        let age = now.duration_since(self.committed_at).max(SignedDuration::ZERO);
        (age < ttl).then(|| ttl - age)
    }

    /// When no rule would send it any more.
    pub fn expires_at(&self) -> Timestamp {
        let longest = self.rules().map(|rule| rule.ttl_seconds).max().unwrap_or_default();
        self.committed_at.checked_add(SignedDuration::from_secs(longest.into())).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::testing::{COMMIT_MS, edge, received, vertex};

    fn event() -> Event {
        Event::of(&received(edge(ChangeKind::Added, 7, "e1", "likes", "mina", "s1"))).expect("an event")
    }

    #[test]
    fn only_an_added_edge_with_a_rule_is_one() {
        let event = event();
        assert_eq!((event.id.as_str(), event.from.as_str(), event.to.as_str()), ("main/7/1", "mina", "s1"));
        for change in [
            edge(ChangeKind::Removed, 7, "e1", "likes", "mina", "s1"),
            edge(ChangeKind::Changed, 7, "e1", "likes", "mina", "s1"),
            edge(ChangeKind::Added, 7, "e1", "blocks", "mina", "jun"),
            vertex(7, "mina", "name", Some("Mina")),
        ] {
            assert_eq!(Event::of(&received(change.clone())), None, "{change:?}");
        }
    }

    #[test]
    fn it_lives_as_long_as_its_rule_says() {
        let event = event();
        let rule = event.rules().next().expect("a rule");
        let after = |ms: i64| Timestamp::from_millisecond(COMMIT_MS + ms).expect("a time");
        let ttl = SignedDuration::from_secs(rule.ttl_seconds.into());
        assert_eq!(event.time_left(rule, after(1000)), Some(ttl - SignedDuration::from_secs(1)));
        assert_eq!(event.time_left(rule, after(-1000)), Some(ttl));
        assert_eq!(event.time_left(rule, after(i64::from(rule.ttl_seconds) * 1000)), None);
        assert_eq!(event.expires_at(), after(i64::from(rule.ttl_seconds) * 1000));
    }

    #[test]
    fn a_time_that_is_none_is_too_old() {
        let mut change = edge(ChangeKind::Added, 7, "e1", "likes", "mina", "s1");
        change.commit_timestamp_ms = i64::MAX;
        let event = Event::of(&received(change)).expect("an event");
        let rule = event.rules().next().expect("a rule");
        assert_eq!(event.time_left(rule, Timestamp::from_millisecond(COMMIT_MS).expect("a time")), None);
    }
}

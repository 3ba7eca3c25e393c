use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Rule, rules};
use crate::{
    export::ExportReady,
    graph::{ChangeKind, EntityKind, GenerationPosition, Position, ReceivedChange},
};

/// The addition of an edge for which there is a notification rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `<cluster>/<commitNum>/<opNum>`: the same at every delivery.
    pub id: String,
    /// Position of the change.
    pub position: GenerationPosition,
    /// Time of the commit.
    pub committed_at: Timestamp,
    /// Id of the edge.
    pub edge: String,
    /// Label of the edge.
    pub label: String,
    /// Id of the source vertex.
    pub from: String,
    /// Id of the target vertex.
    pub to: String,
}

impl Event {
    /// The event of a change, if there is a rule for it. A changed edge is no event, also if its ends
    /// changed: see [`ChangeKind::Changed`].
    pub fn of(received: &ReceivedChange) -> Option<Self> {
        let change = &received.change;
        let ends = change.ends.as_ref()?;
        let label = change.labels.added.first()?;
        if change.kind != EntityKind::Edge
            || change.change_kind != ChangeKind::Added
            || rules::for_label(label).next().is_none()
        {
            return None;
        }
        Some(Self {
            id: received.id.clone(),
            position: received.position(),
            // A year after 9999 counts as expired.
            committed_at: Timestamp::from_millisecond(change.commit_timestamp_ms).unwrap_or(Timestamp::MIN),
            edge: change.entity_id.clone(),
            label: label.clone(),
            from: ends.from.clone(),
            to: ends.to.clone(),
        })
    }

    /// The event that a copy of everything about a person is ready, and its rule. Its source is the copy, its target the
    /// person. `None` if there is no such rule.
    pub fn of_export(ready: &ExportReady) -> Option<(Self, &'static Rule)> {
        let rule = rules::by_id("export-ready")?;
        let event = Self {
            id: format!("export/{}", ready.id),
            position: Position::new(0, 0).into(),
            committed_at: ready.ready_at,
            edge: format!("export/{}", ready.id),
            label: rule.when.edge.clone(),
            from: ready.id.clone(),
            to: ready.user.clone(),
        };
        Some((event, rule))
    }

    /// The rules about edges of its label.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        rules::for_label(&self.label)
    }

    /// Remaining time to live of a notification of `rule`; `None` if it has expired.
    pub fn time_left(&self, rule: &Rule, now: Timestamp) -> Option<SignedDuration> {
        let ttl = SignedDuration::from_secs(rule.ttl_seconds.into());
        // A commit time in the future must not extend the time to live.
        let age = now.duration_since(self.committed_at).max(SignedDuration::ZERO);
        (age < ttl).then(|| ttl - age)
    }

    /// Time after which no rule sends a notification.
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
    fn only_an_added_edge_with_a_rule_is_an_event() {
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
    fn event_expires_after_the_time_to_live_of_its_rule() {
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
    fn export_is_announced_to_its_owner_for_a_day() {
        let ready_at = Timestamp::from_millisecond(COMMIT_MS).expect("a time");
        let ready = ExportReady { user: "mina".into(), id: "e1".into(), ready_at };
        let (event, rule) = Event::of_export(&ready).expect("a rule");
        assert_eq!((event.from.as_str(), event.to.as_str(), event.id.as_str()), ("e1", "mina", "export/e1"));
        assert_eq!(event.time_left(rule, ready_at), Some(crate::export::DOWNLOADABLE));
        assert_eq!(event.rules().count(), 0, "no rule about an edge");
    }

    #[test]
    fn event_with_an_invalid_time_has_expired() {
        let mut change = edge(ChangeKind::Added, 7, "e1", "likes", "mina", "s1");
        change.commit_timestamp_ms = i64::MAX;
        let event = Event::of(&received(change)).expect("an event");
        let rule = event.rules().next().expect("a rule");
        assert_eq!(event.time_left(rule, Timestamp::from_millisecond(COMMIT_MS).expect("a time")), None);
    }
}

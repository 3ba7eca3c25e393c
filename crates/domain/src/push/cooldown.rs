use jiff::{SignedDuration, Timestamp};

use super::Event;

/// The cooldown of a rule's notifications about one pair of vertices: an edge that is removed and added again is another
/// event, but is pushed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cooldown {
    /// Id of the event that holds it.
    pub event: String,
    /// Its commit time, from which it runs.
    pub started_at: Timestamp,
}

impl Cooldown {
    /// Whether `event` is within it, if it lasts `duration`: of all events within, one is pushed to each recipient.
    ///
    /// An event that is older by the duration is not: it may have held the cooldown before, and a retry must not
    /// decide otherwise.
    pub fn includes(&self, event: &Event, duration: SignedDuration) -> bool {
        self.event != event.id && event.committed_at.duration_since(self.started_at).abs() < duration
    }
}

impl Event {
    /// The latest start of a cooldown of this `duration` that has ended before the event.
    pub fn latest_ended_cooldown(&self, duration: SignedDuration) -> Timestamp {
        self.committed_at.checked_sub(duration).unwrap_or(Timestamp::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::ChangeKind,
        push::testing::{edge, received},
    };

    #[test]
    fn other_event_is_within_the_duration_on_either_side() {
        let event = Event::of(&received(edge(ChangeKind::Added, 7, "e1", "likes", "jun", "s1"))).expect("an event");
        let hour = SignedDuration::from_hours(1);
        let includes = |holder: &str, seconds: i64| {
            let started_at = event.committed_at + SignedDuration::from_secs(seconds);
            Cooldown { event: holder.to_owned(), started_at }.includes(&event, hour)
        };
        for (seconds, expected) in [(0, true), (3_599, true), (-3_599, true), (3_600, false), (-3_600, false)] {
            assert_eq!(includes("main/3/1", seconds), expected, "{seconds}");
            assert!(!includes(&event.id, seconds), "its own");
        }
        assert_eq!(event.latest_ended_cooldown(hour), event.committed_at - hour);
    }
}

//! Which events are pushed, if several are about the same two vertices.

use super::notifications::Event;

/// The stack's parameter `PushCooldown` (`run.rs`), in milliseconds.
const COOLDOWN_MS: i64 = 3_600_000;

/// Whether a cooldown suppresses the pushes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No other event can hold one.
    Free,
    /// Another event may be processed first.
    Unknown,
    /// Another event was processed before.
    Suppressed,
}

/// The standing of `event` among all events. `is_claimed` says whether an event certainly claims its cooldown or finds it
/// claimed; `None`: it certainly does not.
pub fn standing(event: &Event, events: &[Event], is_claimed: impl Fn(&Event) -> Option<bool>) -> Standing {
    let same: Vec<_> = events.iter().filter(|other| other.at != event.at && has_same_vertices(other, event)).collect();
    let is_within = |other: &Event| (other.committed_at - event.committed_at).abs() < COOLDOWN_MS;
    // Whichever of the earlier ones holds the cooldown.
    let all_within = same.iter().filter(|other| other.at < event.at).all(|other| is_within(other));
    let mut standing = Standing::Free;
    for other in same.into_iter().filter(|other| is_within(other) && other.at < event.processed_at) {
        match is_claimed(other) {
            Some(true) if all_within && other.processed_at <= event.at => return Standing::Suppressed,
            Some(_) => standing = Standing::Unknown,
            None => {}
        }
    }
    standing
}

/// Whether both are about the same source and target by one rule.
fn has_same_vertices(one: &Event, other: &Event) -> bool {
    let vertices = |event: &Event| {
        (event.generation, event.rule, event.actor, event.audience, event.story, event.published, event.comment)
    };
    vertices(one) == vertices(other)
}

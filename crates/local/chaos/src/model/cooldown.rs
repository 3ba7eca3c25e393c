//! Which events are pushed, if several are about the same two vertices.

use super::event::Event;

/// The stack's parameter `PushCooldown` (`run.rs`), in milliseconds.
const COOLDOWN_MS: i64 = 3_600_000;

/// Whether a cooldown suppresses the pushes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing<'a> {
    /// No other event can hold one.
    Free,
    /// Another event may be processed first.
    Unknown,
    /// These events were processed before. Recipients whom they have reached get no push.
    After(Vec<&'a Event>),
}

/// The standing of `event` among all events, and those that may suppress it. `is_claimed` says whether an event certainly
/// claims its cooldown or finds it claimed; `None`: it certainly does not.
pub fn standing<'a>(
    event: &Event,
    events: &'a [Event],
    is_claimed: impl Fn(&Event) -> Option<bool>,
) -> (Standing<'a>, Vec<&'a Event>) {
    let same: Vec<_> = events.iter().filter(|other| other.at != event.at && has_same_vertices(other, event)).collect();
    let is_within = |other: &Event| (other.committed_at - event.committed_at).abs() < COOLDOWN_MS;
    // Whichever of the earlier ones holds the cooldown.
    let all_within = same.iter().filter(|other| other.at < event.at).all(|other| is_within(other));
    let may_suppress =
        |other: &&Event| is_within(other) && other.at < event.processed_at && is_claimed(other).is_some();
    let others: Vec<_> = same.into_iter().filter(may_suppress).collect();
    let is_before = |other: &&Event| other.processed_at <= event.at && is_claimed(other) == Some(true);
    let before: Vec<_> = others.iter().copied().filter(is_before).collect();
    let standing = match others.is_empty() {
        true => Standing::Free,
        false if all_within && !before.is_empty() => Standing::After(before),
        false => Standing::Unknown,
    };
    (standing, others)
}

/// Whether both are about the same source and target by one rule.
fn has_same_vertices(one: &Event, other: &Event) -> bool {
    let vertices = |event: &Event| {
        (event.generation, event.rule, event.actor, event.audience, event.story, event.published, event.comment)
    };
    vertices(one) == vertices(other)
}

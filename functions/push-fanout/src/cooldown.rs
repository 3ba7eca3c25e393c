//! Determines which event holds the cooldown of an event's source and target. Recipients are claimed in its name, so one of
//! all events within the cooldown is pushed to each recipient, and the others are in the inbox only.

use domain::push::{Event, Rule};
use function_kit::failure::Failure;
use jiff::SignedDuration;
use store::ledger::CooldownClaim;

use crate::ports::Ledger;

/// Id of the event that holds the cooldown: that of `event` itself, unless an edge between the same vertices came shortly
/// before or after it.
pub async fn holder(
    ports: &impl Ledger,
    duration: SignedDuration,
    event: &Event,
    rule: &Rule,
) -> Result<String, Failure> {
    if duration.is_zero() {
        return Ok(event.id.clone());
    }
    let stored = ports.claim_cooldown(&CooldownClaim { event, rule, duration }).await?;
    let other = stored.filter(|stored| stored.includes(event, duration));
    Ok(other.map_or_else(|| event.id.clone(), |other| other.event))
}

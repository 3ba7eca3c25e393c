//! Decides once per event whether its pushes are suppressed, because an edge between the same vertices was pushed shortly
//! before. Suppressed notifications are in the inbox only.

use domain::push::{Event, Rule};
use function_kit::failure::Failure;
use jiff::SignedDuration;
use store::ledger::CooldownClaim;
use tracing::info;

use crate::{
    deliver::CLAIM_DURATION,
    ports::{Ledger, Runtime},
};

/// Whether the pushes of an event are suppressed, by its first page of `recipients`. `None` if the page has none but the
/// actor.
///
/// The edge must exist, and the story be visible: an event that is not sent must not suppress others. An event that has
/// claimed the cooldown and was not sent after all has no outcome in the ledger. The next one takes over then, once no
/// process can be sending.
///
/// # Errors
/// A transient failure while another event holds the cooldown and may be being sent.
pub async fn is_suppressed(
    ports: &(impl Ledger + Runtime),
    duration: SignedDuration,
    event: &Event,
    rule: &Rule,
    actor: &str,
    recipients: &[String],
) -> Result<Option<bool>, Failure> {
    const DOING: &str = "claim a cooldown";
    let recipients: Vec<_> = recipients.iter().map(String::as_str).filter(|recipient| *recipient != actor).collect();
    if recipients.is_empty() {
        return Ok(None);
    }
    if duration.is_zero() {
        return Ok(Some(false));
    }
    let now = ports.now();
    let until = now.checked_add(CLAIM_DURATION).map_err(|error| Failure::bug(DOING, error))?;
    let claim = CooldownClaim { event, rule, duration, until };
    let Some(holder) = ports.claim_cooldown(&claim, None).await? else { return Ok(Some(false)) };
    if !holder.suppresses(event, duration) {
        return Ok(Some(false));
    }
    if ports.is_settled_for_any(&rule.id, &holder.event, &recipients).await? {
        info!(event = event.id, rule = rule.id, holder = holder.event, "cooldown");
        return Ok(Some(true));
    }
    if holder.claimed_until > now {
        return Err(Failure::transient(DOING, "the event that holds it may be being sent"));
    }
    match ports.claim_cooldown(&claim, Some(&holder)).await? {
        None => Ok(Some(false)),
        Some(_) => Err(Failure::transient(DOING, "another event has taken it over")),
    }
}

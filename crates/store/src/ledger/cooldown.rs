//! Cooldowns: an edge that is removed and added again is pushed once to each recipient.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use domain::push::{Cooldown, Event, Rule};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::LedgerTable;
use crate::attribute::{Attributes, get_text, milliseconds, seconds, text};

/// A claim of the cooldown of an event's source and target.
#[derive(Debug, Clone, Copy)]
pub struct CooldownClaim<'a> {
    /// The event.
    pub event: &'a Event,
    /// The notification rule.
    pub rule: &'a Rule,
    /// How long the cooldown lasts from the event's commit.
    pub duration: SignedDuration,
}

impl LedgerTable {
    /// Claims a cooldown: if there is none, the event holds it already, or it has ended before the event. Returns the stored
    /// one if the claim fails.
    ///
    /// DynamoDB deletes expired rows late, so the condition compares times.
    pub async fn claim_cooldown(&self, claim: &CooldownClaim<'_>) -> Result<Option<Cooldown>, Failure> {
        const DOING: &str = "claim a cooldown";
        let CooldownClaim { event, rule, duration } = *claim;
        let update = self
            .update(cooldown_id(event, rule))
            .update_expression("SET #event = :event, started_at = :started_at, expires_at = :expires_at")
            .condition_expression("attribute_not_exists(id) OR #event = :event OR started_at <= :ended")
            .expression_attribute_names("#event", "event")
            .expression_attribute_values(":event", text(&event.id))
            .expression_attribute_values(":started_at", milliseconds(event.committed_at))
            .expression_attribute_values(":ended", milliseconds(event.latest_ended_cooldown(duration)))
            .expression_attribute_values(":expires_at", expires_at(event.committed_at, rule, duration))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let stored = failed.item().and_then(cooldown);
                    stored.map(Some).ok_or_else(|| Failure::bug(DOING, "the row has an unexpected form"))
                }
                _ => Err(Failure::aws(DOING, error)),
            },
        }
    }
}

/// The key of a cooldown. A fast reset deletes the graph, so each generation has its own. The vertices are hashed: ids have
/// any length, and those of people must not be in rows that an erasure does not find.
fn cooldown_id(event: &Event, rule: &Rule) -> AttributeValue {
    let Event { position, from, to, .. } = event;
    let hash = Sha256::digest(format!("{}\n{}\n{from}\n{to}", position.generation, from.len()));
    text(format!("cooldown#{}#{hash:x}", rule.id))
}

/// When no event within a cooldown is sent any more.
fn expires_at(started_at: Timestamp, rule: &Rule, duration: SignedDuration) -> AttributeValue {
    let last = started_at.checked_add(duration + SignedDuration::from_secs(rule.ttl_seconds.into()));
    seconds(last.unwrap_or(Timestamp::MAX))
}

fn cooldown(row: &Attributes) -> Option<Cooldown> {
    let time = |name| Timestamp::from_millisecond(row.get(name)?.as_n().ok()?.parse().ok()?).ok();
    Some(Cooldown { event: get_text(row, "event")?.to_owned(), started_at: time("started_at")? })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client, operation::update_item::UpdateItemOutput, types::error::ConditionalCheckFailedException,
    };
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::push::rules;
    use function_kit::failure::Kind;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{event, malformed, now, row, value};

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn claim(event: &Event) -> CooldownClaim<'_> {
        let rule = rules::by_id("like-story").expect("a rule");
        CooldownClaim { event, rule, duration: HOUR }
    }

    fn stored() -> Attributes {
        row([("event", text("main/3/1")), ("started_at", milliseconds(now() + SignedDuration::from_secs(5)))])
    }

    fn other() -> Cooldown {
        let started_at = now() + SignedDuration::from_secs(5);
        Cooldown { event: "main/3/1".into(), started_at }
    }

    fn condition_failed(row: Attributes) -> UpdateItemError {
        let failed = ConditionalCheckFailedException::builder().set_item(Some(row)).build();
        UpdateItemError::ConditionalCheckFailedException(failed)
    }

    #[tokio::test]
    async fn cooldown_is_claimed_unless_another_event_holds_it() {
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                let id = value(request.key(), "id").unwrap_or_default();
                id.starts_with("cooldown#like-story#") && !id.contains("jun") && id.len() == 84
                    && request.condition_expression()
                        == Some("attribute_not_exists(id) OR #event = :event OR started_at <= :ended")
                    && value(values, ":event") == Some("main/7/1")
                    && value(values, ":started_at") == Some("1795305600000")
                    && value(values, ":ended") == Some("1795302000000")
                    // An hour and the rule's lifetime, a day, after the commit.
                    && value(values, ":expires_at") == Some("1795395600")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(|| condition_failed(stored()))
            .build();
        let table = LedgerTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&update]), "ledger".into());
        let event = event();
        assert_eq!(table.claim_cooldown(&claim(&event)).await.expect("a result"), None);
        assert_eq!(table.claim_cooldown(&claim(&event)).await.expect("a result"), Some(other()));
    }

    #[tokio::test]
    async fn unreadable_cooldown_is_a_bug() {
        let update = mock!(Client::update_item).then_error(|| condition_failed(row([("event", text("main/3/1"))])));
        let table = LedgerTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&update]), "ledger".into());
        let failure = table.claim_cooldown(&claim(&event())).await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Bug);
    }

    #[test]
    fn different_vertices_have_different_cooldowns() {
        let rule = rules::by_id("like-story").expect("a rule");
        let id = |from: &str, to: &str| cooldown_id(&Event { from: from.into(), to: to.into(), ..event() }, rule);
        assert_ne!(id("jun", "s1"), id("s1", "jun"));
        assert_ne!(id("a\nb", "c"), id("a", "b\nc"));
        let mut of_new_graph = event();
        of_new_graph.position.generation = 1;
        assert_ne!(cooldown_id(&of_new_graph, rule), cooldown_id(&event(), rule));
    }

    proptest! {
        #[test]
        fn malformed_cooldown_is_read_or_rejected(row in malformed(stored())) {
            prop_assert!(cooldown(&row).is_none() || row.contains_key("started_at"));
        }
    }
}

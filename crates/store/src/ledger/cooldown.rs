//! Cooldowns: an edge that is removed and added again is pushed once.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use domain::push::{Cooldown, Event, Rule};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{LedgerTable, row_id};
use crate::{
    attribute::{Attributes, get_text, milliseconds, seconds, text},
    batch_get::{MAX_KEYS, batch_get},
};

/// A claim of the cooldown of an event's source and target.
#[derive(Debug, Clone, Copy)]
pub struct CooldownClaim<'a> {
    /// The event.
    pub event: &'a Event,
    /// The notification rule.
    pub rule: &'a Rule,
    /// How long the cooldown lasts from the event's commit.
    pub duration: SignedDuration,
    /// Time until which the claiming process may run.
    pub until: Timestamp,
}

impl LedgerTable {
    /// Claims a cooldown: if there is none, the event holds it already, or it has ended before the event. A cooldown `over`,
    /// if it is given and still stored, is taken over. Returns the stored one if the claim fails.
    ///
    /// DynamoDB deletes expired rows late, so the condition compares times.
    pub async fn claim_cooldown(
        &self,
        claim: &CooldownClaim<'_>,
        over: Option<&Cooldown>,
    ) -> Result<Option<Cooldown>, Failure> {
        const DOING: &str = "claim a cooldown";
        let CooldownClaim { event, rule, duration, until } = *claim;
        // A cooldown that is taken over does not start earlier: events that it let pass before must pass again.
        let started_at = over.map_or(event.committed_at, |over| over.started_at.max(event.committed_at));
        let update = self
            .update(cooldown_id(event, rule))
            .update_expression(
                "SET #event = :event, started_at = :started_at, claimed_until = :until, expires_at = :expires_at",
            )
            .condition_expression(
                "attribute_not_exists(id) OR #event = :event OR started_at <= :ended OR #event = :over",
            )
            .expression_attribute_names("#event", "event")
            .expression_attribute_values(":event", text(&event.id))
            .expression_attribute_values(":over", text(over.map_or(&event.id, |over| &over.event)))
            .expression_attribute_values(":started_at", milliseconds(started_at))
            .expression_attribute_values(":ended", milliseconds(event.latest_ended_cooldown(duration)))
            .expression_attribute_values(":until", milliseconds(until))
            .expression_attribute_values(":expires_at", expires_at(started_at, rule, duration))
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

    /// Whether the event with this id has a final outcome for any of `recipients`; strongly consistent.
    pub async fn is_settled_for_any(&self, rule: &str, event_id: &str, recipients: &[&str]) -> Result<bool, Failure> {
        const DOING: &str = "read outcomes";
        let projection = ("outcome".to_owned(), HashMap::new());
        // The keys of a request must be unique.
        let recipients: Vec<_> = recipients.iter().collect::<BTreeSet<_>>().into_iter().collect();
        for page in recipients.chunks(MAX_KEYS) {
            let key = |recipient: &&&str| Attributes::from([("id".to_owned(), row_id(rule, event_id, recipient))]);
            let keys = page.iter().map(key).collect();
            let rows = batch_get(&self.client, &self.name, keys, Some(&projection), DOING).await?;
            if rows.iter().any(|row| row.contains_key("outcome")) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The key of a cooldown. A fast reset deletes the graph, so each generation has its own. The vertices are hashed: ids have
/// any length, and those of people must not be in rows that an erasure does not find.
fn cooldown_id(event: &Event, rule: &Rule) -> AttributeValue {
    let Event { position, from, to, .. } = event;
    let hash = Sha256::digest(format!("{}\n{}\n{from}\n{to}", position.generation, from.len()));
    text(format!("cooldown#{}#{hash:x}", rule.id))
}

/// When no event that a cooldown suppresses is sent any more.
fn expires_at(started_at: Timestamp, rule: &Rule, duration: SignedDuration) -> AttributeValue {
    let last = started_at.checked_add(duration + SignedDuration::from_secs(rule.ttl_seconds.into()));
    seconds(last.unwrap_or(Timestamp::MAX))
}

fn cooldown(row: &Attributes) -> Option<Cooldown> {
    let time = |name| Timestamp::from_millisecond(row.get(name)?.as_n().ok()?.parse().ok()?).ok();
    Some(Cooldown {
        event: get_text(row, "event")?.to_owned(),
        started_at: time("started_at")?,
        claimed_until: time("claimed_until")?,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::{batch_get_item::BatchGetItemOutput, update_item::UpdateItemOutput},
        types::error::ConditionalCheckFailedException,
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
        CooldownClaim { event, rule, duration: HOUR, until: now() + SignedDuration::from_secs(60) }
    }

    fn stored() -> Attributes {
        row([
            ("event", text("main/3/1")),
            ("started_at", milliseconds(now() + SignedDuration::from_secs(5))),
            ("claimed_until", milliseconds(now())),
        ])
    }

    fn other() -> Cooldown {
        let started_at = now() + SignedDuration::from_secs(5);
        Cooldown { event: "main/3/1".into(), started_at, claimed_until: now() }
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
                        == Some("attribute_not_exists(id) OR #event = :event OR started_at <= :ended OR #event = :over")
                    && value(values, ":event") == Some("main/7/1")
                    && value(values, ":over") == Some("main/7/1")
                    && value(values, ":started_at") == Some("1795305600000")
                    && value(values, ":ended") == Some("1795302000000")
                    && value(values, ":until") == Some("1795305660000")
                    // An hour and the rule's lifetime, a day, after the commit.
                    && value(values, ":expires_at") == Some("1795395600")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(|| condition_failed(stored()))
            .build();
        let table = LedgerTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&update]), "ledger".into());
        let event = event();
        assert_eq!(table.claim_cooldown(&claim(&event), None).await.expect("a result"), None);
        assert_eq!(table.claim_cooldown(&claim(&event), None).await.expect("a result"), Some(other()));
    }

    #[tokio::test]
    async fn cooldown_that_is_taken_over_does_not_start_earlier() {
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                value(values, ":over") == Some("main/3/1") && value(values, ":started_at") == Some("1795305605000")
            })
            .then_output(|| UpdateItemOutput::builder().build());
        let table = LedgerTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&update]), "ledger".into());
        assert_eq!(table.claim_cooldown(&claim(&event()), Some(&other())).await.expect("a result"), None);
    }

    #[tokio::test]
    async fn unreadable_cooldown_is_a_bug() {
        let update = mock!(Client::update_item).then_error(|| condition_failed(row([("event", text("main/3/1"))])));
        let table = LedgerTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&update]), "ledger".into());
        let failure = table.claim_cooldown(&claim(&event()), None).await.expect_err("a failure");
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

    #[tokio::test]
    async fn outcome_of_any_recipient_settles_the_event() {
        let read = mock!(Client::batch_get_item)
            .match_requests(|request| {
                let keys = request.request_items().and_then(|items| items.get("ledger")).map(|request| request.keys());
                keys.is_some_and(|keys| {
                    keys.len() == 2 && value(keys.first(), "id") == Some("told#like-story#main/3/1#jun")
                })
            })
            .sequence()
            .output(|| BatchGetItemOutput::builder().responses("ledger", vec![row([])]).build())
            .output(|| {
                BatchGetItemOutput::builder()
                    .responses("ledger", vec![row([]), row([("outcome", text("sent"))])])
                    .build()
            })
            .build();
        let table = LedgerTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&read]), "ledger".into());
        for expected in [false, true] {
            let settled = table.is_settled_for_any("like-story", "main/3/1", &["mina", "jun", "mina"]).await;
            assert_eq!(settled.expect("a result"), expected);
        }
    }

    proptest! {
        #[test]
        fn malformed_cooldown_is_read_or_rejected(row in malformed(stored())) {
            prop_assert!(cooldown(&row).is_none() || row.contains_key("started_at"));
        }
    }
}

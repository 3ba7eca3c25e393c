//! The table `ledger`: who was told of what. Its only writer is `push-fanout`.
//!
//! ```text
//! id                                  what else
//! told#<rule>#<event>#<recipient>     claimed_by, claimed_until (ms), sent (device ids), outcome, expires_at
//! page#<rule>#<event>#<number>        expires_at: the page after this one was handed on
//! ```
//! A row with an outcome is settled for good. One without belongs to whoever claimed it last, until
//! the claim runs out: what crashed between sending and marking is then sent again, and replaces
//! itself on the phone.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use domain::push::Event;
use function_kit::failure::Failure;
use jiff::Timestamp;

use crate::audience::RETENTION;

/// The table.
#[derive(Debug, Clone)]
pub struct LedgerTable {
    client: Client,
    name: String,
}

/// One notification for one person.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What happened.
    pub event: &'a Event,
    /// The id of the rule by which it is told.
    pub rule: &'a str,
    /// Who is told.
    pub recipient: &'a str,
}

/// What came of trying to claim an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is the claimant's until the claim runs out.
    Claimed {
        /// The devices that an earlier claimant has reached.
        sent: BTreeSet<String>,
    },
    /// Another claim has not run out yet.
    Held,
    /// It is settled.
    Settled,
}

impl LedgerTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Claims an entry for `claimant`, from `now` to `until`.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn claim(
        &self,
        entry: &Entry<'_>,
        claimant: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("id", entry.id())
            .update_expression("SET claimed_by = :me, claimed_until = :until, expires_at = :expires_at")
            .condition_expression(
                "attribute_not_exists(id) OR (attribute_not_exists(outcome) AND claimed_until <= :now)",
            )
            .expression_attribute_values(":me", AttributeValue::S(claimant.to_owned()))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":until", milliseconds(until))
            .expression_attribute_values(":expires_at", expiry(entry.event))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(answer) => {
                let sent = answer.attributes.unwrap_or_default().remove("sent");
                let sent = sent.and_then(|sent| sent.as_ss().ok().cloned()).unwrap_or_default();
                Ok(Claim::Claimed { sent: sent.into_iter().collect() })
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let is_settled = refused.item().is_some_and(|row| row.contains_key("outcome"));
                    Ok(if is_settled { Claim::Settled } else { Claim::Held })
                }
                _ => Err(Failure::aws("claim a notification", error)),
            },
        }
    }

    /// Notes which devices `claimant` has reached, those of earlier claimants included; with an
    /// `outcome`, settles the entry, and without gives the claim back. Says whether the claim was
    /// still its own: otherwise nothing is written.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn finish_claim(
        &self,
        entry: &Entry<'_>,
        claimant: &str,
        sent: &BTreeSet<String>,
        outcome: Option<&str>,
    ) -> Result<bool, Failure> {
        let mut sets = vec!["claimed_until = :none"];
        // DynamoDB knows no empty set.
        if !sent.is_empty() {
            sets.push("sent = :sent");
        }
        if outcome.is_some() {
            sets.push("outcome = :outcome");
        }
        let values = [
            (":me", Some(AttributeValue::S(claimant.to_owned()))),
            (":none", Some(AttributeValue::N("0".to_owned()))),
            (":sent", (!sent.is_empty()).then(|| AttributeValue::Ss(sent.iter().cloned().collect()))),
            (":outcome", outcome.map(|outcome| AttributeValue::S(outcome.to_owned()))),
        ];
        let values: HashMap<_, _> =
            values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("id", entry.id())
            .update_expression(format!("SET {}", sets.join(", ")))
            .condition_expression("claimed_by = :me AND attribute_not_exists(outcome)")
            .set_expression_attribute_values(Some(values));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(Failure::aws("mark a notification", error)),
        }
    }

    /// Settles an entry that nobody has claimed, without sending: what was decided once is not
    /// decided otherwise when the stream is replayed.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn record_outcome(&self, entry: &Entry<'_>, outcome: &str) -> Result<(), Failure> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("id", entry.id())
            .item("outcome", AttributeValue::S(outcome.to_owned()))
            .item("expires_at", expiry(entry.event))
            .condition_expression("attribute_not_exists(id)");
        match put.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(Failure::aws("settle a notification", error)),
        }
    }

    /// Whether the page after page `number` of an event's recipients was handed on.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn is_page_continued(&self, event: &Event, rule: &str, number: u32) -> Result<bool, Failure> {
        let get = self.client.get_item().table_name(&self.name).key("id", page_id(event, rule, number));
        let answer = get.consistent_read(true).send().await;
        answer.map(|answer| answer.item.is_some()).map_err(|error| Failure::aws("look for a page", error))
    }

    /// Remembers that the page after page `number` was handed on.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn mark_page_continued(&self, event: &Event, rule: &str, number: u32) -> Result<(), Failure> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("id", page_id(event, rule, number))
            .item("expires_at", expiry(event));
        put.send().await.map(drop).map_err(|error| Failure::aws("remember a page", error))
    }
}

impl Entry<'_> {
    fn id(&self) -> AttributeValue {
        AttributeValue::S(format!("told#{}#{}#{}", self.rule, self.event.id, self.recipient))
    }
}

fn page_id(event: &Event, rule: &str, number: u32) -> AttributeValue {
    AttributeValue::S(format!("page#{rule}#{}#{number}", event.id))
}

fn milliseconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

fn expiry(event: &Event) -> AttributeValue {
    let at = event.committed_at.checked_add(RETENTION).unwrap_or(Timestamp::MAX);
    AttributeValue::N(at.as_second().to_string())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        operation::{
            get_item::GetItemOutput,
            put_item::{PutItemError, PutItemOutput},
            update_item::UpdateItemOutput,
        },
        types::error::ConditionalCheckFailedException,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::graph::Position;
    use jiff::SignedDuration;

    use super::*;

    fn table(rule: &Rule) -> LedgerTable {
        LedgerTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [rule]), "ledger".to_owned())
    }

    fn now() -> Timestamp {
        "2026-11-22T00:00:00Z".parse().expect("a time")
    }

    fn event() -> Event {
        Event {
            id: "main/7/1".into(),
            position: Position::new(7, 1),
            committed_at: now(),
            edge: "e1".into(),
            label: "likes".into(),
            from: "jun".into(),
            to: "s1".into(),
        }
    }

    fn entry(event: &Event) -> Entry<'_> {
        Entry { event, rule: "like-story", recipient: "mina" }
    }

    fn refused(row: Option<&str>) -> UpdateItemError {
        let mut refused = ConditionalCheckFailedException::builder();
        if let Some(attribute) = row {
            refused = refused.item(attribute, AttributeValue::S("sent".to_owned()));
        }
        UpdateItemError::ConditionalCheckFailedException(refused.build())
    }

    fn value(values: Option<&HashMap<String, AttributeValue>>, name: &str) -> Option<AttributeValue> {
        values.and_then(|values| values.get(name)).cloned()
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    #[tokio::test]
    async fn a_claim_is_had_by_one_and_tells_what_an_earlier_one_sent() {
        let claim = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                value(request.key(), "id") == Some(s("told#like-story#main/7/1#mina"))
                    && request.condition_expression()
                        == Some("attribute_not_exists(id) OR (attribute_not_exists(outcome) AND claimed_until <= :now)")
                    && value(values, ":me") == Some(s("me"))
                    && value(values, ":now") == Some(AttributeValue::N("1795305600000".into()))
                    && value(values, ":until") == Some(AttributeValue::N("1795305660000".into()))
                    // Longer than any stream is kept.
                    && value(values, ":expires_at") == Some(AttributeValue::N("1805673600".into()))
            })
            .sequence()
            .output(|| {
                let sent = AttributeValue::Ss(vec!["phone".to_owned()]);
                UpdateItemOutput::builder().attributes("sent", sent).build()
            })
            .error(|| refused(Some("claimed_by")))
            .error(|| refused(Some("outcome")))
            .build();
        let (table, event) = (table(&claim), event());
        let until = now() + SignedDuration::from_secs(60);
        let claims = [
            table.claim(&entry(&event), "me", now(), until).await.expect("a claim"),
            table.claim(&entry(&event), "me", now(), until).await.expect("a claim"),
            table.claim(&entry(&event), "me", now(), until).await.expect("a claim"),
        ];
        let claimed = Claim::Claimed { sent: ["phone".to_owned()].into() };
        assert_eq!(claims, [claimed, Claim::Held, Claim::Settled]);
    }

    #[tokio::test]
    async fn only_the_claimant_marks_and_only_once() {
        let finish_claim = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                request.update_expression() == Some("SET claimed_until = :none, sent = :sent, outcome = :outcome")
                    && request.condition_expression() == Some("claimed_by = :me AND attribute_not_exists(outcome)")
                    && value(values, ":sent") == Some(AttributeValue::Ss(vec!["phone".to_owned()]))
                    && value(values, ":outcome") == Some(s("sent"))
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(|| refused(None))
            .build();
        let (table, event, sent) = (table(&finish_claim), event(), ["phone".to_owned()].into());
        assert!(table.finish_claim(&entry(&event), "me", &sent, Some("sent")).await.expect("an answer"));
        assert!(!table.finish_claim(&entry(&event), "me", &sent, Some("sent")).await.expect("an answer"));
    }

    #[tokio::test]
    async fn what_failed_gives_its_claim_back() {
        let finish_claim = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                request.update_expression() == Some("SET claimed_until = :none")
                    && value(values, ":none") == Some(AttributeValue::N("0".into()))
            })
            .then_output(|| UpdateItemOutput::builder().build());
        let event = event();
        assert!(table(&finish_claim).finish_claim(&entry(&event), "me", &BTreeSet::new(), None).await.expect("an answer"));
    }

    #[tokio::test]
    async fn what_was_decided_stays_decided() {
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                request.condition_expression() == Some("attribute_not_exists(id)")
                    && value(request.item(), "outcome") == Some(s("muted"))
            })
            .sequence()
            .output(|| PutItemOutput::builder().build())
            .error(|| PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build()))
            .build();
        let (table, event) = (table(&put), event());
        for _ in 0..2 {
            table.record_outcome(&entry(&event), "muted").await.expect("settled");
        }
        assert_eq!(put.num_calls(), 2);
    }

    #[tokio::test]
    async fn a_page_is_handed_on_once() {
        let get = mock!(Client::get_item)
            .match_requests(|request| {
                value(request.key(), "id") == Some(s("page#story#main/7/1#3"))
                    && request.consistent_read() == Some(true)
            })
            .sequence()
            .output(|| GetItemOutput::builder().build())
            .output(|| GetItemOutput::builder().item("id", s("page#story#main/7/1#3")).build())
            .build();
        let (table, event) = (table(&get), event());
        assert!(!table.is_page_continued(&event, "story", 3).await.expect("an answer"));
        assert!(table.is_page_continued(&event, "story", 3).await.expect("an answer"));
    }
}

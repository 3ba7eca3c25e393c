//! The table `ledger`: the delivery ledger of notifications. Its only writer is `push-fanout`.
//!
//! ```text
//! id                                  other attributes
//! told#<rule>#<event>#<recipient>     claimed_by, claimed_until (ms), sent (device ids), outcome, expires_at
//! page#<rule>#<event>#<number>        expires_at; exists once the page after this one is in the queue
//! ```
//! A row with an outcome is final. A row without one belongs to its last claimant until the claim expires. If a claimant
//! crashes between sending and recording, the notification is sent again, and replaces itself on the phone.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use domain::push::Event;
use function_kit::failure::Failure;
use jiff::Timestamp;

use crate::{
    attribute::{milliseconds, number, text},
    condition::unless_condition_failed,
    retention::expiry,
};

/// The table.
#[derive(Debug, Clone)]
pub struct LedgerTable {
    client: Client,
    name: String,
}

/// One notification to one recipient.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The event that the notification is about.
    pub event: &'a Event,
    /// The id of the notification rule.
    pub rule: &'a str,
    /// The user to notify.
    pub recipient: &'a str,
}

/// The result of an attempt to claim an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The claimant has the entry until the claim expires.
    Claimed {
        /// The ids of the devices that earlier claimants have sent to.
        sent: BTreeSet<String>,
    },
    /// Another claim has not expired yet.
    Held,
    /// The entry has an outcome.
    Settled,
}

impl LedgerTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Claims an entry for `claimant`, from `now` to `until`.
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
            .expression_attribute_values(":me", text(claimant))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":until", milliseconds(until))
            .expression_attribute_values(":expires_at", expiry(entry.event.committed_at))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(output) => {
                let sent = output.attributes.unwrap_or_default().remove("sent");
                let sent = sent.and_then(|sent| sent.as_ss().ok().cloned()).unwrap_or_default();
                Ok(Claim::Claimed { sent: sent.into_iter().collect() })
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let is_settled = failed.item().is_some_and(|row| row.contains_key("outcome"));
                    Ok(if is_settled { Claim::Settled } else { Claim::Held })
                }
                _ => Err(Failure::aws("claim a notification", error)),
            },
        }
    }

    /// Records the devices that `claimant` and earlier claimants have `sent` to. With an `outcome`, the entry becomes
    /// final; without one, the claim is released.
    ///
    /// Returns whether the claim was still held. If not, nothing is written.
    pub async fn finish_claim(
        &self,
        entry: &Entry<'_>,
        claimant: &str,
        sent: &BTreeSet<String>,
        outcome: Option<&str>,
    ) -> Result<bool, Failure> {
        let mut assignments = vec!["claimed_until = :none"];
        let mut values = HashMap::from([(":me".to_owned(), text(claimant)), (":none".to_owned(), number(0))]);
        // DynamoDB has no empty sets.
        if !sent.is_empty() {
            assignments.push("sent = :sent");
            values.insert(":sent".to_owned(), AttributeValue::Ss(sent.iter().cloned().collect()));
        }
        if let Some(outcome) = outcome {
            assignments.push("outcome = :outcome");
            values.insert(":outcome".to_owned(), text(outcome));
        }
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("id", entry.id())
            .update_expression(format!("SET {}", assignments.join(", ")))
            .condition_expression("claimed_by = :me AND attribute_not_exists(outcome)")
            .set_expression_attribute_values(Some(values));
        Ok(unless_condition_failed("finish a claim", update.send().await)?.is_some())
    }

    /// Records the outcome of an entry that was never claimed, without sending. A replay of the stream then does not
    /// decide otherwise.
    pub async fn record_outcome(&self, entry: &Entry<'_>, outcome: &str) -> Result<(), Failure> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("id", entry.id())
            .item("outcome", text(outcome))
            .item("expires_at", expiry(entry.event.committed_at))
            .condition_expression("attribute_not_exists(id)");
        unless_condition_failed("record an outcome", put.send().await).map(drop)
    }

    /// Whether the page after page `number` of an event's recipients is in the queue already.
    pub async fn is_page_continued(&self, event: &Event, rule: &str, number: u32) -> Result<bool, Failure> {
        let get = self.client.get_item().table_name(&self.name).key("id", page_id(event, rule, number));
        let response = get.consistent_read(true).send().await;
        response.map(|response| response.item.is_some()).map_err(|error| Failure::aws("read a continuation", error))
    }

    /// Records that the page after page `number` is in the queue.
    pub async fn mark_page_continued(&self, event: &Event, rule: &str, number: u32) -> Result<(), Failure> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("id", page_id(event, rule, number))
            .item("expires_at", expiry(event.committed_at));
        put.send().await.map(drop).map_err(|error| Failure::aws("record a continuation", error))
    }
}

impl Entry<'_> {
    fn id(&self) -> AttributeValue {
        text(format!("told#{}#{}#{}", self.rule, self.event.id, self.recipient))
    }
}

fn page_id(event: &Event, rule: &str, number: u32) -> AttributeValue {
    text(format!("page#{rule}#{}#{number}", event.id))
}

#[cfg(test)]
mod tests;

//! The table `ledger`: the delivery ledger of notifications. Its only writer is `push-fanout`.
//!
//! ```text
//! id                                  other attributes
//! told#<rule>#<event>#<recipient>     claimed_by (nonce), claimed_until (ms), sent (device ids), outcome, expires_at
//! bound#<rule>#<event>#<number>       next (last follower of the page), is_enqueued, expires_at
//! cooldown#<rule>#<hash of vertices>  event (its id), started_at (ms), expires_at
//! ```
//! A row with an outcome is final. A row without one belongs to its last claim until that expires. Each claim has a nonce,
//! so a claim whose response was lost is recognised when it is repeated. If a claimant crashes between sending and
//! recording, the notification is sent again, and replaces itself on the phone. Within a cooldown, recipients are claimed in
//! the name of the event that holds it, too.
//!
//! The version before wrote `page#…` rows. They are not read: a page that is delivered across an update is continued again,
//! and the ledger prevents second notifications.

mod batch;
mod cooldown;
mod erasure;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use domain::push::Event;
use function_kit::failure::Failure;
use jiff::Timestamp;

use crate::{
    attribute::{Attributes, get_text, milliseconds, number, text},
    condition::unless_condition_failed,
    retention::expiry,
};

pub use batch::{ClaimRequest, ClaimResult};
pub use cooldown::CooldownClaim;

/// Whether an entry is neither final nor claimed at `:now`.
const FREE: &str = "attribute_not_exists(id) OR (attribute_not_exists(outcome) AND claimed_until <= :now)";

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
    /// The entry has this outcome.
    Settled(String),
}

/// Where a page of an event's audience ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageBound {
    /// The last follower of the page. The next page starts after it.
    pub last: String,
    /// Whether the next page is in the queue.
    pub is_enqueued: bool,
}

impl LedgerTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Claims an entry from `now` to `until`. `nonce` is unique among all claims.
    pub async fn claim(
        &self,
        entry: &Entry<'_>,
        nonce: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim, Failure> {
        let update = self
            .update(entry.id())
            .update_expression("SET claimed_by = :me, claimed_until = :until, expires_at = :expires_at")
            .condition_expression(FREE)
            .expression_attribute_values(":me", text(nonce))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":until", milliseconds(until))
            .expression_attribute_values(":expires_at", expiry(entry.event.committed_at))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(output) => Ok(Claim::Claimed { sent: sent(&output.attributes.unwrap_or_default()) }),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let row = failed.item().cloned().unwrap_or_default();
                    Ok(if let Some(outcome) = get_text(&row, "outcome") {
                        Claim::Settled(outcome.to_owned())
                    } else if is_claimed_by(&row, nonce) {
                        // An earlier attempt of this call has succeeded, but its response was lost.
                        Claim::Claimed { sent: sent(&row) }
                    } else {
                        Claim::Held
                    })
                }
                _ => Err(Failure::aws("claim a notification", error)),
            },
        }
    }

    /// Records the devices that the claim with this `nonce` and earlier ones have `sent` to. With an `outcome`, the entry
    /// becomes final; without one, the claim is released.
    ///
    /// Returns whether the claim was still held. If not, nothing is written.
    pub async fn finish_claim(
        &self,
        entry: &Entry<'_>,
        nonce: &str,
        sent: &BTreeSet<String>,
        outcome: Option<&str>,
    ) -> Result<bool, Failure> {
        let mut assignments = vec!["claimed_until = :none"];
        let mut values = HashMap::from([(":me".to_owned(), text(nonce)), (":none".to_owned(), number(0))]);
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
            .update(entry.id())
            .update_expression(format!("SET {}", assignments.join(", ")))
            .condition_expression("claimed_by = :me AND attribute_not_exists(outcome)")
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                // With the own nonce, an earlier attempt of this call has succeeded, but its response was lost.
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(failed.item().is_some_and(|row| is_claimed_by(row, nonce)))
                }
                _ => Err(Failure::aws("finish a claim", error)),
            },
        }
    }

    /// Records the outcome of an entry without sending, unless it is final or claimed at `now`. A replay of the stream then
    /// does not decide otherwise, also if an earlier attempt to send has failed.
    pub async fn record_outcome(&self, entry: &Entry<'_>, outcome: &str, now: Timestamp) -> Result<(), Failure> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("id", entry.id())
            .item("outcome", text(outcome))
            .item("expires_at", expiry(entry.event.committed_at))
            .condition_expression(FREE)
            .expression_attribute_values(":now", milliseconds(now));
        unless_condition_failed("record an outcome", put.send().await).map(drop)
    }

    /// The outcome for one recipient of the event with this id, if it is final.
    pub async fn outcome(&self, rule: &str, event_id: &str, recipient: &str) -> Result<Option<String>, Failure> {
        let get = self.client.get_item().table_name(&self.name).key("id", row_id(rule, event_id, recipient));
        let response = get.consistent_read(true).send().await;
        let row = response.map_err(|error| Failure::aws("read an outcome", error))?.item;
        Ok(row.and_then(|row| get_text(&row, "outcome").map(str::to_owned)))
    }

    /// Decides once where page `number` of an event's audience ends: at `last`, unless decided before. Returns the
    /// decision.
    pub async fn decide_page_bound(
        &self,
        event: &Event,
        rule: &str,
        number: u32,
        last: &str,
    ) -> Result<PageBound, Failure> {
        const DOING: &str = "decide the end of a page";
        let update = self
            .update(bound_id(event, rule, number))
            .update_expression("SET #next = if_not_exists(#next, :next), expires_at = :expires_at")
            .expression_attribute_names("#next", "next")
            .expression_attribute_values(":next", text(last))
            .expression_attribute_values(":expires_at", expiry(event.committed_at))
            .return_values(ReturnValue::AllNew);
        let output = update.send().await.map_err(|error| Failure::aws(DOING, error))?;
        let row = output.attributes.unwrap_or_default();
        let last = get_text(&row, "next").map(str::to_owned);
        let last = last.ok_or_else(|| Failure::bug(DOING, "the row has no end"))?;
        Ok(PageBound { last, is_enqueued: row.contains_key("is_enqueued") })
    }

    /// Records that the page after page `number` is in the queue.
    pub async fn mark_page_enqueued(&self, event: &Event, rule: &str, number: u32) -> Result<(), Failure> {
        let update = self
            .update(bound_id(event, rule, number))
            .update_expression("SET is_enqueued = :true")
            // A late call does not bring back an expired row.
            .condition_expression("attribute_exists(id)")
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        unless_condition_failed("record a continuation", update.send().await).map(drop)
    }

    fn update(&self, id: AttributeValue) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.name).key("id", id)
    }
}

impl Entry<'_> {
    fn id(&self) -> AttributeValue {
        row_id(self.rule, &self.event.id, self.recipient)
    }
}

fn row_id(rule: &str, event_id: &str, recipient: &str) -> AttributeValue {
    text(format!("told#{rule}#{event_id}#{recipient}"))
}

fn bound_id(event: &Event, rule: &str, number: u32) -> AttributeValue {
    text(format!("bound#{rule}#{}#{number}", event.id))
}

fn is_claimed_by(row: &Attributes, nonce: &str) -> bool {
    get_text(row, "claimed_by") == Some(nonce)
}

/// The ids of the devices that were sent to.
fn sent(row: &Attributes) -> BTreeSet<String> {
    row.get("sent").and_then(|sent| sent.as_ss().ok()).into_iter().flatten().cloned().collect()
}

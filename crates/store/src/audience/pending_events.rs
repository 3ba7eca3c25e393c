use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    graph::GenerationPosition,
    push::{Event, Register},
};
use function_kit::failure::Failure;

use super::{
    key::{key_of, vertex_partition},
    table::{AudienceTable, required_text},
};
use crate::{
    attribute::{Attributes, get_text, seconds, text},
    condition::unless_condition_failed,
};

/// Prefix of the sort keys of events that wait for a vertex.
const WAITING: &str = "waiting#";

/// A set of pending events: events that may be evaluated again later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PendingKey {
    /// Events that wait until this vertex's owner is known and others may see it.
    WaitingFor(String),
    /// Stories that this person published recently, for followers whose follow is delivered late.
    RecentBy(String),
}

/// A stored pending event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEvent {
    /// The event.
    pub event: Event,
    /// Unique id of the write that stored it. `None` if the version before did.
    pub nonce: Option<String>,
}

/// A page of pending events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingPage {
    /// In no particular order.
    pub events: Vec<PendingEvent>,
    /// The edge after which the next page starts, if there is one.
    pub next: Option<String>,
}

impl AudienceTable {
    /// Stores a pending event until it is too old for every rule. An event of the same edge with a later position stays.
    /// `nonce` is unique among all writes: only a process that has stored or read it may drop the event.
    pub async fn add_pending(&self, pending_key: &PendingKey, event: &Event, nonce: &str) -> Result<(), Failure> {
        let json = serde_json::to_string(event).map_err(|error| Failure::bug("serialise a pending event", error))?;
        let (pk, sk) = pending_key.key(&event.edge);
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(key_of(pk, sk)))
            .item("note", register(Register::new(event.position, json)))
            .item("nonce", text(nonce))
            .item("expires_at", seconds(event.expires_at()))
            .condition_expression("attribute_not_exists(note) OR note <= :note")
            .expression_attribute_values(":note", register(Register::tombstone(event.position)));
        unless_condition_failed("store a pending event", put.send().await).map(drop)
    }

    /// Reads a page of up to `limit` pending events, which starts after the edge `after`; strongly consistent.
    pub async fn pending_page(
        &self,
        pending_key: &PendingKey,
        after: Option<&str>,
        limit: i32,
    ) -> Result<PendingPage, Failure> {
        let (pk, prefix) = pending_key.key("");
        let (rows, next) = self.page(pk, &prefix, after, limit).await?;
        Ok(PendingPage { events: rows.iter().map(event).collect::<Result<_, Failure>>()?, next })
    }

    /// Deletes the pending event of a removed edge, unless its position is after `position`.
    pub async fn remove_pending(
        &self,
        pending_key: &PendingKey,
        edge: &str,
        position: GenerationPosition,
    ) -> Result<(), Failure> {
        // The text of a tombstone sorts after every value at the same position.
        let note = register(Register::tombstone(position));
        self.delete_pending(pending_key, edge, "note <= :value", note).await
    }

    /// Deletes a pending event that was processed, unless it was stored again since.
    pub async fn drop_pending(&self, pending_key: &PendingKey, pending: &PendingEvent) -> Result<(), Failure> {
        let PendingEvent { event, nonce } = pending;
        match nonce {
            Some(nonce) => self.delete_pending(pending_key, &event.edge, "nonce = :value", text(nonce)).await,
            None => {
                let note = register(Register::tombstone(event.position));
                let condition = "attribute_not_exists(nonce) AND note <= :value";
                self.delete_pending(pending_key, &event.edge, condition, note).await
            }
        }
    }

    async fn delete_pending(
        &self,
        pending_key: &PendingKey,
        edge: &str,
        condition: &str,
        value: AttributeValue,
    ) -> Result<(), Failure> {
        let (pk, sk) = pending_key.key(edge);
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_of(pk, sk)))
            .condition_expression(condition)
            .expression_attribute_values(":value", value);
        unless_condition_failed("delete a pending event", delete.send().await).map(drop)
    }
}

impl PendingKey {
    /// Partition and sort key of the event of `edge`.
    fn key(&self, edge: &str) -> (String, String) {
        match self {
            Self::WaitingFor(vertex) => (vertex_partition(vertex), format!("{WAITING}{edge}")),
            Self::RecentBy(person) => (format!("recent#{person}"), edge.to_owned()),
        }
    }
}

fn register(register: Register) -> AttributeValue {
    text(register.to_string())
}

fn event(row: &Attributes) -> Result<PendingEvent, Failure> {
    let register: Option<Register> = required_text(row, "note")?.parse().ok();
    let json = register.and_then(|register| register.value);
    let json = json.ok_or_else(|| Failure::bug("read a pending event", "the note is not a register with a value"))?;
    let event = serde_json::from_str(&json).map_err(|error| Failure::bug("read a pending event", error))?;
    Ok(PendingEvent { event, nonce: get_text(row, "nonce").map(str::to_owned) })
}

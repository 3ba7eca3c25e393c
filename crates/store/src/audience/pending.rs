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
    attribute::{Attributes, seconds, text},
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

/// A page of pending events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingPage {
    /// In no particular order.
    pub events: Vec<Event>,
    /// The edge after which the next page starts, if there is one.
    pub next: Option<String>,
}

impl AudienceTable {
    /// Stores a pending event until it is too old for every rule. An event of the same edge with a later position stays.
    pub async fn add_pending(&self, pending_key: &PendingKey, event: &Event) -> Result<(), Failure> {
        let json = serde_json::to_string(event).map_err(|error| Failure::bug("serialise a pending event", error))?;
        let (pk, sk) = pending_key.key(&event.edge);
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(key_of(pk, sk)))
            .item("note", register(Register::new(event.position, json)))
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

    /// Deletes the pending event of `edge`, unless its position is after `position`.
    pub async fn remove_pending(
        &self,
        pending_key: &PendingKey,
        edge: &str,
        position: GenerationPosition,
    ) -> Result<(), Failure> {
        let (pk, sk) = pending_key.key(edge);
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_of(pk, sk)))
            // The text of a tombstone sorts after every value at the same position.
            .condition_expression("note <= :note")
            .expression_attribute_values(":note", register(Register::tombstone(position)));
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

fn event(row: &Attributes) -> Result<Event, Failure> {
    let register: Option<Register> = required_text(row, "note")?.parse().ok();
    let json = register.and_then(|register| register.value);
    let json = json.ok_or_else(|| Failure::bug("read a pending event", "the note is not a register with a value"))?;
    serde_json::from_str(&json).map_err(|error| Failure::bug("read a pending event", error))
}

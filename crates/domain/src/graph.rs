//! The graph: folding a transaction into changes, and changes as CloudEvents.
//!
//! ```text
//! Record, Record, … ── fold ──▶ Change ── to_cloud_event_within ──▶ SNS FIFO ── from_cloud_event ──▶ Change
//! (one transaction,            (one per vertex or edge)             group: the entity
//!  or a part of one)
//! ```
//! A [`Change`] is the difference between the states before and after its records. A value that a
//! commit removes and adds again is not in it. A consumer that applies all changes in the order of
//! their [`Position`]s has a copy of the graph, also where a large transaction was published in parts.

mod change;
mod cloud_event;
mod fifo;
mod fold;
mod generation_position;
mod later_records;
mod message_size;
#[cfg(test)]
mod model;
mod position;
mod record;
mod value;

pub use change::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, PropertyChange};
pub use cloud_event::{ParseError, ReceivedChange};
pub use fifo::fifo_id;
pub use fold::fold;
pub use generation_position::{GenerationPosition, cluster_in_generation};
pub use later_records::LaterRecords;
pub use message_size::{MessageTooLarge, SNS_MESSAGE_BYTES};
pub use position::{InvalidPosition, Position};
pub use record::{Op, Record, RecordKind};
pub use value::{Value, ValueDigest};

//! The graph: what a transaction did to it, entity by entity, and how the bus tells of it.
//!
//! ```text
//! Record, Record, … ── fold ──▶ Change ── to_cloud_event_within ──▶ SNS FIFO ── from_cloud_event ──▶ Change
//! (one transaction,            (one per vertex or edge)             group: the entity
//!  or a part of one)
//! ```
//! A [`Change`] says what differs between before and after its records, no more: what a commit
//! removes and adds again is not told. Whoever applies all changes in the order of their
//! [`Position`]s has the graph, also where a transaction was too large to be held and came in
//! parts.

mod change;
mod cloud_event;
mod fifo;
mod fold;
#[cfg(test)]
mod model;
mod position;
mod record;
mod size_limit;
mod value;

pub use change::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, PropertyChange};
pub use cloud_event::{ParseError, Received};
pub use fold::fold;
pub use position::{InvalidPosition, Position};
pub use record::{Op, Record, RecordKind};
pub use size_limit::{MessageTooLarge, SNS_MESSAGE_BYTES};
pub use value::{Value, ValueDigest};

//! Two functions that read the graph. `stream-poller` (`main.rs`) publishes the changes of its stream, in order per entity,
//! to the event bus. `graph-export` (`bin/graph-export.rs`) sends the graph itself to one queue: it alone may query the graph.
//!
//! ```text
//! handler             parses the event: a tick of the schedule, a replay, or a status request
//!   inspect           status of the stream; counts what a replay would publish
//!   poller            one invocation: acquires the lease, runs, releases it
//!     lease           acquires the lease, requests the handover
//!     generation      the generation for a replay or an export, which have no lease
//!     stream_identity detects that a reset has replaced the stream
//!     page_source     reads pages, one ahead; handles gaps, expiry and resets by the policy
//!     transaction_end tells an incomplete transaction from a complete one whose end is not marked
//!     worker          assembles transactions, publishes messages, moves the checkpoint
//!       look_ahead    what later parts of a large transaction say about a vertex's visibility
//!       message       folds records into messages
//!       outbox        keeps the order per entity; tracks the position up to which the bus has accepted everything
//!       batch_size    how many messages fit in one call
//! export              sends the existing graph to one queue
//! event_bus, sns      the bus, and its implementation on SNS
//! checkpoints         the operations of the checkpoint table that a run needs
//! ```
//!
//! This is a library so that both binaries, the benchmark and the integration tests can use it.

mod batch_size;
pub mod checkpoints;
pub mod config;
pub mod event_bus;
pub mod export;
mod generation;
pub mod handler;
pub mod inspect;
mod lease;
mod look_ahead;
mod message;
mod outbox;
mod page_source;
pub mod policy;
pub mod poller;
mod retry_delay;
pub mod run_error;
pub mod run_outcome;
pub mod settings;
pub mod sns;
mod stream_identity;
mod transaction_end;
mod worker;

pub use message::{Message, changes};
pub use outbox::Entry;
pub use retry_delay::Backoff;

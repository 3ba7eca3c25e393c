//! `stream-poller`: the graph's stream, in whole transactions, folded, in order, onto the bus.
//!
//! ```text
//! handler      an event: a tick of the schedule, a replay, an export, or an operator's question
//!   preview    where the stream stands, and what a replay would publish
//!   poller     one invocation: lease, runs, release
//!     lease    taking over from a predecessor
//!     source   pages, one ahead; gaps, expiry and resets, by the policy
//!     worker   transactions → messages → calls to the bus; the checkpoint behind them
//!       message  records into messages
//!       outbox   order per entity, and how far the bus has accepted
//!       pack     what fits in one call
//!   export   what is older than the stream, told to one queue: orders, pages, rows
//! bus, sns     the bus, and the real one
//! checkpoints  the table, as far as a run needs it
//! ```
//! It is a library only so that its benchmark and its tests reach it; `main.rs` wires it.

mod backoff;
pub mod bus;
pub mod checkpoints;
pub mod config;
pub mod export;
pub mod handler;
pub mod inspect;
mod lease;
mod message;
mod outbox;
mod pack;
pub mod policy;
pub mod poller;
pub mod settings;
pub mod sns;
mod source;
pub mod stop;
mod worker;

pub use backoff::Pace;
pub use message::{Message, changes};
pub use outbox::Entry;
pub use worker::Done;

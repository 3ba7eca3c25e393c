//! Chaos tests: executes random histories on a deployed stack under faults, and compares the final state with a model.
//!
//! ```text
//! seed ─▶ generator ─▶ operations ─▶ driver ─▶ the stack behind a fault proxy; killed processes, restarts of the
//!                                      │       emulator, repeated deliveries
//!                                      ▼
//!                    model ◀── executed operations in order, their commits, points at which all work was done
//!                      │
//!                      ▼
//!                    check ◀── drained stack: displayed notifications, inboxes, items, files, indexes, dead letters,
//!                           accounts, exports
//! ```
//!
//! Generator and model are pure: a seed determines a history, and the executed operations determine the valid final
//! states. Operations run one after the other, or in concurrent pairs, but the backend processes them asynchronously. So
//! several final states can be valid: a like that is removed quickly may or may not be notified. The model allows exactly
//! these states. It knows the points at which all work was done ([`operation::Operation::Settle`]); later operations see
//! the effects of all earlier ones (`timeline.rs`).
//!
//! `cargo xtask chaos` runs the tests. Results: `docs/operations/reliability.md`.

mod actors;
mod check;
mod driver;
mod generator;
mod model;
mod operation;
mod plan;
mod queues;
mod random;
mod report;
mod run;
mod size;
mod sounds;
mod timeline;

pub use run::{Arguments, run};

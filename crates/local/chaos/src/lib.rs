//! Random histories of a deployed stack, under faults, whose end is held against a model.
//!
//! ```text
//! seed ─▶ generator ─▶ operations ─▶ driver ─▶ the stack, through `faults`; processes killed, the emulator
//!                                      │       started again, deliveries repeated
//!                                      ▼
//!                    model ◀── what was done, in order; which commits; when all had been worked off
//!                      │
//!                      ▼
//!                    check ◀── peace ◀── what phones show, items, files, indexes, dead letters
//! ```
//!
//! Generator and model are pure: a seed is a history, and what was done says what is right. Operations are
//! done one after the other (or two at once, and then put into the order that they had), but worked off in
//! the background, so often several ends are right: whether somebody hears of a like that was taken back
//! depends on which was quicker. The model then allows both, and only these: it knows when everything had
//! been worked off ([`operation::Operation::Settle`]), and what is done after that meets a world without
//! doubt (`timeline.rs`).
//!
//! `cargo xtask chaos` plays them; `docs/operations/reliability.md` has what came of it.

mod actor;
mod check;
mod driver;
mod generator;
mod model;
mod operation;
mod plan;
mod queues;
mod report;
mod run;
mod sounds;
mod timeline;

pub use run::{Arguments, run};

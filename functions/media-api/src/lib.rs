//! `media-api`: what clients ask about media, and that they want some of it gone.
//!
//! ```text
//! handler     a request, answered
//!   request   what is asked
//!   cursor    where a list goes on
//!   answer    what is shown, of which `fields` selects
//!   links     where files are, in this `epoch`
//!   tag       whether the client has it already
//!   originals what is deleted
//! ```
//! It is a library only so that its benchmark reaches it; `main.rs` wires it.

mod answer;
/// Settings.
pub mod config;
mod cursor;
mod document;
mod epoch;
mod fields;
/// Requests and their answers.
pub mod handler;
/// Where derived files are.
pub mod links;
/// What clients uploaded.
pub mod originals;
mod request;
mod tag;

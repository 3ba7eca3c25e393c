//! `inbox-api`: returns a user's notifications, and stores how far the user has read.
//!
//! ```text
//! request ─▶ groups (table inbox) ─▶ names, titles and rights of today (table audience) ─▶ response
//! ```
//! It is a library so that the benchmark can use it. `main.rs` wires it.

/// Settings.
pub mod config;
mod cursor;
/// Requests and responses.
pub mod handler;
mod request;
#[cfg(test)]
mod tests;
mod unread;
mod view;

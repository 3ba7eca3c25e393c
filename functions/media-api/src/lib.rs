//! `media-api`: returns and deletes media items, takes reports of them, and changes who may see them.
//!
//! ```text
//! handler       handles a request
//!   request     parses it
//!   cursor      encodes the position in a list
//!   response    the item as a caller sees it
//!   fields      the fields that a client requests
//!   links       URLs of derivatives, the same within a link_window
//!   etag        entity tags and conditional requests
//!   visibility  changes who may see an item
//!   originals   deletes originals, changes their metadata
//!   reports     stores people's reports of items
//!   openapi     serves the API's description
//! story_files   consumes a queue: gives files the visibility of their story
//! ```
//! It is a library so that the benchmark can use it. `main.rs` wires it.

/// Settings.
pub mod config;
mod cursor;
mod etag;
mod fields;
/// Requests and responses.
pub mod handler;
mod link_window;
/// URLs of derivatives.
pub mod links;
mod openapi;
/// Originals.
pub mod originals;
/// People's reports of items.
pub mod reports;
mod request;
mod response;
/// The private key of links.
pub mod signing_key;
/// Files of stories.
pub mod story_files;
mod visibility;

//! The index of what can be found of the graph, in OpenSearch; and the one that Neptune's own
//! full-text queries read.
//!
//! ```text
//! settings  what an index knows of languages, and which fields it has
//! index     its life: made when it is missing, behind an alias, replaced without a pause
//! bulk      documents go in, each with its version
//! find      what somebody looks for comes out
//! client    signed requests
//! ```
//! Nothing a user writes becomes query syntax: it is only ever the text of a `match`.
//!
//! The client makes four calls, signed by `sigv4-client`. The official `opensearch` crate would bring a second HTTP
//! client with its own TLS stack, and bindings for hundreds of calls.

mod bulk;
mod client;
mod find;
mod index;
mod settings;

pub use bulk::{Document, Outcome, Target};
pub use client::Client;
pub use find::{Compare, Hit, Page, Search, SortKey};
pub use index::Index;
pub use settings::{Analyzer, Settings, UnknownAnalyzer};

#![doc = include_str!("../README.md")]

mod bulk;
mod client;
mod index;
mod search_request;
mod settings;

pub use bulk::{BulkLimits, Document, Outcome, Target};
pub use client::Client;
pub use index::Index;
pub use search_request::{Hit, MatchMode, Page, Search, SortKey, Viewer};
pub use settings::{Analyzer, Settings, UnknownAnalyzer};

#![doc = include_str!("../README.md")]

mod bulk;
mod bulk_limits;
mod client;
mod index;
mod search_request;
mod settings;

pub use bulk::{Document, Outcome, Target};
pub use bulk_limits::BulkLimits;
pub use client::Client;
pub use index::Index;
pub use search_request::{Hit, MatchMode, Page, Search, SortKey, Viewer};
pub use settings::{Analyzer, Settings, UnknownAnalyzer};

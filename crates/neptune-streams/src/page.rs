use domain::graph::Position;
use thiserror::Error;

use crate::record::Record;

/// One response of the Streams endpoint.
///
/// Neptune cuts pages by number of records and by size, also in the middle of a transaction.
/// [`TransactionAssembler`](crate::TransactionAssembler) joins them.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The changes, in stream order.
    pub records: Vec<Record>,
    /// The position of the last record, from the page's header.
    pub last_event_id: Option<Position>,
    /// The time at which the last record's commit was requested, in milliseconds since 1970.
    pub last_transaction_timestamp: Option<i64>,
}

impl Page {
    /// The position of the last record. Reading continues after it.
    pub fn last_position(&self) -> Option<Position> {
        self.records.last().map(|record| record.position)
    }
}

/// The response is not a page.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvalidPage {
    /// The gzip data is damaged, or inflates beyond 128 MiB.
    #[error("the page's gzip data is invalid")]
    Gzip(#[source] std::io::Error),
    /// The body is not UTF-8.
    #[error("the page is not UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
    /// The body is not JSON, or the JSON is not a page.
    #[error("the page does not have the documented form")]
    Json(#[from] serde_json::Error),
    /// The page belongs to another graph model, such as RDF's `NQUADS`.
    #[error("the page is in the format {0}, not in PG_JSON")]
    Format(String),
}

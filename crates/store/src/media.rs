//! The table `media`: one row per media item, tombstones included. Its only writer is `metadata-writer`.

mod list;
mod row;
mod table;
#[cfg(test)]
mod tests;

pub use crate::batch_get::MAX_KEYS as MAX_BATCH;
pub use list::{List, Order, Page, Selection, SortKey};
pub use row::Projection;
pub use table::{MediaTable, WriteOutcome};

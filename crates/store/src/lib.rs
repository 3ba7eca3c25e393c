//! The DynamoDB tables, a module each: rows, keys, indexes and conditions are known here only.

pub mod audience;
mod batch_get;
pub mod checkpoint;
pub mod devices;
pub mod ledger;
pub mod media;
pub mod mirror;
pub mod relations;
mod row;
pub mod search;
#[cfg(test)]
mod testing;
pub mod versioned;

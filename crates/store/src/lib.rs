//! The DynamoDB tables, a module each: rows, keys, indexes and conditions are known here only.

pub mod devices;
pub mod media;

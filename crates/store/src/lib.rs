#![doc = include_str!("../README.md")]

mod attribute;
pub mod audience;
mod batch_get;
pub mod checkpoint;
mod condition;
pub mod devices;
pub mod ledger;
pub mod media;
pub mod mirror;
mod partiql;
mod register_attributes;
pub mod relations;
mod retention;
mod row;
pub mod search;
#[cfg(test)]
mod testing;
pub mod versioned;

#![doc = include_str!("../README.md")]

pub mod accounts;
mod attribute;
pub mod audience;
mod batch_get;
pub mod checkpoint;
mod condition;
pub mod devices;
mod direct_response;
pub mod exports;
pub mod follows;
pub mod inbox;
pub mod ledger;
pub mod media;
pub mod mirror;
mod partiql;
pub mod personal_data;
mod query_page;
pub mod quotas;
mod register_attributes;
pub mod relations;
pub mod reports;
mod retention;
mod row;
pub mod search;
#[cfg(test)]
mod testing;
mod typed_json;
pub mod versioned;

#![doc = include_str!("../README.md")]

mod body;
mod capture;
mod client;
pub mod continuity;
mod error;
mod head;
mod limit;
mod page;
mod position;
mod reader;
mod record;
mod retry;
mod scan;
#[cfg(test)]
mod testing;
mod transaction;
mod value;
mod wire;

pub use client::{Client, MAX_LIMIT, MissingHttpClient, Read};
pub use error::{Error, ErrorResponse};
pub use page::{InvalidPage, Page};
pub use position::{InvalidPosition, Position, Start};
pub use reader::StreamReader;
pub use record::{Data, Kind, Op, Record};
pub use transaction::{Bounds, End, Part, TransactionAssembler};
pub use value::Value;

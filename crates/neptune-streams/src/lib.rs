#![doc = include_str!("../README.md")]

mod body;
mod capture;
mod client;
pub mod continuity;
mod error;
mod fast_parser;
mod head;
mod integer;
mod limit;
mod page;
mod parse;
mod position;
mod reader;
mod record;
mod retry;
#[cfg(test)]
mod testing;
mod transaction;
mod value;

pub use client::{Client, MissingHttpClient, Read};
pub use error::{Error, ErrorResponse};
pub use limit::MAX_LIMIT;
pub use page::{InvalidPage, Page};
pub use position::{InvalidPosition, Position, Start};
pub use reader::StreamReader;
pub use record::{Data, Kind, Op, Record};
pub use transaction::{Bounds, End, Part, TransactionAssembler};
pub use value::Value;

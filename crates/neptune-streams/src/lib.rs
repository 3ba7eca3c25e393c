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
mod reader;
mod record;
mod retry;
mod start;
#[cfg(test)]
mod testing;
mod transaction;
mod value;

pub use domain::graph::{InvalidPosition, Op, Position, Value};

pub use client::{Client, MissingHttpClient, Read};
pub use error::{Error, ErrorResponse};
pub use limit::MAX_LIMIT;
pub use page::{InvalidPage, Page};
pub use reader::StreamReader;
pub use record::{Data, Kind, Record};
pub use start::Start;
pub use transaction::{Bounds, End, Part, TransactionAssembler};

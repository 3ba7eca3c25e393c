#![doc = include_str!("../README.md")]

mod ac_table;
mod band_table;
mod bit_reader;
mod dc_table;
mod decode;
mod encode;
mod error;
mod header;
mod huffman;
mod idct;
mod markers;
mod planes;
mod progressive;
mod rows;
mod scale;
#[cfg(test)]
mod table_tests;
mod typical_codes;
mod zigzag;

pub use decode::Decoder;
pub use encode::{Mismatch, encode};
pub use error::{Error, Unsupported};
pub use header::{Header, Sampling, Segment};
pub use planes::{Plane, Planes};
pub use scale::Scale;

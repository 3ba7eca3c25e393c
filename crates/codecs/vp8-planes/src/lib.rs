#![doc = include_str!("../README.md")]

mod bool_decoder;
mod coefficients;
mod decode;
mod error;
mod filter;
mod header;
mod inverse;
mod modes;
mod predict;
mod tables;

pub use decode::{Decoder, Plane, Smoothing};
pub use error::Error;

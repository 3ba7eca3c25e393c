//! JPEG for thumbnails: a baseline file to small planes of luma and chroma.

mod bits;
mod decode;
mod encode;
mod error;
mod header;
mod huffman;
mod idct;
mod planes;
mod scale;
mod zigzag;

pub use decode::Decoder;
pub use encode::{Mismatch, encode};
pub use error::{Error, Unsupported};
pub use header::{Header, Sampling, Segment};
pub use planes::{Plane, Planes};
pub use scale::Scale;

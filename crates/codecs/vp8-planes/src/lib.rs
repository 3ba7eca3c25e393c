//! Lossy WebP for thumbnails: a VP8 key frame (RFC 6386) to planes of luma and chroma.
//!
//! Who scales a picture down needs no red, green and blue before, and half of the samples: what
//! [`Decoder`] makes are the planes that the data holds. Its container is the caller's to read.
//!
//! ```
//! use vp8_planes::{Decoder, Error};
//!
//! // Whatever the header claims: nothing of that size is allocated before `decode`.
//! assert_eq!(Decoder::new(b"\x00").err(), Some(Error::Truncated));
//! ```

mod bools;
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

//! JPEG for thumbnails: a file to small planes of luma and chroma, and planes to a file.
//!
//! Who makes thumbnails needs neither all of the pixels nor red, green and blue: [`Decoder`] makes
//! planes at any eighth of the size, reads only the coefficients that matter at it, and skips the
//! others several at a time. [`encode`] writes 4:2:0 from planes.
//!
//! ```
//! use jpeg_planes::{Decoder, Error, Scale};
//!
//! /// The luma of a photograph, at least 1,000 samples wide if the photograph is.
//! fn small_luma(bytes: &[u8]) -> Result<Vec<u8>, Error> {
//!     let decoder = Decoder::new(bytes)?;
//!     // Whatever the header claims: nothing of that size has been allocated yet.
//!     let scale = Scale::at_least(decoder.header().width.into(), 1000);
//!     let mut planes = decoder.decode(scale, scale)?.planes;
//!     Ok(planes.swap_remove(0).samples)
//! }
//! assert_eq!(small_luma(b"GIF89a"), Err(Error::NotJpeg));
//! ```

mod bits;
mod decode;
mod encode;
mod error;
mod header;
mod huffman;
mod idct;
mod planes;
mod progressive;
mod scale;
mod zigzag;

pub use decode::Decoder;
pub use encode::{Mismatch, encode};
pub use error::{Error, Unsupported};
pub use header::{Header, Sampling, Segment};
pub use planes::{Plane, Planes};
pub use scale::Scale;

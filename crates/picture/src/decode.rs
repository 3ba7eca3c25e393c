//! Decodes files, with a module per format.
//!
//! Each decoder checks the size in the header before it allocates memory of that size, and fails on
//! truncated files.

mod gif;
#[cfg(feature = "heic")]
mod heif;
mod jpeg;
mod jpeg_fallback;
mod jpeg_markers;
mod png;
mod png_colours;
mod riff;
mod webp;

use crate::decoded::Decoded;
use crate::{Format, Limits, PictureError};

pub(crate) fn decode(format: Format, bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let decode = || match format {
        Format::Jpeg => jpeg::decode(bytes, limits),
        Format::Png => png::decode(bytes, limits),
        Format::WebP => webp::decode(bytes, limits),
        Format::Gif => gif::decode(bytes, limits),
        #[cfg(feature = "heic")]
        Format::Heic => heif::decode(bytes, limits),
        #[cfg(not(feature = "heic"))]
        Format::Heic => Err(PictureError::UnsupportedFormat),
    };
    // Known panics of the decoders are prevented. An unknown one must not turn a malformed file into
    // a message that crashes its worker on every retry.
    std::panic::catch_unwind(decode).unwrap_or_else(|_| Err(PictureError::corrupt("the decoder panicked")))
}

//! Bytes to pixels, one module per format.
//!
//! Each decoder reads the dimensions itself, from the header, and has them checked before
//! anything of their size is allocated. Each fails on a file that is cut off anywhere.

mod gif;
#[cfg(feature = "heic")]
mod heif;
mod jpeg;
mod jpeg_library;
mod jpeg_markers;
mod png;
mod riff;
mod webp;

use crate::inks::Inks;
use crate::orientation::Orientation;
use crate::planes::{Matrix, Planes};
use crate::raster::Raster;
use crate::resize::Size;
use crate::{Format, Limits, PictureError};

/// A decoded picture, as stored: neither turned nor converted yet.
pub(crate) struct Decoded {
    /// The full size. `image` is smaller where the decoder scaled down on its way.
    pub size: Size,
    pub image: Image,
    pub orientation: Orientation,
    /// The embedded colour profile.
    pub icc_profile: Option<Vec<u8>>,
}

/// What a decoder made, in the shape that it costs least in.
pub(crate) enum Image {
    Raster(Raster),
    Planes(Planes, Matrix),
    Inks(Inks),
}

pub(crate) fn decode(format: Format, bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    // The decoders are other people's code, fed with strangers' bytes. Every panic that is known
    // is prevented where it would arise; one that is not must not turn a picture into a message
    // that kills its worker again and again.
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
    std::panic::catch_unwind(decode).unwrap_or_else(|_| Err(PictureError::corrupt("the decoder panicked")))
}

/// Each grey sample as a pixel of three equal channels.
fn grey_to_rgb(grey: &[u8]) -> Vec<u8> {
    grey.iter().flat_map(|&v| [v; 3]).collect()
}

#![doc = include_str!("../README.md")]
//!
//! # Modules
//! `format` recognises a file and `decode` decodes it. `resize`, `colour` and `orientation` process
//! the pixels, `encode` writes the variants, `placeholder` computes ThumbHash and dominant colour.
//!
//! An opaque `picture` is stored as planes of luma and 4:2:0 chroma (`planes`), because most files
//! contain them and all variants do: half of the samples of RGB. A transparent picture is RGBA
//! (`pixels`). A picture for print (`cmyk`) is converted after it is scaled down.

mod channel;
mod cmyk;
mod colour;
mod decode;
mod decoded;
mod encode;
mod error;
mod format;
mod hdr;
mod limits;
mod orientation;
mod picture;
mod pixels;
mod placeholder;
mod planes;
mod resize;
mod size;
mod streaming_resize;
mod variants;

pub use error::PictureError;
pub use format::{Format, sniff};
pub use limits::Limits;
pub use variants::{BOUNDS, Encoding, Variant};

use orientation::Orient;
use picture::Picture;
use resize::Resizer;
use size::Size;
use variants::variant_sizes;

/// Decodes the picture in `bytes` and makes its variants.
///
/// For each of [`BOUNDS`] there is a JPEG and a WebP whose longest side is the bound. Nothing is
/// enlarged. A picture that fits into several bounds is encoded at its own size, once, for the
/// **smallest** of them; there are no variants for the larger ones. So a picture of 451 pixels has
/// variants for 512 (at 451 pixels) and 128, and one of 90 pixels only for 128 (at 90 pixels). In
/// place of a missing bound, use the largest variant.
///
/// The largest variants come first, the JPEG before the WebP of the same size.
///
/// # Errors
/// See [`PictureError`]. Every error but `Internal` depends only on `bytes` and `limits`, so a
/// retry is useless. A truncated picture is an error; an incomplete picture is never returned.
pub fn make_variants(bytes: &[u8], limits: &Limits) -> Result<Pictures, PictureError> {
    make_variants_as(bytes, limits, &[Encoding::Jpeg, Encoding::WebP])
}

/// Like [`make_variants`], but with only these encodings of each size, in this order.
///
/// # Errors
/// See `make_variants`.
pub fn make_variants_as(bytes: &[u8], limits: &Limits, encodings: &[Encoding]) -> Result<Pictures, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    let format = sniff(bytes).ok_or(PictureError::UnsupportedFormat)?;
    let decoded = decode::decode(format, bytes, limits)?;
    let size = decoded.orientation.oriented_size(decoded.size);

    let mut resizer = Resizer::new();
    let mut variants = Vec::with_capacity(encodings.len() * BOUNDS.len());
    let mut sizes = variant_sizes(size, &BOUNDS).into_iter();

    let (largest_bound, largest_size) = sizes.next().ok_or(PictureError::internal("no bounds"))?;
    let mut picture = Picture::render(decoded, largest_size, &mut resizer)?;
    encode::encode(&picture, largest_bound, encodings, &mut variants)?;

    // Each size is made from the previous one, which is cheaper than from the original.
    for (bound, size) in sizes {
        picture = picture.resize(size, &mut resizer)?;
        encode::encode(&picture, bound, encodings, &mut variants)?;
    }

    let pixels = picture.into_pixels();
    let Size { width, height } = size;
    Ok(Pictures {
        format,
        width,
        height,
        variants,
        dominant_colour: placeholder::dominant_colour(&pixels),
        thumb_hash: placeholder::thumb_hash(pixels, &mut resizer)?,
    })
}

/// The result of [`make_variants`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// The format of the original, by its content.
    pub format: Format,
    /// The width of the original in pixels, after its EXIF orientation is applied.
    pub width: u32,
    /// The height of the original in pixels, after its EXIF orientation is applied.
    pub height: u32,
    /// One variant per size and encoding, largest first.
    pub variants: Vec<Variant>,
    /// A [ThumbHash](https://evanw.github.io/thumbhash/): 5 to 25 bytes from which a client draws
    /// a blurred placeholder of the right shape before it loads a variant.
    pub thumb_hash: Vec<u8>,
    /// Red, green and blue in sRGB: the colour that covers most of the picture.
    pub dominant_colour: [u8; 3],
}

//! Pictures: bytes in, small safe variants out. No I/O.
//!
//! [`make_variants`] takes the bytes of a photograph as somebody uploaded it, which may be
//! anything at all, and returns what is fit to be published: the picture upright, in sRGB, at a
//! few sizes, as JPEG and as WebP, without a byte of the original's metadata.
//!
//! The steps, each in a module of its own:
//! `format` recognises the bytes, `decode` turns them into pixels (and checks the header against
//! [`Limits`] before it allocates), `resize` scales, `colour` converts to sRGB, `orientation`
//! turns the picture upright, `encode` writes the variants, `summary` computes the placeholder.
//!
//! What is opaque is held as JPEG holds it, as planes of luma and chroma (`planes`): most pictures
//! come so and all leave so, and half of the samples are spared. Only what is transparent stays
//! pixels (`raster`). `picture` is either. What was made for print (`inks`) becomes pixels once it is small.

mod colour;
mod decode;
mod encode;
mod error;
mod format;
mod inks;
mod limits;
mod orientation;
mod picture;
mod planes;
mod raster;
mod resize;
mod strips;
mod summary;

pub use encode::Encoding;
pub use error::PictureError;
pub use format::{Format, sniff};
pub use limits::Limits;

use picture::Picture;
use resize::{Resizer, Size};

/// The longest sides of the variants, in pixels, largest first.
pub const BOUNDS: [u32; 3] = [1080, 512, 128];

/// Decodes the picture in `bytes` and makes its variants.
///
/// A bound yields one JPEG and one WebP whose longest side is the bound. Nothing is enlarged: a
/// picture that fits into a bound is emitted at its own size, once, under the **smallest** bound
/// that it fits into; the larger bounds are then absent. So a picture of 451 px yields 512 (at
/// 451 px) and 128, and one of 90 px yields 128 (at 90 px) alone. Who wants a bound that is
/// absent takes the largest variant there is.
///
/// Variants come largest first, the JPEG before the WebP of the same size.
///
/// # Errors
/// See [`PictureError`]: each of them but `Internal` is a property of `bytes` (and `limits`), and
/// trying again changes nothing. A picture that is cut off anywhere is an error, never half a
/// picture.
pub fn make_variants(bytes: &[u8], limits: &Limits) -> Result<Pictures, PictureError> {
    make_variants_as(bytes, limits, &[Encoding::Jpeg, Encoding::WebP])
}

/// [`make_variants`], but of each size only the `encodings`, in their order.
///
/// # Errors
/// As `make_variants` has them.
pub fn make_variants_as(bytes: &[u8], limits: &Limits, encodings: &[Encoding]) -> Result<Pictures, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    let format = sniff(bytes).ok_or(PictureError::UnsupportedFormat)?;
    let decoded = decode::decode(format, bytes, limits)?;
    let orientation = decoded.orientation;
    let shown = orientation.shown(decoded.size);

    let mut resizer = Resizer::new();
    let mut variants = Vec::with_capacity(encodings.len() * BOUNDS.len());
    let mut bounds = resize::plan(shown, &BOUNDS).into_iter();

    // The picture is first made small, then converted and turned: that costs a tenth of turning
    // and converting what the camera took.
    let (largest, size) = bounds.next().ok_or(PictureError::internal("no bounds"))?;
    let mut picture = Picture::develop(decoded, size, &mut resizer)?;
    encode::encode(&picture, largest, encodings, &mut variants)?;

    // Each size is made from the one before it, not from the original.
    for (bound, size) in bounds {
        picture = picture.resize(size, &mut resizer)?;
        encode::encode(&picture, bound, encodings, &mut variants)?;
    }

    let raster = picture.into_raster();
    let Size { width, height } = shown;
    Ok(Pictures {
        format,
        width,
        height,
        variants,
        dominant_colour: summary::dominant_colour(&raster),
        thumb_hash: summary::thumb_hash(raster, &mut resizer)?,
    })
}

/// What [`make_variants`] made of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// What the original is, by its content.
    pub format: Format,
    /// The original's width as shown, that is after its EXIF orientation is applied, in pixels.
    pub width: u32,
    /// The original's height as shown, in pixels.
    pub height: u32,
    /// One for each size and encoding, largest first.
    pub variants: Vec<Variant>,
    /// A [ThumbHash](https://evanw.github.io/thumbhash/): 5 to 25 bytes from which a client draws
    /// a blurred placeholder of the right shape before anything is loaded.
    pub thumb_hash: Vec<u8>,
    /// Red, green, blue in sRGB: the colour that covers most of the picture.
    pub dominant_colour: [u8; 3],
}

/// One encoded size of a picture, ready to be published: no EXIF, XMP, ICC profile or comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Which of [`BOUNDS`] this variant stands for, in pixels. Its longest side is the bound, or
    /// less where the original is smaller.
    pub bound: u32,
    /// How `bytes` are encoded.
    pub encoding: Encoding,
    /// In pixels, at least 1.
    pub width: u32,
    /// In pixels, at least 1.
    pub height: u32,
    /// The complete file.
    pub bytes: Vec<u8>,
}

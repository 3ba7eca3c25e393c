use jpeg_encoder::{ColorType, SamplingFactor};

use crate::raster::{Layout, Raster};
use crate::{PictureError, Variant};

/// Of both encoders, on their scales of 0 to 100.
const QUALITY: u8 = 80;

/// How a variant is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Baseline, 4:2:0, quality 80; transparency is laid on white.
    Jpeg,
    /// Lossy, quality 80; transparency is kept.
    WebP,
}

impl Encoding {
    /// The media type, as in a `Content-Type` header.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }

    /// The usual file extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
        }
    }
}

/// Appends `raster` in each of `encodings` to `variants`.
///
/// The encoders write pixels and nothing else: metadata cannot leak, for it never gets here.
pub(crate) fn encode(
    raster: &Raster,
    bound: u32,
    encodings: &[Encoding],
    variants: &mut Vec<Variant>,
) -> Result<(), PictureError> {
    for &encoding in encodings {
        let bytes = match (encoding, raster.layout) {
            (Encoding::Jpeg, Layout::Rgb) => jpeg(raster)?,
            (Encoding::Jpeg, Layout::Rgba) => jpeg(&raster.on_white())?,
            (Encoding::WebP, _) => webp(raster)?,
        };
        variants.push(Variant { bound, encoding, width: raster.size.width, height: raster.size.height, bytes });
    }
    Ok(())
}

fn jpeg(raster: &Raster) -> Result<Vec<u8>, PictureError> {
    let side = |side: u32| u16::try_from(side).map_err(PictureError::internal);
    let (width, height) = (side(raster.size.width)?, side(raster.size.height)?);
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(&raster.pixels, width, height, ColorType::Rgb).map_err(PictureError::internal)?;
    Ok(bytes)
}

fn webp(raster: &Raster) -> Result<Vec<u8>, PictureError> {
    let layout = match raster.layout {
        Layout::Rgb => webp::PixelLayout::Rgb,
        Layout::Rgba => webp::PixelLayout::Rgba,
    };
    let (width, height) = (raster.size.width, raster.size.height);
    webp::Encoder::new(&raster.pixels, layout, width, height)
        .encode_simple(false, f32::from(QUALITY))
        .map(|memory| memory.to_vec())
        .map_err(|error| PictureError::internal(format!("WebP encoder: {error:?}")))
}

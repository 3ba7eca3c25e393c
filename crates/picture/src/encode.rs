use crate::picture::Picture;
use crate::planes::{Matrix, Planes};
use crate::raster::{Layout, Raster};
use crate::resize::Size;
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

/// Appends `picture` in each of `encodings` to `variants`.
///
/// The encoders write pixels and nothing else: metadata cannot leak, for it never gets here.
pub(crate) fn encode(
    picture: &Picture,
    bound: u32,
    encodings: &[Encoding],
    variants: &mut Vec<Variant>,
) -> Result<(), PictureError> {
    let Size { width, height } = picture.size();
    for &encoding in encodings {
        let bytes = match (encoding, picture) {
            (Encoding::Jpeg, Picture::Opaque(planes)) => jpeg(planes)?,
            (Encoding::Jpeg, Picture::Clear(raster)) => jpeg(&Planes::from_rgb(&raster.on_white()))?,
            (Encoding::WebP, Picture::Opaque(planes)) => webp(&planes.to_rgb(Matrix::BT601))?,
            (Encoding::WebP, Picture::Clear(raster)) => webp(raster)?,
        };
        variants.push(Variant { bound, encoding, width, height, bytes });
    }
    Ok(())
}

fn jpeg(planes: &Planes) -> Result<Vec<u8>, PictureError> {
    let [blue, red] = planes.chroma.each_ref().map(|channel| &channel.plane);
    jpeg_planes::encode(&planes.luma.plane, [blue, red], QUALITY).map_err(PictureError::internal)
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

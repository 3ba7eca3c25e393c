use crate::PictureError;
use crate::picture::Picture;
use crate::planes::{Matrix, Planes};
use crate::raster::{Layout, Raster};
use crate::size::Size;
use crate::variants::{Encoding, Variant};

/// The quality for both encoders, on their scales of 0 to 100.
const QUALITY: u8 = 80;

/// Appends `picture` in each of `encodings` to `variants`.
///
/// The encoders receive only pixels, so no metadata of the original can get into a variant.
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
            (Encoding::Jpeg, Picture::Transparent(raster)) => jpeg(&Planes::from_rgb(&raster.on_white()))?,
            (Encoding::WebP, Picture::Opaque(planes)) => webp(&planes.to_rgb(Matrix::BT601))?,
            (Encoding::WebP, Picture::Transparent(raster)) => webp(raster)?,
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

use webp::PixelLayout;

use crate::PictureError;
use crate::picture::Picture;
use crate::pixels::on_white;
use crate::planes::{Matrix, Planes};
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
    let size = picture.size();
    let Size { width, height } = size;
    for &encoding in encodings {
        let bytes = match (encoding, picture) {
            (Encoding::Jpeg, Picture::Opaque(planes)) => jpeg(planes)?,
            (Encoding::Jpeg, Picture::Transparent(rgba)) => jpeg(&Planes::from_rgb(&on_white(rgba)))?,
            (Encoding::WebP, Picture::Opaque(planes)) => webp(&planes.to_rgb(Matrix::BT601), PixelLayout::Rgb, size)?,
            (Encoding::WebP, Picture::Transparent(rgba)) => webp(rgba, PixelLayout::Rgba, size)?,
        };
        variants.push(Variant { bound, encoding, width, height, bytes });
    }
    Ok(())
}

fn jpeg(planes: &Planes) -> Result<Vec<u8>, PictureError> {
    let [blue, red] = planes.chroma.each_ref().map(|channel| &channel.plane);
    jpeg_planes::encode(&planes.luma.plane, [blue, red], QUALITY).map_err(PictureError::internal)
}

fn webp(samples: &[u8], layout: PixelLayout, size: Size) -> Result<Vec<u8>, PictureError> {
    webp::Encoder::new(samples, layout, size.width, size.height)
        .encode_simple(false, f32::from(QUALITY))
        .map(|memory| memory.to_vec())
        .map_err(|error| PictureError::internal(format!("WebP encoder: {error:?}")))
}

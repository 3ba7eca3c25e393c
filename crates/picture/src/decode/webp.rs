use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder};
use jpeg_planes::Plane;
use vp8_planes::Smoothing;

use super::riff::{self, Pixels};
use crate::channel::Channel;
use crate::colour::ColourSpace;
use crate::decoded::{Decoded, Image};
use crate::orientation::Orient;
use crate::pixels::to_rgb_or_rgba;
use crate::planes::{Matrix, Planes};
use crate::size::Size;
use crate::{BOUNDS, Limits, PictureError};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let container = riff::read_container(bytes)?;
    let size = container.canvas;
    limits.check(size)?;
    let image = match container.pixels {
        Pixels::Lossy(frame) => Image::Planes(decode_lossy(frame, size)?, Matrix::BT601),
        Pixels::Other(file) => {
            let decoder = WebPDecoder::new(Cursor::new(file)).map_err(PictureError::from_image)?;
            if decoder.dimensions() != (size.width, size.height) {
                return Err(PictureError::corrupt("a canvas of two sizes"));
            }
            // Of an animation, this is the first frame on a transparent canvas.
            let picture = DynamicImage::from_decoder(decoder).map_err(PictureError::from_image)?;
            Image::Pixels(to_rgb_or_rgba(picture))
        }
    };
    Ok(Decoded {
        size,
        image,
        orientation: container.exif.map_or(Orientation::NoTransforms, exif_orientation),
        colours: ColourSpace::by_icc(container.icc_profile.map(<[u8]>::to_vec)),
    })
}

/// Decodes an opaque lossy frame to planes in full range.
fn decode_lossy(frame: &[u8], size: Size) -> Result<Planes, PictureError> {
    // In a picture that is scaled down by two or more, the loop filter is barely visible
    // (docs/benchmarks/pictures.md).
    let is_large = size.width.max(size.height) >= 2 * BOUNDS[0];
    let smoothing = if is_large { Smoothing::None } else { Smoothing::Exact };
    let planes = vp8_planes::Decoder::new(frame).and_then(|decoder| decoder.decode(smoothing));
    let [mut luma, mut blue, mut red] = planes.map_err(PictureError::corrupt)?;

    // From video range to full range.
    for sample in &mut luma.samples {
        *sample = ((u16::from(sample.saturating_sub(16)) * 149 + 64) >> 7).min(255) as u8;
    }
    for samples in [&mut blue.samples, &mut red.samples] {
        for sample in samples {
            // 255 / 224 as 1 + 142 / 1024, in 16-bit arithmetic, which is vectorised.
            let chroma = i16::from(*sample) - 128;
            *sample = (chroma + ((chroma * 142 + 512) >> 10) + 128).clamp(0, 255) as u8;
        }
    }
    let channel = |plane: vp8_planes::Plane, factor: f64| Channel {
        plane: Plane { width: plane.width, height: plane.height, samples: plane.samples },
        covered: (f64::from(size.width) / factor, f64::from(size.height) / factor),
    };
    Ok(Planes { size, luma: channel(luma, 1.0), chroma: [blue, red].map(|plane| channel(plane, 2.0)) })
}

/// The chunk should start with the TIFF header, but some writers add the prefix that JPEG uses.
fn exif_orientation(chunk: &[u8]) -> Orientation {
    Orientation::from_tiff(chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk))
}

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};
use jpeg_planes::Plane;
use vp8_planes::Smoothing;

use super::riff;
use crate::channel::Channel;
use crate::decoded::{Decoded, Image};
use crate::orientation::Orientation;
use crate::planes::{Matrix, Planes};
use crate::raster::{Layout, Raster};
use crate::size::Size;
use crate::{BOUNDS, Limits, PictureError};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let container = riff::read_container(bytes)?;
    limits.check(container.canvas)?;

    // The decoder would also read bytes after the end.
    let bytes = &bytes[..container.end];
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(from_decoder)?;
    decoder.set_memory_limit(limits.max_bytes());
    let (width, height) = decoder.dimensions();
    let size = Size::new(width, height);
    if size != container.canvas {
        return Err(PictureError::corrupt("a canvas of two sizes"));
    }
    // Unreadable metadata is ignored.
    let exif = decoder.exif_metadata().ok().flatten();
    let orientation = exif.as_deref().map(exif_orientation).unwrap_or_default();
    let icc_profile = decoder.icc_profile().ok().flatten();
    if let (Some(frame), false) = (container.lossy, decoder.has_alpha()) {
        let image = Image::Planes(decode_lossy(frame, size)?, Matrix::BT601);
        return Ok(Decoded { size, image, orientation, icc_profile });
    }
    // Of an animation, the decoder returns the first frame on a transparent canvas.
    let length = decoder.output_buffer_size().ok_or_else(|| PictureError::corrupt("larger than memory"))?;
    let mut pixels = vec![0; length];
    decoder.read_image(&mut pixels).map_err(from_decoder)?;

    let layout = if decoder.has_alpha() { Layout::Rgba } else { Layout::Rgb };
    Ok(Decoded { size, image: Image::Raster(Raster { size, layout, pixels }), orientation, icc_profile })
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
    Orientation::from_exif(chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk))
}

fn from_decoder(error: DecodingError) -> PictureError {
    match error {
        DecodingError::IoError(error) => PictureError::from_io(&error),
        error => PictureError::corrupt(error),
    }
}

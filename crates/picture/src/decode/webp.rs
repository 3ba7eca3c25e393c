use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::{Decoded, Image, riff};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster};
use crate::resize::Size;
use crate::{Limits, PictureError};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let survey = riff::survey(bytes)?;
    limits.check(survey.canvas)?;

    // The decoder would go on behind the end.
    let bytes = &bytes[..survey.end];
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(from_decoder)?;
    decoder.set_memory_limit(limits.max_bytes());
    let (width, height) = decoder.dimensions();
    let size = Size::new(width, height);
    if size != survey.canvas {
        return Err(PictureError::corrupt("two canvases"));
    }
    // Of an animation this is the first frame, laid on a transparent canvas.
    let length = decoder.output_buffer_size().ok_or_else(|| PictureError::corrupt("larger than memory"))?;
    let mut pixels = vec![0; length];
    decoder.read_image(&mut pixels).map_err(from_decoder)?;

    let layout = if decoder.has_alpha() { Layout::Rgba } else { Layout::Rgb };
    // Metadata that cannot be read is as good as none.
    let exif = decoder.exif_metadata().ok().flatten();
    Ok(Decoded {
        size,
        image: Image::Raster(Raster { size, layout, pixels }),
        orientation: exif.as_deref().map(exif_orientation).unwrap_or_default(),
        icc_profile: decoder.icc_profile().ok().flatten(),
    })
}

/// The chunk should begin with the TIFF header; some writers put JPEG's prefix before it.
fn exif_orientation(chunk: &[u8]) -> Orientation {
    Orientation::from_exif(chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk))
}

fn from_decoder(error: DecodingError) -> PictureError {
    match error {
        DecodingError::IoError(error) => PictureError::from_io(&error),
        error => PictureError::corrupt(error),
    }
}

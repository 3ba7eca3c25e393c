use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits as PngLimits, Transformations};

use super::{Decoded, Image, grey_to_rgb};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster};
use crate::resize::Size;
use crate::{Limits, PictureError};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    let header = decoder.read_header_info().map_err(from_decoder)?;
    let size = Size::new(header.width, header.height);
    limits.check(size)?;

    decoder.set_limits(PngLimits { bytes: limits.max_bytes() });
    decoder.set_ignore_text_chunk(true);
    // Palette, 1 to 4 bits and tRNS become 8-bit channels; of 16 bits the upper 8 are kept.
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(from_decoder)?;
    let length = reader.output_buffer_size().ok_or_else(|| PictureError::corrupt("larger than memory"))?;
    let mut samples = vec![0; length];
    let frame = reader.next_frame(&mut samples).map_err(from_decoder)?;
    // The first frame of an APNG may claim less than the picture, against the specification.
    if (frame.width, frame.height) != (size.width, size.height) {
        return Err(PictureError::corrupt("a frame smaller than the picture"));
    }
    // What follows the pixels is read to its end: an upload may break off there as well.
    reader.finish().map_err(from_decoder)?;

    let (layout, pixels) = match (frame.color_type, frame.bit_depth) {
        (ColorType::Rgb, BitDepth::Eight) => (Layout::Rgb, samples),
        (ColorType::Rgba, BitDepth::Eight) => (Layout::Rgba, samples),
        (ColorType::Grayscale, BitDepth::Eight) => (Layout::Rgb, grey_to_rgb(&samples)),
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => {
            let grey_alpha = samples.chunks_exact(2);
            let rgba = grey_alpha.flat_map(|p| [p[0], p[0], p[0], p[1]]).collect();
            (Layout::Rgba, rgba)
        }
        unexpected => return Err(PictureError::internal(format!("PNG as {unexpected:?}"))),
    };
    let info = reader.info();
    Ok(Decoded {
        size,
        image: Image::Raster(Raster { size, layout, pixels }),
        orientation: info.exif_metadata.as_deref().map(Orientation::from_exif).unwrap_or_default(),
        icc_profile: info.icc_profile.as_deref().map(<[u8]>::to_vec),
    })
}

fn from_decoder(error: DecodingError) -> PictureError {
    match error {
        DecodingError::IoError(error) => PictureError::from_io(&error),
        error => PictureError::corrupt(error),
    }
}

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits as PngLimits, Transformations};

use super::{Decoded, Image, grey_to_rgb};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster};
use crate::resize::Size;
use crate::strips::Strips;
use crate::{BOUNDS, Limits, PictureError};

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
    // The first frame of an APNG may claim less than the picture, against the specification.
    if reader.info().frame_control().is_some_and(|frame| (frame.width, frame.height) != (size.width, size.height)) {
        return Err(PictureError::corrupt("a frame smaller than the picture"));
    }
    let raster = if reader.info().interlaced { whole(&mut reader, size)? } else { small(&mut reader, size)? };
    // What follows the pixels is read to its end: an upload may break off there as well.
    reader.finish().map_err(from_decoder)?;

    let info = reader.info();
    Ok(Decoded {
        size,
        image: Image::Raster(raster),
        orientation: info.exif_metadata.as_deref().map(Orientation::from_exif).unwrap_or_default(),
        icc_profile: info.icc_profile.as_deref().map(<[u8]>::to_vec),
    })
}

/// An interlaced picture, whose rows are complete with the last pass only.
fn whole(reader: &mut Reader, size: Size) -> Result<Raster, PictureError> {
    let length = reader.output_buffer_size().ok_or_else(|| PictureError::corrupt("larger than memory"))?;
    let mut samples = vec![0; length];
    reader.next_frame(&mut samples).map_err(from_decoder)?;
    let (layout, stored) = layout(reader)?;
    let pixels = match stored {
        Stored::Pixels => samples,
        Stored::Grey => grey_to_rgb(&samples),
        Stored::GreyAlpha => samples.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect(),
    };
    Ok(Raster { size, layout, pixels })
}

/// A picture whose rows come from the top, made as small as the largest variant on the way.
fn small(reader: &mut Reader, size: Size) -> Result<Raster, PictureError> {
    let (layout, stored) = layout(reader)?;
    let mut strips = Strips::new(size, size.within(BOUNDS[0]), layout);
    let length = reader.output_line_size(size.width).ok_or_else(|| PictureError::corrupt("larger than memory"))?;
    let mut samples = vec![0; if stored == Stored::Pixels { 0 } else { length }];
    for _ in 0..size.height {
        strips.push(|row| {
            let out = if stored == Stored::Pixels { &mut *row } else { &mut samples[..] };
            reader.read_row(out).map_err(from_decoder)?.ok_or(PictureError::Truncated)?;
            match stored {
                Stored::Pixels => {}
                Stored::Grey => {
                    row.chunks_exact_mut(3).zip(&samples).for_each(|(pixel, &grey)| pixel.fill(grey));
                }
                Stored::GreyAlpha => {
                    for (pixel, stored) in row.chunks_exact_mut(4).zip(samples.chunks_exact(2)) {
                        pixel.copy_from_slice(&[stored[0], stored[0], stored[0], stored[1]]);
                    }
                }
            }
            Ok(())
        })?;
    }
    // Past the last row there may be data that is damaged.
    reader.read_row(&mut vec![0; length]).map_err(from_decoder)?;
    strips.finish()
}

type Reader<'a> = png::Reader<Cursor<&'a [u8]>>;

/// How samples come, after the transformations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stored {
    /// As a raster has them.
    Pixels,
    Grey,
    GreyAlpha,
}

fn layout(reader: &Reader) -> Result<(Layout, Stored), PictureError> {
    match reader.output_color_type() {
        (ColorType::Rgb, BitDepth::Eight) => Ok((Layout::Rgb, Stored::Pixels)),
        (ColorType::Rgba, BitDepth::Eight) => Ok((Layout::Rgba, Stored::Pixels)),
        (ColorType::Grayscale, BitDepth::Eight) => Ok((Layout::Rgb, Stored::Grey)),
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => Ok((Layout::Rgba, Stored::GreyAlpha)),
        unexpected => Err(PictureError::internal(format!("PNG as {unexpected:?}"))),
    }
}

fn from_decoder(error: DecodingError) -> PictureError {
    match error {
        DecodingError::IoError(error) => PictureError::from_io(&error),
        error => PictureError::corrupt(error),
    }
}

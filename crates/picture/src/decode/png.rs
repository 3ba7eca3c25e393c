use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits as PngLimits, Transformations};

use crate::decoded::{Decoded, Image};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster, grey_to_rgb};
use crate::size::Size;
use crate::streaming_resize::StreamingResize;
use crate::{BOUNDS, Limits, PictureError};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    let header = decoder.read_header_info().map_err(from_decoder)?;
    let size = Size::new(header.width, header.height);
    limits.check(size)?;

    decoder.set_limits(PngLimits { bytes: limits.max_bytes() });
    decoder.set_ignore_text_chunk(true);
    // Palettes, 1 to 4 bits and tRNS become 8-bit channels; of 16 bits the upper 8 are kept.
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(from_decoder)?;
    // A malformed APNG may have a first frame smaller than the picture.
    if reader.info().frame_control().is_some_and(|frame| (frame.width, frame.height) != (size.width, size.height)) {
        return Err(PictureError::corrupt("a frame smaller than the picture"));
    }
    let raster =
        if reader.info().interlaced { decode_whole(&mut reader, size)? } else { decode_rows(&mut reader, size)? };
    // Reading up to the end detects a file that is truncated after the pixels.
    reader.finish().map_err(from_decoder)?;

    let info = reader.info();
    Ok(Decoded {
        size,
        image: Image::Raster(raster),
        orientation: info.exif_metadata.as_deref().map(Orientation::from_exif).unwrap_or_default(),
        icc_profile: info.icc_profile.as_deref().map(<[u8]>::to_vec),
    })
}

/// Decodes an interlaced picture, whose rows are not complete before the last pass.
fn decode_whole(reader: &mut Reader, size: Size) -> Result<Raster, PictureError> {
    let length = reader.output_buffer_size().ok_or_else(|| PictureError::corrupt("larger than memory"))?;
    let mut samples = vec![0; length];
    reader.next_frame(&mut samples).map_err(from_decoder)?;
    let (layout, kind) = layout(reader)?;
    let pixels = match kind {
        SampleKind::Pixels => samples,
        SampleKind::Grey => grey_to_rgb(&samples),
        SampleKind::GreyAlpha => samples.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect(),
    };
    Ok(Raster { size, layout, pixels })
}

/// Decodes a picture row by row and scales it to the size of the largest variant.
fn decode_rows(reader: &mut Reader, size: Size) -> Result<Raster, PictureError> {
    let (layout, kind) = layout(reader)?;
    let mut resize = StreamingResize::new(size, size.within(BOUNDS[0]), layout);
    let length = reader.output_line_size(size.width).ok_or_else(|| PictureError::corrupt("larger than memory"))?;
    let mut samples = vec![0; if kind == SampleKind::Pixels { 0 } else { length }];
    for _ in 0..size.height {
        resize.push(|row| {
            let out = if kind == SampleKind::Pixels { &mut *row } else { &mut samples[..] };
            reader.read_row(out).map_err(from_decoder)?.ok_or(PictureError::Truncated)?;
            match kind {
                SampleKind::Pixels => {}
                SampleKind::Grey => {
                    row.chunks_exact_mut(3).zip(&samples).for_each(|(pixel, &grey)| pixel.fill(grey));
                }
                SampleKind::GreyAlpha => {
                    for (pixel, sample) in row.chunks_exact_mut(4).zip(samples.chunks_exact(2)) {
                        pixel.copy_from_slice(&[sample[0], sample[0], sample[0], sample[1]]);
                    }
                }
            }
            Ok(())
        })?;
    }
    // Reading past the last row detects corrupt data after it.
    reader.read_row(&mut vec![0; length]).map_err(from_decoder)?;
    resize.finish()
}

type Reader<'a> = png::Reader<Cursor<&'a [u8]>>;

/// The samples that the decoder returns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SampleKind {
    /// Pixels in the layout of a raster.
    Pixels,
    Grey,
    GreyAlpha,
}

fn layout(reader: &Reader) -> Result<(Layout, SampleKind), PictureError> {
    match reader.output_color_type() {
        (ColorType::Rgb, BitDepth::Eight) => Ok((Layout::Rgb, SampleKind::Pixels)),
        (ColorType::Rgba, BitDepth::Eight) => Ok((Layout::Rgba, SampleKind::Pixels)),
        (ColorType::Grayscale, BitDepth::Eight) => Ok((Layout::Rgb, SampleKind::Grey)),
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => Ok((Layout::Rgba, SampleKind::GreyAlpha)),
        unexpected => Err(PictureError::internal(format!("PNG as {unexpected:?}"))),
    }
}

fn from_decoder(error: DecodingError) -> PictureError {
    match error {
        DecodingError::IoError(error) => PictureError::from_io(&error),
        error => PictureError::corrupt(error),
    }
}

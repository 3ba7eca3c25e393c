use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, Limits as ImageLimits};
use png::{BitDepth, ColorType as PngColour, Decoder, DecodingError, Limits as PngLimits, Transformations};

use super::png_colours::colours;
use crate::decoded::{Decoded, Image};
use crate::orientation::Orient;
use crate::pixels::to_rgb_or_rgba;
use crate::size::Size;
use crate::streaming_resize::StreamingResize;
use crate::{BOUNDS, Limits, PictureError};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let PixelChunks { file, checksum_is_cut } = PixelChunks::of(bytes);
    let mut decoder = Decoder::new(Cursor::new(&file[..]));
    decoder.ignore_checksums(checksum_is_cut);
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
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.map_or(Orientation::NoTransforms, Orientation::from_tiff);
    let colours = colours(reader.info());
    let pixels =
        if reader.info().interlaced { decode_interlaced(&file, limits)? } else { decode_rows(&mut reader, size)? };
    Ok(Decoded { size, image: Image::Pixels(pixels), orientation, colours })
}

/// A file up to its last chunk of pixels, and the beginning of another chunk, at which the decoder returns the last rows.
///
/// Nothing else behind the pixels matters: not later frames of an animation, and not the end chunk, which may be missing
/// or damaged.
struct PixelChunks<'a> {
    file: Cow<'a, [u8]>,
    /// Whether the file ends within the checksum of its last chunk of pixels.
    checksum_is_cut: bool,
}

impl<'a> PixelChunks<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        const SIGNATURE: usize = 8;
        const HEADER: usize = 8;
        const CHECKSUM: usize = 4;
        let (mut at, mut has_pixels) = (SIGNATURE, false);
        while let Some((length, name)) = bytes.get(at..).and_then(|rest| Some((rest.first_chunk()?, rest.get(4..8)?))) {
            let is_pixels = name == b"IDAT";
            if has_pixels && !is_pixels {
                break;
            }
            has_pixels |= is_pixels;
            at = at.saturating_add(u32::from_be_bytes(*length) as usize).saturating_add(HEADER + CHECKSUM);
        }
        let missing = at.saturating_sub(bytes.len());
        let is_name = |name: &[u8]| name.iter().all(u8::is_ascii_alphabetic);
        let file = match bytes.get(at + 4..at + HEADER) {
            _ if !has_pixels || missing > CHECKSUM => Cow::Borrowed(bytes),
            Some(name) if is_name(name) => Cow::Borrowed(&bytes[..at + HEADER]),
            _ => {
                let end = b"\0\0\0\0IEND\xae\x42\x60\x82";
                Cow::Owned([&bytes[..at - missing], &[0; CHECKSUM][..missing], end].concat())
            }
        };
        Self { file, checksum_is_cut: (1..=CHECKSUM).contains(&missing) }
    }
}

/// Decodes an interlaced picture, whose rows are not complete before the last pass.
fn decode_interlaced(file: &[u8], limits: &Limits) -> Result<DynamicImage, PictureError> {
    let mut image_limits = ImageLimits::no_limits();
    image_limits.max_alloc = Some(limits.max_bytes() as u64);
    let decoder = PngDecoder::with_limits(Cursor::new(file), image_limits).map_err(PictureError::from_image)?;
    DynamicImage::from_decoder(decoder).map(to_rgb_or_rgba).map_err(PictureError::from_image)
}

/// Decodes a picture row by row and scales it to the size of the largest variant.
fn decode_rows(reader: &mut Reader, size: Size) -> Result<DynamicImage, PictureError> {
    let (colour, kind) = output(reader)?;
    let mut resize = StreamingResize::new(size, size.within(BOUNDS[0]), colour);
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
    // Reading past the last row checks the checksums of the pixels. They may be missing.
    match reader.read_row(&mut vec![0; length]).map_err(from_decoder) {
        Ok(_) | Err(PictureError::Truncated) => resize.finish(),
        Err(error) => Err(error),
    }
}

type Reader<'a> = png::Reader<Cursor<&'a [u8]>>;

/// The samples that the decoder returns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SampleKind {
    /// RGB or RGBA.
    Pixels,
    Grey,
    GreyAlpha,
}

fn output(reader: &Reader) -> Result<(ColorType, SampleKind), PictureError> {
    match reader.output_color_type() {
        (PngColour::Rgb, BitDepth::Eight) => Ok((ColorType::Rgb8, SampleKind::Pixels)),
        (PngColour::Rgba, BitDepth::Eight) => Ok((ColorType::Rgba8, SampleKind::Pixels)),
        (PngColour::Grayscale, BitDepth::Eight) => Ok((ColorType::Rgb8, SampleKind::Grey)),
        (PngColour::GrayscaleAlpha, BitDepth::Eight) => Ok((ColorType::Rgba8, SampleKind::GreyAlpha)),
        unexpected => Err(PictureError::internal(format!("PNG as {unexpected:?}"))),
    }
}

fn from_decoder(error: DecodingError) -> PictureError {
    match error {
        DecodingError::IoError(error) => PictureError::from_io(&error),
        error => PictureError::corrupt(error),
    }
}

use std::borrow::Cow;
use std::io::Cursor;
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};
use image::metadata::Orientation;
use image::{RgbaImage, imageops};

use crate::colour::ColourSpace;
use crate::decoded::{Decoded, Image};
use crate::pixels;
use crate::size::Size;
use crate::{Limits, PictureError};

/// Decodes the first frame. What follows its pixels may be missing or damaged: later frames, the trailer.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    if let Ok(bytes) = NonZeroU64::try_from(limits.max_bytes() as u64) {
        options.set_memory_limit(MemoryLimit::Bytes(bytes));
    }
    let mut decoder = options.read_info(Cursor::new(with_colour_table(bytes))).map_err(from_decoder)?;
    let frame = decoder.next_frame_info().map_err(from_decoder)?.ok_or_else(|| PictureError::corrupt("no frame"))?;
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    let (left, top, transparent) = (u32::from(frame.left), u32::from(frame.top), frame.transparent);
    let size = Size::new(width, height);
    limits.check(size)?;
    // A first frame that is larger than the screen, or outside of it, enlarges it, as in browsers.
    let screen = Size::new(u32::from(decoder.width()).max(left + width), u32::from(decoder.height()).max(top + height));
    limits.check(screen)?;

    let mut indices = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut indices).map_err(from_decoder)?;
    // An index beyond the table is black, as in browsers.
    let mut colours = [[0, 0, 0, u8::MAX]; 256];
    for (colour, rgb) in colours.iter_mut().zip(decoder.palette().map_err(from_decoder)?.as_chunks::<3>().0) {
        colour[..3].copy_from_slice(rgb);
    }
    if let Some(index) = transparent {
        colours[usize::from(index)] = [0; 4];
    }
    let pixels = indices.iter().flat_map(|&index| colours[usize::from(index)]).collect();
    drop(indices);
    let mut picture = pixels::rgba(size, pixels)?;
    if screen != size {
        let mut canvas = RgbaImage::new(screen.width, screen.height);
        imageops::replace(&mut canvas, &picture, left.into(), top.into());
        picture = canvas;
    }
    Ok(Decoded {
        size: screen,
        image: Image::Pixels(picture.into()),
        orientation: Orientation::NoTransforms,
        colours: ColourSpace::Srgb,
    })
}

/// A file with a global colour table: of two black colours, if it has none. The decoder requires a table.
fn with_colour_table(bytes: &[u8]) -> Cow<'_, [u8]> {
    const HEADER: usize = 13;
    const FLAGS: usize = 10;
    match bytes.split_at_checked(HEADER) {
        Some((header, rest)) if header[FLAGS] & 0x80 == 0 => {
            let mut file = [header, &[0; 6], rest].concat();
            file[FLAGS] = header[FLAGS] & !7 | 0x80;
            Cow::Owned(file)
        }
        _ => Cow::Borrowed(bytes),
    }
}

fn from_decoder(error: DecodingError) -> PictureError {
    match error {
        DecodingError::UnexpectedEof => PictureError::Truncated,
        DecodingError::Io(error) => PictureError::from_io(&error),
        error => PictureError::corrupt(error),
    }
}

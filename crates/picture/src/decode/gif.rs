use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use crate::decoded::{Decoded, Image};
use crate::orientation::Orientation;
use crate::raster::{Layout, Raster};
use crate::size::Size;
use crate::{Limits, PictureError};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    check_complete(bytes)?;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    if let Ok(bytes) = NonZeroU64::try_from(limits.max_bytes() as u64) {
        options.set_memory_limit(MemoryLimit::Bytes(bytes));
    }
    let mut decoder = options.read_info(bytes).map_err(from_decoder)?;
    let screen = Size::new(decoder.width().into(), decoder.height().into());
    limits.check(screen)?;

    let frame = decoder.next_frame_info().map_err(from_decoder)?.ok_or_else(|| PictureError::corrupt("no frame"))?;
    // A frame may extend beyond the screen.
    let frame_size = Size::new(frame.width.into(), frame.height.into());
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    limits.check(frame_size)?;
    let mut frame = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut frame).map_err(from_decoder)?;

    let pixels = compose(&frame, frame_size, left, top, screen);
    Ok(Decoded {
        size: screen,
        image: Image::Raster(Raster { size: screen, layout: Layout::Rgba, pixels }),
        orientation: Orientation::Upright,
        icc_profile: None,
    })
}

/// Draws the RGBA frame at `left`, `top` on a transparent screen and crops it to the screen.
fn compose(frame: &[u8], frame_size: Size, left: usize, top: usize, screen: Size) -> Vec<u8> {
    let stride = screen.width as usize * 4;
    let mut pixels = vec![0; stride * screen.height as usize];
    let rows = frame.chunks_exact(frame_size.width as usize * 4);
    for (from, to) in rows.zip(pixels.chunks_exact_mut(stride).skip(top)) {
        let to = to.get_mut(left * 4..).unwrap_or_default();
        let visible = from.len().min(to.len());
        to[..visible].copy_from_slice(&from[..visible]);
    }
    pixels
}

/// Reads all blocks up to the trailer (GIF89a specification, appendix B), because a file without a
/// trailer is truncated although only the first frame is decoded.
fn check_complete(mut bytes: &[u8]) -> Result<(), PictureError> {
    let mut take = |length: usize| {
        let (taken, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        Some(taken)
    };
    // `None` at an early end of the file.
    let mut read_blocks = || -> Option<Result<(), PictureError>> {
        // The length of a colour table is in the flags of the descriptor before it.
        let table_length = |flags: u8| match flags & 0x80 {
            0 => 0,
            _ => 3 << ((flags & 7) + 1),
        };
        let screen = take(13)?;
        take(table_length(screen[10]))?;
        loop {
            match take(1)? {
                [0x3b] => return Some(Ok(())),
                [0x21] => drop(take(1)?),
                [0x2c] => {
                    let frame = take(9)?;
                    take(table_length(frame[8]))?;
                    take(1)?; // LZW code size
                }
                _ => return Some(Err(PictureError::corrupt("an unknown block"))),
            }
            // The data consists of sub-blocks with a length each; an empty one is the last.
            loop {
                let length = take(1)?[0];
                if length == 0 {
                    break;
                }
                take(length.into())?;
            }
        }
    };
    read_blocks().unwrap_or(Err(PictureError::Truncated))
}

fn from_decoder(error: DecodingError) -> PictureError {
    match error {
        DecodingError::UnexpectedEof => PictureError::Truncated,
        DecodingError::Io(error) => PictureError::from_io(&error),
        error => PictureError::corrupt(error),
    }
}

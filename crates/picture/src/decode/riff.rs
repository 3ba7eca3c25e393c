//! A walk over a WebP's chunks (RFC 9649, section 2), without decoding anything.

use crate::PictureError;
use crate::resize::Size;

/// What the chunks say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Survey<'a> {
    /// Of the whole picture. The first frame is not larger, by its own data either: the decoder
    /// allocates by those before it compares.
    pub canvas: Size,
    /// Where the file ends by its header, in bytes. Nothing after it belongs to the picture.
    pub end: usize,
    /// Of a still picture: its lossy frame, if it has one.
    pub lossy: Option<&'a [u8]>,
}

/// Walks over the chunks. A file that is shorter than its header says is truncated.
///
/// It is stricter than the decoder where that trusts the file: image-webp 0.2.4 panics when the
/// pixels of an animation's frame have another size than the frame claims.
pub(super) fn survey(bytes: &[u8]) -> Result<Survey<'_>, PictureError> {
    let header: &[u8; 12] = bytes.first_chunk().ok_or(PictureError::Truncated)?;
    let riff_size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    let end = (riff_size as usize).saturating_add(8);
    let mut chunks = Chunks(bytes.get(12..end).ok_or(PictureError::Truncated)?);

    let (name, data) = chunks.next()?.ok_or_else(no_picture)?;
    let (canvas, lossy) = match &name {
        b"VP8X" => extended(data, chunks)?,
        _ => (pixels_size(&name, data)?, (&name == b"VP8 ").then_some(data)),
    };
    Ok(Survey { canvas, end, lossy })
}

/// A file with a VP8X header, which may be animated: the canvas, and a still picture's lossy frame.
fn extended<'a>(header: &[u8], mut chunks: Chunks<'a>) -> Result<(Size, Option<&'a [u8]>), PictureError> {
    let [flags, _, _, _, canvas @ ..] = header else {
        return Err(short());
    };
    let animated = flags & 0b10 != 0;
    let canvas = size_minus_one(canvas)?;

    let (mut frame, mut lossy) = (None, None);
    while let Some((name, data)) = chunks.next()? {
        match &name {
            b"ANMF" if !animated => return Err(PictureError::corrupt("a stray frame")),
            b"ANMF" if frame.is_none() => frame = Some(first_frame(data)?),
            b"VP8 " | b"VP8L" if !animated && frame.is_none() => {
                frame = Some(pixels_size(&name, data)?);
                lossy = (&name == b"VP8 ").then_some(data);
            }
            _ => {}
        }
    }
    let frame = frame.ok_or_else(no_picture)?;
    if frame != canvas && !(animated && fits(frame, canvas)) {
        return Err(PictureError::corrupt("pixels larger than the picture"));
    }
    Ok((canvas, lossy))
}

fn fits(frame: Size, canvas: Size) -> bool {
    frame.width <= canvas.width && frame.height <= canvas.height
}

/// The size of an animation's frame, which must also be that of the pixels in it.
fn first_frame(data: &[u8]) -> Result<Size, PictureError> {
    let (header, data) = data.split_at_checked(16).ok_or_else(short)?;
    let claimed = size_minus_one(&header[6..])?;
    let mut chunks = Chunks(data);
    let mut chunk = chunks.next()?.ok_or_else(no_picture)?;
    if &chunk.0 == b"ALPH" {
        // The decoder takes whatever follows for lossy pixels.
        chunk = chunks.next()?.ok_or_else(no_picture)?;
        if &chunk.0 != b"VP8 " {
            return Err(no_picture());
        }
    }
    if pixels_size(&chunk.0, chunk.1)? != claimed {
        return Err(PictureError::corrupt("a frame of two sizes"));
    }
    Ok(claimed)
}

struct Chunks<'a>(&'a [u8]);

/// A chunk's name and its data.
type Chunk<'a> = ([u8; 4], &'a [u8]);

impl<'a> Chunks<'a> {
    fn next(&mut self) -> Result<Option<Chunk<'a>>, PictureError> {
        let Some((name, rest)) = self.0.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let (size, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let size = u32::from_le_bytes(*size) as usize;
        let (data, rest) = rest.split_at_checked(size).ok_or_else(short)?;
        // Chunks of odd size are padded; the last one's padding is missing now and then.
        self.0 = rest.get(size % 2..).unwrap_or_default();
        Ok(Some((*name, data)))
    }
}

/// Width and height, three bytes each, as VP8X and ANMF store them: less one.
fn size_minus_one(data: &[u8]) -> Result<Size, PictureError> {
    let [x0, x1, x2, y0, y1, y2, ..] = *data else {
        return Err(short());
    };
    Ok(Size { width: u32::from_le_bytes([x0, x1, x2, 0]) + 1, height: u32::from_le_bytes([y0, y1, y2, 0]) + 1 })
}

/// The dimensions in the first bytes of lossy (RFC 6386, section 9.1) or lossless data (RFC 9649,
/// section 3.4): 14 bits each.
fn pixels_size(name: &[u8; 4], data: &[u8]) -> Result<Size, PictureError> {
    match (name, data) {
        (b"VP8 ", [_, _, _, 0x9d, 0x01, 0x2a, x0, x1, y0, y1, ..]) => Ok(Size {
            width: u32::from(u16::from_le_bytes([*x0, *x1]) & 0x3fff),
            height: u32::from(u16::from_le_bytes([*y0, *y1]) & 0x3fff),
        }),
        (b"VP8L", [0x2f, b0, b1, b2, b3, ..]) => {
            let bits = u32::from_le_bytes([*b0, *b1, *b2, *b3]);
            Ok(Size { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 })
        }
        _ => Err(no_picture()),
    }
}

fn no_picture() -> PictureError {
    PictureError::corrupt("no picture where it should be")
}

fn short() -> PictureError {
    PictureError::corrupt("a chunk longer than its container")
}

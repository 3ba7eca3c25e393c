//! Reads the chunks of a WebP (RFC 9649, section 2) without decoding.

use crate::PictureError;
use crate::size::Size;

/// The facts in the chunks that are needed before decoding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContainerInfo<'a> {
    /// The size of the picture. The first frame is not larger, according to its header and to its
    /// data: image-webp allocates memory by the latter before it compares them.
    pub canvas: Size,
    /// The length of the file according to its header, in bytes. Later bytes are not part of the picture.
    pub end: usize,
    /// The lossy frame of a still picture, if there is one.
    pub lossy: Option<&'a [u8]>,
}

/// Reads the chunks. A file shorter than its header claims is truncated.
///
/// Also rejects files that cause a panic in image-webp 0.2.4: the pixels of an animation's frame
/// have another size than the frame's header.
pub(super) fn read_container(bytes: &[u8]) -> Result<ContainerInfo<'_>, PictureError> {
    let header: &[u8; 12] = bytes.first_chunk().ok_or(PictureError::Truncated)?;
    let riff_size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    let end = (riff_size as usize).saturating_add(8);
    let mut chunks = Chunks(bytes.get(12..end).ok_or(PictureError::Truncated)?);

    let (name, data) = chunks.next()?.ok_or_else(no_picture)?;
    let (canvas, lossy) = match &name {
        b"VP8X" => extended(data, chunks)?,
        _ => (pixels_size(&name, data)?, (&name == b"VP8 ").then_some(data)),
    };
    Ok(ContainerInfo { canvas, end, lossy })
}

/// Reads a file with a VP8X header, which may be animated. Returns the canvas and a still picture's lossy frame.
fn extended<'a>(header: &[u8], mut chunks: Chunks<'a>) -> Result<(Size, Option<&'a [u8]>), PictureError> {
    let [flags, _, _, _, canvas @ ..] = header else {
        return Err(short());
    };
    let animated = flags & 0b10 != 0;
    let canvas = size_minus_one(canvas)?;

    let (mut frame, mut lossy) = (None, None);
    while let Some((name, data)) = chunks.next()? {
        match &name {
            b"ANMF" if !animated => return Err(PictureError::corrupt("an animation frame in a still picture")),
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

/// The size of an animation frame, which must be equal to the size of its pixels.
fn first_frame(data: &[u8]) -> Result<Size, PictureError> {
    let (header, data) = data.split_at_checked(16).ok_or_else(short)?;
    let claimed = size_minus_one(&header[6..])?;
    let mut chunks = Chunks(data);
    let mut chunk = chunks.next()?.ok_or_else(no_picture)?;
    if &chunk.0 == b"ALPH" {
        // The decoder assumes lossy pixels after an alpha chunk without a check.
        chunk = chunks.next()?.ok_or_else(no_picture)?;
        if &chunk.0 != b"VP8 " {
            return Err(no_picture());
        }
    }
    if pixels_size(&chunk.0, chunk.1)? != claimed {
        return Err(PictureError::corrupt("a frame with pixels of another size"));
    }
    Ok(claimed)
}

struct Chunks<'a>(&'a [u8]);

/// The name and the content of a chunk.
type Chunk<'a> = ([u8; 4], &'a [u8]);

impl<'a> Chunks<'a> {
    fn next(&mut self) -> Result<Option<Chunk<'a>>, PictureError> {
        let Some((name, rest)) = self.0.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let (size, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let size = u32::from_le_bytes(*size) as usize;
        let (data, rest) = rest.split_at_checked(size).ok_or_else(short)?;
        // Chunks of odd size are padded. Some writers omit the padding of the last one.
        self.0 = rest.get(size % 2..).unwrap_or_default();
        Ok(Some((*name, data)))
    }
}

/// Width and height as VP8X and ANMF store them: three bytes each, minus one.
fn size_minus_one(data: &[u8]) -> Result<Size, PictureError> {
    let [x0, x1, x2, y0, y1, y2, ..] = *data else {
        return Err(short());
    };
    Ok(Size { width: u32::from_le_bytes([x0, x1, x2, 0]) + 1, height: u32::from_le_bytes([y0, y1, y2, 0]) + 1 })
}

/// Width and height in the header of lossy (RFC 6386, section 9.1) or lossless data (RFC 9649,
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
    PictureError::corrupt("no pixel data")
}

fn short() -> PictureError {
    PictureError::corrupt("a chunk longer than its container")
}

//! A walk over a WebP's chunks (RFC 9649, section 2), without decoding anything.

use crate::PictureError;
use crate::resize::Size;

/// The dimensions that a WebP claims, each of them in another place.
#[derive(Debug)]
pub(super) struct Survey {
    /// Of the whole picture.
    pub canvas: Size,
    /// Of the first frame as its own data say. The decoder allocates by these before it
    /// compares them with the canvas.
    pub frame: Size,
}

/// Walks to the first frame. A file that is shorter than its RIFF header says is truncated.
pub(super) fn survey(bytes: &[u8]) -> Result<Survey, PictureError> {
    let header: &[u8; 12] = bytes.first_chunk().ok_or(PictureError::Truncated)?;
    let riff_size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    let end = 8 + riff_size as usize;
    let mut chunks = Chunks(bytes.get(12..end).ok_or(PictureError::Truncated)?);

    let mut canvas = None;
    while let Some((name, data)) = chunks.next()? {
        match &name {
            b"VP8X" => canvas = Some(extended(data)?),
            b"VP8 " | b"VP8L" => return with_frame(canvas, bitstream(&name, data)?),
            b"ANMF" => {
                let (_, data) = data.split_at_checked(16).ok_or_else(short)?;
                let mut inner = Chunks(data);
                while let Some((name, data)) = inner.next()? {
                    if matches!(&name, b"VP8 " | b"VP8L") {
                        return with_frame(canvas, bitstream(&name, data)?);
                    }
                }
                return Err(PictureError::corrupt("a frame without pixels"));
            }
            _ => {}
        }
    }
    Err(PictureError::corrupt("no picture"))
}

fn with_frame(canvas: Option<Size>, frame: Size) -> Result<Survey, PictureError> {
    let canvas = canvas.unwrap_or(frame);
    if frame.width > canvas.width || frame.height > canvas.height {
        return Err(PictureError::corrupt("a frame larger than the picture"));
    }
    Ok(Survey { canvas, frame })
}

struct Chunks<'a>(&'a [u8]);

impl<'a> Chunks<'a> {
    fn next(&mut self) -> Result<Option<([u8; 4], &'a [u8])>, PictureError> {
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

fn extended(data: &[u8]) -> Result<Size, PictureError> {
    let [_, _, _, _, x0, x1, x2, y0, y1, y2, ..] = *data else {
        return Err(short());
    };
    Ok(Size { width: u32::from_le_bytes([x0, x1, x2, 0]) + 1, height: u32::from_le_bytes([y0, y1, y2, 0]) + 1 })
}

/// The dimensions in the first bytes of lossy (RFC 6386, section 9.1) or lossless data (RFC 9649,
/// section 3.4): 14 bits each.
fn bitstream(name: &[u8; 4], data: &[u8]) -> Result<Size, PictureError> {
    match (name, data) {
        (b"VP8 ", [_, _, _, 0x9d, 0x01, 0x2a, x0, x1, y0, y1, ..]) => Ok(Size {
            width: u32::from(u16::from_le_bytes([*x0, *x1]) & 0x3fff),
            height: u32::from(u16::from_le_bytes([*y0, *y1]) & 0x3fff),
        }),
        (b"VP8L", [0x2f, b0, b1, b2, b3, ..]) => {
            let bits = u32::from_le_bytes([*b0, *b1, *b2, *b3]);
            Ok(Size { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 })
        }
        _ => Err(PictureError::corrupt("no picture header")),
    }
}

fn short() -> PictureError {
    PictureError::corrupt("a chunk longer than its container")
}

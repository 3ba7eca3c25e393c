//! Reads the chunks of a WebP (RFC 9649, section 2) without decoding.

use crate::PictureError;
use crate::size::Size;

/// The facts in the chunks that are needed before decoding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContainerInfo<'a> {
    /// The size of the picture. The first frame is not larger, according to its header and to its
    /// data: image-webp allocates memory by the latter before it compares them.
    pub canvas: Size,
    pub pixels: Pixels<'a>,
    /// Metadata that the header announces. Chunks that it does not announce are ignored, as by libwebp.
    pub icc_profile: Option<&'a [u8]>,
    pub exif: Option<&'a [u8]>,
}

/// The first picture of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pixels<'a> {
    /// An opaque still picture: a lossy frame.
    Lossy(&'a [u8]),
    /// Any other, as a file that contains nothing else.
    Other(Vec<u8>),
}

/// The name and the content of a chunk.
type Chunk<'a> = (&'static [u8; 4], &'a [u8]);

/// Flags in the header VP8X.
const ANIMATION: u8 = 0x02;
const EXIF: u8 = 0x08;
const ALPHA: u8 = 0x10;
const ICC_PROFILE: u8 = 0x20;

/// Reads the chunks. What follows the first picture may be missing or damaged.
///
/// Also rejects files that cause a panic in image-webp 0.2.4: the pixels of an animation's frame
/// have another size than the frame's header.
pub(super) fn read_container(bytes: &[u8]) -> Result<ContainerInfo<'_>, PictureError> {
    let header: &[u8; 12] = bytes.first_chunk().ok_or(PictureError::Truncated)?;
    let riff_size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    let end = (riff_size as usize).saturating_add(8);
    // Later bytes than the header claims are not part of the picture.
    let chunks = bytes.get(12..end.min(bytes.len())).ok_or(PictureError::Truncated)?;
    read_chunks(Chunks(chunks)).map_err(|error| if bytes.len() < end { PictureError::Truncated } else { error })
}

fn read_chunks(mut chunks: Chunks<'_>) -> Result<ContainerInfo<'_>, PictureError> {
    let (name, data) = chunks.next()?.ok_or_else(no_picture)?;
    let plain = |pixels| Ok(ContainerInfo { canvas: pixels_size(&name, data)?, pixels, icc_profile: None, exif: None });
    match &name {
        b"VP8X" => extended(data, chunks),
        b"VP8 " => plain(Pixels::Lossy(data)),
        _ => plain(Pixels::Other(file(&[(b"VP8L", data)]))),
    }
}

/// Reads a file with a VP8X header, which may be animated.
fn extended<'a>(header: &'a [u8], mut chunks: Chunks<'a>) -> Result<ContainerInfo<'a>, PictureError> {
    let [flags, _, _, _, canvas @ ..] = header else {
        return Err(short());
    };
    let (flags, canvas) = (*flags, size_minus_one(canvas)?);
    let (animated, transparent) = (flags & ANIMATION != 0, flags & ALPHA != 0);

    let (mut icc_profile, mut alpha) = (None, None);
    let (frame, pixels) = loop {
        let (name, data) = chunks.next()?.ok_or_else(no_picture)?;
        match &name {
            b"ICCP" if flags & ICC_PROFILE != 0 => icc_profile = icc_profile.or(Some(data)),
            b"ANMF" if !animated => return Err(PictureError::corrupt("an animation frame in a still picture")),
            b"ANMF" => {
                let chunks = [(b"VP8X", &without_metadata(header)[..]), (b"ANIM", &[0; 6]), (b"ANMF", data)];
                break (first_frame(data)?, Pixels::Other(file(&chunks)));
            }
            b"ALPH" if transparent => alpha = alpha.or(Some(data)),
            b"VP8 " | b"VP8L" if !animated => {
                let size = pixels_size(&name, data)?;
                let header = without_metadata(header);
                break match (&name, alpha) {
                    (b"VP8 ", None) => (size, Pixels::Lossy(data)),
                    (b"VP8 ", Some(alpha)) => {
                        let chunks: [Chunk<'_>; 3] = [(b"VP8X", &header), (b"ALPH", alpha), (b"VP8 ", data)];
                        (size, Pixels::Other(file(&chunks)))
                    }
                    _ => (size, Pixels::Other(file(&[(b"VP8X", &header), (b"VP8L", data)]))),
                };
            }
            _ => {}
        }
    };
    if frame != canvas && !(animated && fits(frame, canvas)) {
        return Err(PictureError::corrupt("pixels larger than the picture"));
    }
    let mut exif = None;
    while let (EXIF, Ok(Some((name, data)))) = (flags & EXIF, chunks.next()) {
        if &name == b"EXIF" {
            exif = Some(data);
            break;
        }
    }
    Ok(ContainerInfo { canvas, pixels, icc_profile, exif })
}

/// The header VP8X of a file without metadata chunks.
fn without_metadata(header: &[u8]) -> Vec<u8> {
    let mut header = header.to_vec();
    header[0] &= ANIMATION | ALPHA;
    header
}

/// A file with these chunks.
fn file(chunks: &[Chunk<'_>]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
    for (name, data) in chunks {
        file.extend(*name);
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(*data);
        file.resize(file.len().next_multiple_of(2), 0);
    }
    let size = file.len() as u32 - 8;
    file[4..8].copy_from_slice(&size.to_le_bytes());
    file
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

/// The name and the content of the next chunk.
type NextChunk<'a> = ([u8; 4], &'a [u8]);

/// Reads the chunks one after another.
struct Chunks<'a>(&'a [u8]);

impl<'a> Chunks<'a> {
    fn next(&mut self) -> Result<Option<NextChunk<'a>>, PictureError> {
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

//! A walk over a JPEG's markers (ITU-T T.81, annex B), without decoding anything.
//!
//! It finds what the decoder does not tell before it has decoded: dimensions, scans, whether the
//! file is whole, and the metadata that matters.

use crate::PictureError;
use crate::resize::Size;

/// What the markers say.
#[derive(Debug)]
pub(super) struct Survey<'a> {
    pub frame: Frame,
    /// EXIF data from its TIFF header on.
    pub exif: Option<&'a [u8]>,
    pub has_jfif: bool,
    /// The colour transform of Adobe's APP14 segment.
    pub adobe_transform: Option<u8>,
    pub scans: Vec<Scan>,
    /// Where the file ends: right after the end-of-image marker.
    pub end: usize,
}

/// The frame header (SOFn).
#[derive(Debug)]
pub(super) struct Frame {
    /// The second byte of the marker: 0xC0 baseline, 0xC1 extended, 0xC2 progressive, …
    pub marker: u8,
    /// Bits per sample.
    pub precision: u8,
    pub size: Size,
    /// Identifiers of the colour components, in order.
    pub components: Vec<u8>,
}

/// One scan: a header (SOS) and the entropy-coded data after it.
#[derive(Debug)]
pub(super) struct Scan {
    /// Identifiers of the components in it.
    pub components: Vec<u8>,
    /// Whether it holds the first coefficient (of 64) of its blocks: their mean.
    pub has_dc: bool,
    /// Where the entropy-coded data ends: at the next marker's first byte.
    pub end: usize,
}

/// Walks to the end-of-image marker. A file in which it is missing is truncated.
pub(super) fn survey(bytes: &[u8]) -> Result<Survey<'_>, PictureError> {
    let mut frame = None;
    let mut exif = None;
    let mut has_jfif = false;
    let mut adobe_transform = None;
    let mut scans = Vec::new();
    let mut at = 2; // after the start-of-image marker

    loop {
        let marker;
        (marker, at) = next_marker(bytes, at)?;
        if marker == 0xd9 {
            break;
        }
        // Markers without a segment: TEM, RST0 to RST7, a second SOI. The decoder judges them.
        if marker == 0x01 || (0xd0..=0xd8).contains(&marker) {
            continue;
        }
        let segment = segment(bytes, at)?;
        at += 2 + segment.len();
        match marker {
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                if frame.is_some() {
                    return Err(PictureError::UnsupportedFormat); // hierarchical
                }
                frame = Some(read_frame(marker, segment)?);
            }
            0xda => {
                at = end_of_entropy(bytes, at)?;
                scans.push(read_scan(segment, at)?);
            }
            0xe0 if segment.starts_with(b"JFIF\0") => has_jfif = true,
            0xe1 if exif.is_none() => exif = segment.strip_prefix(b"Exif\0\0"),
            0xee if segment.starts_with(b"Adobe") => {
                adobe_transform = segment.get(11).copied();
            }
            _ => {}
        }
    }

    Ok(Survey {
        frame: frame.ok_or_else(|| PictureError::corrupt("no frame header"))?,
        exif,
        has_jfif,
        adobe_transform,
        scans,
        end: at,
    })
}

/// The next marker's code and the position after it. Stray bytes before it are skipped, as every
/// decoder does: some cameras write them.
fn next_marker(bytes: &[u8], mut at: usize) -> Result<(u8, usize), PictureError> {
    loop {
        match bytes.get(at..at + 2).ok_or(PictureError::Truncated)? {
            [0xff, 0x00] => at += 2,
            [0xff, 0xff] => at += 1, // a fill byte
            [0xff, code] => return Ok((*code, at + 2)),
            _ => at += 1,
        }
    }
}

/// The segment whose length field is at `at`, without that field.
fn segment(bytes: &[u8], at: usize) -> Result<&[u8], PictureError> {
    let rest = bytes.get(at..).ok_or(PictureError::Truncated)?;
    let (length, rest) = rest.split_first_chunk().ok_or(PictureError::Truncated)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let length =
        length.checked_sub(2).ok_or_else(|| PictureError::corrupt("a segment shorter than its length field"))?;
    rest.get(..length).ok_or(PictureError::Truncated)
}

/// The position of the first marker after the entropy-coded data at `at` that is neither a
/// stuffed zero nor a restart. Fill bytes belong to the marker after them.
fn end_of_entropy(bytes: &[u8], mut at: usize) -> Result<usize, PictureError> {
    loop {
        let rest = bytes.get(at..).ok_or(PictureError::Truncated)?;
        at += rest.iter().position(|&byte| byte == 0xff).ok_or(PictureError::Truncated)?;
        let fills = bytes[at..].iter().take_while(|&&byte| byte == 0xff).count();
        match bytes.get(at + fills).ok_or(PictureError::Truncated)? {
            0x00 | 0xd0..=0xd7 => at += fills + 1,
            _ => return Ok(at),
        }
    }
}

fn read_frame(marker: u8, segment: &[u8]) -> Result<Frame, PictureError> {
    let short = || PictureError::corrupt("a short frame header");
    let [precision, y1, y0, x1, x0, count, rest @ ..] = segment else {
        return Err(short());
    };
    let components: Vec<u8> = rest.chunks_exact(3).map(|c| c[0]).collect();
    if components.len() != usize::from(*count) {
        return Err(short());
    }
    Ok(Frame {
        marker,
        precision: *precision,
        size: Size { width: u16::from_be_bytes([*x1, *x0]).into(), height: u16::from_be_bytes([*y1, *y0]).into() },
        components,
    })
}

fn read_scan(segment: &[u8], end: usize) -> Result<Scan, PictureError> {
    let short = || PictureError::corrupt("a short scan header");
    let (&count, rest) = segment.split_first().ok_or_else(short)?;
    let (components, rest) = rest.split_at_checked(2 * usize::from(count)).ok_or_else(short)?;
    let first_coefficient = *rest.first().ok_or_else(short)?;
    Ok(Scan { components: components.chunks_exact(2).map(|c| c[0]).collect(), has_dc: first_coefficient == 0, end })
}

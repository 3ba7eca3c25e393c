//! Reads the markers of a JPEG (ITU-T T.81, annex B) without decoding.
//!
//! It finds facts that `jpeg-decoder` does not return before it decodes: size, scans, metadata, and
//! whether the file is complete.

use crate::PictureError;
use crate::size::Size;

/// The content of the markers.
#[derive(Debug)]
pub(super) struct MarkerInfo<'a> {
    pub frame: Frame,
    /// EXIF data, starting with its TIFF header.
    pub exif: Option<&'a [u8]>,
    pub has_jfif: bool,
    /// The colour transform of Adobe's APP14 segment.
    pub adobe_transform: Option<u8>,
    pub scans: Vec<Scan>,
    /// The index after the end-of-image marker.
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
    /// The identifiers of the components, in order.
    pub components: Vec<u8>,
}

/// A scan: its header (SOS) and its entropy-coded data.
#[derive(Debug)]
pub(super) struct Scan {
    /// The identifiers of its components.
    pub components: Vec<u8>,
    /// Whether it contains the first coefficient (DC) of its blocks.
    pub has_dc: bool,
    /// The end of the entropy-coded data: the index of the next marker.
    pub end: usize,
}

/// Reads up to the end-of-image marker. A file without it is truncated.
pub(super) fn read_markers(bytes: &[u8]) -> Result<MarkerInfo<'_>, PictureError> {
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
        // Markers without a segment: TEM, RST0 to RST7, a second SOI. The decoder checks them.
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

    Ok(MarkerInfo {
        frame: frame.ok_or_else(|| PictureError::corrupt("no frame header"))?,
        exif,
        has_jfif,
        adobe_transform,
        scans,
        end: at,
    })
}

/// The code of the next marker and the index after it. Skips stray bytes, which some cameras write.
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

/// The content of the segment whose length field is at `at`.
fn segment(bytes: &[u8], at: usize) -> Result<&[u8], PictureError> {
    let rest = bytes.get(at..).ok_or(PictureError::Truncated)?;
    let (length, rest) = rest.split_first_chunk().ok_or(PictureError::Truncated)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let length =
        length.checked_sub(2).ok_or_else(|| PictureError::corrupt("a segment shorter than its length field"))?;
    rest.get(..length).ok_or(PictureError::Truncated)
}

/// The index of the first marker after the entropy-coded data at `at`, other than a restart marker.
/// Fill bytes belong to the marker after them.
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

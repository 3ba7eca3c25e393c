//! Reads the markers of a JPEG (ITU-T T.81, annex B) without decoding.
//!
//! It finds facts that `jpeg-decoder` does not return before it decodes: size, scans, metadata, and
//! whether the picture is complete.

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
    /// The indices of segments whose length is below that of their length field, which the decoder does not accept.
    pub short_segments: Vec<usize>,
    /// Whether an end-of-image marker follows the scans.
    pub has_end: bool,
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
    /// The first and the last coefficient of its blocks that it contains.
    pub band: (u8, u8),
    /// The lowest bit that it contains.
    pub low_bit: u8,
    /// The end of the entropy-coded data: the index of the next marker, or of the end of the file.
    pub end: usize,
}

impl MarkerInfo<'_> {
    /// Whether the scans contain all coefficients of a component, down to the lowest bit.
    pub fn is_finished(&self, component: u8) -> bool {
        let scans = self.scans.iter().filter(|scan| scan.low_bit == 0 && scan.components.contains(&component));
        let bands = scans.map(|Scan { band: (first, last), .. }| match (*first..=*last, last) {
            (band, ..=63) => band.fold(0, |bits, coefficient| bits | 1_u64 << coefficient),
            _ => 0,
        });
        bands.fold(0, |all, band| all | band) == u64::MAX
    }
}

/// Reads up to the end-of-image marker, or to the end of the file after a scan.
pub(super) fn read_markers(bytes: &[u8]) -> Result<MarkerInfo<'_>, PictureError> {
    let mut frame = None;
    let mut exif = None;
    let mut has_jfif = false;
    let mut adobe_transform = None;
    let (mut scans, mut short_segments) = (Vec::new(), Vec::new());
    let mut at = 2; // after the start-of-image marker

    let has_end = loop {
        let marker;
        (marker, at) = match next_marker(bytes, at) {
            Ok((0xd9, _)) => break true,
            Ok(next) => next,
            Err(_) if !scans.is_empty() => break false,
            Err(error) => return Err(error),
        };
        // Markers without a segment: TEM, RST0 to RST7, a second SOI. The decoder checks them.
        if marker == 0x01 || (0xd0..=0xd8).contains(&marker) {
            continue;
        }
        let segment = match segment(bytes, at) {
            Ok(segment) => segment,
            // What follows the scans need not be a segment.
            Err(_) if !scans.is_empty() => break false,
            Err(error) => return Err(error),
        };
        if matches!(bytes.get(at..at + 2), Some([0, 0 | 1])) {
            short_segments.push(at - 2);
        }
        at += 2 + segment.len();
        match marker {
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                if frame.is_some() {
                    return Err(PictureError::UnsupportedFormat); // hierarchical
                }
                frame = Some(read_frame(marker, segment)?);
            }
            0xda => {
                at = end_of_entropy(bytes, at);
                match read_scan(segment, at) {
                    Ok(scan) => scans.push(scan),
                    Err(_) if !scans.is_empty() => break false,
                    Err(error) => return Err(error),
                }
            }
            0xe0 if segment.starts_with(b"JFIF\0") => has_jfif = true,
            0xe1 if exif.is_none() => exif = exif_in_segment(segment),
            0xee if segment.starts_with(b"Adobe") => {
                adobe_transform = segment.get(11).copied();
            }
            _ => {}
        }
    };

    Ok(MarkerInfo {
        frame: frame.ok_or_else(|| PictureError::corrupt("no frame header"))?,
        exif,
        has_jfif,
        adobe_transform,
        scans,
        short_segments,
        has_end,
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

/// The content of the segment whose length field is at `at`. A length below that of the field itself means an empty
/// segment, as in libjpeg.
fn segment(bytes: &[u8], at: usize) -> Result<&[u8], PictureError> {
    let rest = bytes.get(at..).ok_or(PictureError::Truncated)?;
    let (length, rest) = rest.split_first_chunk().ok_or(PictureError::Truncated)?;
    let length = usize::from(u16::from_be_bytes(*length)).saturating_sub(2);
    rest.get(..length).ok_or(PictureError::Truncated)
}

/// The EXIF data in an APP1 segment, starting with its TIFF header. An empty segment, which some editors leave in front
/// of the real one, has none.
pub(super) fn exif_in_segment(segment: &[u8]) -> Option<&[u8]> {
    segment.strip_prefix(b"Exif\0\0").filter(|exif| !exif.is_empty())
}

/// The index of the first marker after the entropy-coded data at `at`, other than a restart marker, or of the end of the
/// file. Fill bytes belong to the marker after them.
fn end_of_entropy(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes[at..].iter().position(|&byte| byte == 0xff) {
        let marker = at + found;
        let fills = bytes[marker..].iter().take_while(|&&byte| byte == 0xff).count();
        match bytes.get(marker + fills) {
            Some(0x00 | 0xd0..=0xd7) => at = marker + fills + 1,
            _ => return marker,
        }
    }
    bytes.len()
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
    let [first, last, bits, ..] = *rest else { return Err(short()) };
    let components = components.chunks_exact(2).map(|c| c[0]).collect();
    Ok(Scan { components, band: (first, last), low_bit: bits & 15, end })
}

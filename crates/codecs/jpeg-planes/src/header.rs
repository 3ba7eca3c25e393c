//! The markers before the entropy-coded data (T.81, annex B).

use crate::huffman::Code;
use crate::{Error, Unsupported};

/// How many samples of luma there are for one of chroma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// No chroma: 4:0:0.
    Grey,
    /// As many.
    S444,
    /// Two, side by side.
    S422,
    /// Two, one above the other.
    S440,
    /// Four.
    S420,
}

impl Sampling {
    /// Luma samples per chroma sample: across, down.
    pub fn factors(self) -> (usize, usize) {
        match self {
            Self::Grey | Self::S444 => (1, 1),
            Self::S422 => (2, 1),
            Self::S440 => (1, 2),
            Self::S420 => (2, 2),
        }
    }
}

/// An APPn or COM segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The second byte of its marker: 0xE0 to 0xEF, or 0xFE.
    pub marker: u8,
    /// Without the length.
    pub data: &'a [u8],
}

/// What the headers say.
#[derive(Debug, Clone)]
pub struct Header<'a> {
    /// In pixels, never 0.
    pub width: u16,
    /// In pixels, never 0.
    pub height: u16,
    /// How many samples of luma there are for one of chroma.
    pub sampling: Sampling,
    /// The components' identifiers, which some writers name the colours by; one or three.
    pub components: Vec<u8>,
    /// Whether the picture comes in several scans, each of which makes it finer.
    pub progressive: bool,
    /// Metadata before the picture, in order.
    pub segments: Vec<Segment<'a>>,
}

/// A Huffman code per place, as far as there are any.
type Codes = [Option<Code>; 4];
/// Divisors, in zigzag order.
pub(crate) type Quantisation = [u16; 64];

/// How the picture is laid out.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub width: u16,
    pub height: u16,
    pub progressive: bool,
    pub sampling: Sampling,
    pub components: Vec<Component>,
}

impl Frame {
    /// How many MCUs there are across and down.
    pub fn mcus(&self) -> (usize, usize) {
        let (across, down) = self.sampling.factors();
        (usize::from(self.width).div_ceil(8 * across), usize::from(self.height).div_ceil(8 * down))
    }

    /// How many blocks of a component an MCU has across and down.
    pub fn blocks(&self, component: usize) -> (usize, usize) {
        if component == 0 { self.sampling.factors() } else { (1, 1) }
    }

    /// A component's samples across and down, at so many eighths.
    pub fn size(&self, component: usize, eighths: usize) -> (usize, usize) {
        let (across, down) = if component == 0 { (1, 1) } else { self.sampling.factors() };
        let side = |side: u16, factor: usize| (usize::from(side) * eighths).div_ceil(8 * factor);
        (side(self.width, across), side(self.height, down))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub id: u8,
    /// Where its divisors are.
    pub quantisation: usize,
}

/// A walk over the markers, and what they have defined so far.
#[derive(Debug, Clone)]
pub(crate) struct Markers<'a> {
    bytes: &'a [u8],
    /// The next byte.
    pub at: usize,
    pub frame: Option<Frame>,
    pub quantisation: [Option<Quantisation>; 4],
    pub means: Codes,
    pub others: Codes,
    pub restart_interval: u32,
    pub segments: Vec<Segment<'a>>,
}

/// The header of a scan (T.81, B.2.3).
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    /// Places of the components in the frame, and of their codes for means and for the others.
    pub components: Vec<(usize, usize, usize)>,
    /// The first coefficient and the last one.
    pub band: (u8, u8),
    /// Whether it adds a bit to what is there.
    pub refines: bool,
    /// The lowest bit in it.
    pub bit: u8,
}

impl<'a> Markers<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        if !bytes.starts_with(&[0xff, 0xd8]) {
            return Err(if [0xff, 0xd8].starts_with(bytes) { Error::Truncated } else { Error::NotJpeg });
        }
        Ok(Self {
            bytes,
            at: 2,
            frame: None,
            quantisation: [None; 4],
            means: [const { None }; 4],
            others: [const { None }; 4],
            restart_interval: 0,
            segments: Vec::new(),
        })
    }

    /// Goes on to the next scan; its data is at `at`. `None` at the end of the picture.
    pub fn scan(&mut self) -> Result<Option<Scan>, Error> {
        loop {
            let marker;
            (marker, self.at) = next_marker(self.bytes, self.at)?;
            match marker {
                0xd9 => return Ok(None),
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let data = segment(self.bytes, self.at)?;
            self.at += 2 + data.len();
            match marker {
                0xc4 => read_codes(data, &mut self.means, &mut self.others)?,
                0xcc => return Err(Error::Unsupported(Unsupported::Process)),
                0xc0..=0xcf if self.frame.is_some() => return Err(Error::Unsupported(Unsupported::Process)),
                0xc0..=0xc2 => self.frame = Some(read_frame(data, marker == 0xc2)?),
                0xc3..=0xcf => return Err(Error::Unsupported(Unsupported::Process)),
                0xda => {
                    let frame = self.frame.as_ref().ok_or(Error::Corrupt("a scan before its frame"))?;
                    return read_scan(data, frame).map(Some);
                }
                0xdb => read_quantisation(data, &mut self.quantisation)?,
                0xdd => {
                    let interval = data.first_chunk().ok_or(Error::Corrupt("a short segment"))?;
                    self.restart_interval = u32::from(u16::from_be_bytes(*interval));
                }
                0xe0..=0xef | 0xfe => self.segments.push(Segment { marker, data }),
                _ => {}
            }
        }
    }

    /// The divisors that the frame names for a component.
    pub fn divisors(&self, component: &Component) -> Result<Quantisation, Error> {
        self.quantisation.get(component.quantisation).copied().flatten().ok_or(MISSING)
    }
}

/// What a scan refers to and no segment has defined.
pub(crate) const MISSING: Error = Error::Corrupt("a table that never came");

/// Goes on behind the scan to the end-of-image marker, which proves that the file is whole.
pub(crate) fn read_end(bytes: &[u8], mut at: usize) -> Result<(), Error> {
    loop {
        let marker;
        (marker, at) = next_marker(bytes, at)?;
        match marker {
            0xd9 => return Ok(()),
            0x01 | 0xd0..=0xd8 => {}
            0xda => return Err(Error::Corrupt("a second scan of the same components")),
            _ => at += 2 + segment(bytes, at)?.len(),
        }
    }
}

/// The next marker's code and the position after it. Stray bytes before it are skipped, as every
/// decoder does: some cameras write them.
fn next_marker(bytes: &[u8], mut at: usize) -> Result<(u8, usize), Error> {
    loop {
        match bytes.get(at..at + 2).ok_or(Error::Truncated)? {
            [0xff, 0x00] => at += 2,
            [0xff, 0xff] => at += 1, // a fill byte
            [0xff, code] => return Ok((*code, at + 2)),
            _ => at += 1,
        }
    }
}

/// The segment whose length field is at `at`, without that field.
fn segment(bytes: &[u8], at: usize) -> Result<&[u8], Error> {
    let (length, rest) = bytes.get(at..).and_then(<[u8]>::split_first_chunk).ok_or(Error::Truncated)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let length = length.checked_sub(2).ok_or(Error::Corrupt("a segment shorter than its length field"))?;
    rest.get(..length).ok_or(Error::Truncated)
}

fn read_frame(data: &[u8], progressive: bool) -> Result<Frame, Error> {
    let [precision, y1, y0, x1, x0, count, rest @ ..] = data else {
        return Err(Error::Corrupt("a short frame header"));
    };
    if *precision != 8 {
        return Err(Error::Unsupported(Unsupported::Precision(*precision)));
    }
    if !matches!(count, 1 | 3) {
        return Err(Error::Unsupported(Unsupported::Components(*count)));
    }
    let components: Vec<_> = rest.chunks_exact(3).map(|c| Component { id: c[0], quantisation: c[2].into() }).collect();
    let ids_differ = |i: usize| components[..i].iter().all(|c| c.id != components[i].id);
    if components.len() != usize::from(*count) || !(0..components.len()).all(ids_differ) {
        return Err(Error::Corrupt("a frame header that contradicts itself"));
    }
    let (width, height) = (u16::from_be_bytes([*x1, *x0]), u16::from_be_bytes([*y1, *y0]));
    if width == 0 || height == 0 {
        return Err(Error::Corrupt("a dimension is zero"));
    }
    let factors: Vec<_> = rest.chunks_exact(3).map(|c| (c[1] >> 4, c[1] & 15)).collect();
    Ok(Frame { width, height, progressive, sampling: sampling(&factors)?, components })
}

fn read_quantisation(mut data: &[u8], tables: &mut [Option<Quantisation>; 4]) -> Result<(), Error> {
    let short = Error::Corrupt("a short quantisation table");
    while let Some((&head, rest)) = data.split_first() {
        let wide = head >> 4 != 0;
        let table = tables.get_mut(usize::from(head & 15)).ok_or(Error::Corrupt("a table out of range"))?;
        let (values, rest) = rest.split_at_checked(if wide { 128 } else { 64 }).ok_or(short)?;
        let value = |i: usize| match wide {
            true => u16::from_be_bytes([values[2 * i], values[2 * i + 1]]),
            false => values[i].into(),
        };
        *table = Some(std::array::from_fn(value));
        data = rest;
    }
    Ok(())
}

fn read_codes(mut data: &[u8], means: &mut Codes, others: &mut Codes) -> Result<(), Error> {
    let short = Error::Corrupt("a short Huffman table");
    while let Some((&head, rest)) = data.split_first() {
        let (counts, rest) = rest.split_first_chunk::<16>().ok_or(short)?;
        let (symbols, rest) =
            rest.split_at_checked(counts.iter().map(|&count| usize::from(count)).sum()).ok_or(short)?;
        let code = Code::new(counts, symbols)?;
        let is_for_means = head >> 4 == 0;
        if is_for_means && !code.is_for_means() {
            return Err(Error::Corrupt("a mean of more bits than there are"));
        }
        let tables = if is_for_means { &mut *means } else { &mut *others };
        *tables.get_mut(usize::from(head & 15)).ok_or(Error::Corrupt("a table out of range"))? = Some(code);
        data = rest;
    }
    Ok(())
}

fn read_scan(data: &[u8], frame: &Frame) -> Result<Scan, Error> {
    let short = Error::Corrupt("a short scan header");
    let (&count, rest) = data.split_first().ok_or(short)?;
    let (selectors, rest) = rest.split_at_checked(2 * usize::from(count)).ok_or(short)?;
    let [first, last, bits, ..] = *rest else { return Err(short) };
    let mut components: Vec<(usize, usize, usize)> = Vec::new();
    for selector in selectors.chunks_exact(2) {
        let place = frame.components.iter().position(|component| component.id == selector[0]);
        let place = place.ok_or(Error::Corrupt("a component that the frame does not have"))?;
        if components.last().is_some_and(|&(before, ..)| before >= place) {
            return Err(Error::Corrupt("components out of order"));
        }
        components.push((place, usize::from(selector[1] >> 4), usize::from(selector[1] & 15)));
    }
    if components.is_empty() {
        return Err(Error::Corrupt("a scan of nothing"));
    }
    Ok(Scan { components, band: (first, last), refines: bits >> 4 > 0, bit: bits & 15 })
}

fn sampling(factors: &[(u8, u8)]) -> Result<Sampling, Error> {
    match factors {
        // Of a single component the blocks come one by one, whatever its factors (T.81, A.2.2).
        [(1..=4, 1..=4)] => Ok(Sampling::Grey),
        [luma, (1, 1), (1, 1)] => match luma {
            (1, 1) => Ok(Sampling::S444),
            (2, 1) => Ok(Sampling::S422),
            (1, 2) => Ok(Sampling::S440),
            (2, 2) => Ok(Sampling::S420),
            _ => Err(Error::Unsupported(Unsupported::Sampling)),
        },
        _ => Err(Error::Unsupported(Unsupported::Sampling)),
    }
}

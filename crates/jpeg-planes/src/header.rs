//! The markers before the entropy-coded data (T.81, annex B).

use crate::huffman::{Code, Means, Others};
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
    /// Metadata before the picture, in order.
    pub segments: Vec<Segment<'a>>,
    pub(crate) restart_interval: u32,
    pub(crate) coding: Vec<Coding>,
    /// Where the entropy-coded data begins.
    pub(crate) data: usize,
}

/// How one component is coded.
#[derive(Debug, Clone)]
pub(crate) struct Coding {
    /// Divisors, in zigzag order.
    pub quantisation: [u16; 64],
    /// Places in `means` and `others` of [`Tables`].
    pub means: usize,
    pub others: usize,
}

/// The lookup tables, each built once however many components use it.
pub(crate) struct Tables {
    pub means: Vec<Means>,
    pub others: Vec<Others>,
}

struct Component {
    id: u8,
    sampling: (u8, u8),
    quantisation: usize,
}

struct Frame {
    width: u16,
    height: u16,
    components: Vec<Component>,
}

/// Reads up to the entropy-coded data.
pub(crate) fn read(bytes: &[u8]) -> Result<(Header<'_>, Tables), Error> {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return Err(if [0xff, 0xd8].starts_with(bytes) { Error::Truncated } else { Error::NotJpeg });
    }
    let mut at = 2;
    let mut frame = None;
    let mut quantisation = [None; 4];
    let mut means: [Option<Code>; 4] = [const { None }; 4];
    let mut others: [Option<Code>; 4] = [const { None }; 4];
    let mut restart_interval = 0;
    let mut segments = Vec::new();
    loop {
        let marker;
        (marker, at) = next_marker(bytes, at)?;
        match marker {
            0xd9 => return Err(Error::Corrupt("an end before the picture")),
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let data = segment(bytes, at)?;
        at += 2 + data.len();
        match marker {
            0xc4 => read_codes(data, &mut means, &mut others)?,
            0xcc => return Err(Error::Unsupported(Unsupported::Process)),
            0xc0..=0xcf if frame.is_some() => return Err(Error::Unsupported(Unsupported::Process)),
            0xc0 | 0xc1 => frame = Some(read_frame(data)?),
            0xc2 => return Err(Error::Unsupported(Unsupported::Progressive)),
            0xc3..=0xcf => return Err(Error::Unsupported(Unsupported::Process)),
            0xda => {
                let frame = frame.ok_or(Error::Corrupt("a scan before its frame"))?;
                return read_scan(data, &frame, &quantisation, [&means, &others], at)
                    .map(|(header, tables)| (Header { segments, restart_interval, ..header }, tables));
            }
            0xdb => read_quantisation(data, &mut quantisation)?,
            0xdd => {
                let interval = data.first_chunk().ok_or(Error::Corrupt("a short segment"))?;
                restart_interval = u32::from(u16::from_be_bytes(*interval));
            }
            0xe0..=0xef | 0xfe => segments.push(Segment { marker, data }),
            _ => {}
        }
    }
}

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

fn read_frame(data: &[u8]) -> Result<Frame, Error> {
    let [precision, y1, y0, x1, x0, count, rest @ ..] = data else {
        return Err(Error::Corrupt("a short frame header"));
    };
    if *precision != 8 {
        return Err(Error::Unsupported(Unsupported::Precision(*precision)));
    }
    if !matches!(count, 1 | 3) {
        return Err(Error::Unsupported(Unsupported::Components(*count)));
    }
    let components: Vec<_> = rest
        .chunks_exact(3)
        .map(|c| Component { id: c[0], sampling: (c[1] >> 4, c[1] & 15), quantisation: c[2].into() })
        .collect();
    let ids_differ = |i: usize| components[..i].iter().all(|c| c.id != components[i].id);
    if components.len() != usize::from(*count) || !(0..components.len()).all(ids_differ) {
        return Err(Error::Corrupt("a frame header that contradicts itself"));
    }
    let (width, height) = (u16::from_be_bytes([*x1, *x0]), u16::from_be_bytes([*y1, *y0]));
    if width == 0 || height == 0 {
        return Err(Error::Corrupt("a dimension is zero"));
    }
    Ok(Frame { width, height, components })
}

fn read_quantisation(mut data: &[u8], tables: &mut [Option<[u16; 64]>; 4]) -> Result<(), Error> {
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

fn read_codes(mut data: &[u8], means: &mut [Option<Code>; 4], others: &mut [Option<Code>; 4]) -> Result<(), Error> {
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

fn read_scan<'a>(
    data: &[u8],
    frame: &Frame,
    quantisation: &[Option<[u16; 64]>; 4],
    [means, others]: [&[Option<Code>; 4]; 2],
    at: usize,
) -> Result<(Header<'a>, Tables), Error> {
    let short = Error::Corrupt("a short scan header");
    let (&count, rest) = data.split_first().ok_or(short)?;
    let selectors = rest.get(..2 * usize::from(count)).ok_or(short)?;
    if usize::from(count) != frame.components.len() {
        return Err(Error::Unsupported(Unsupported::Scans));
    }
    let mut tables = Tables { means: Vec::new(), others: Vec::new() };
    let (mut means_at, mut others_at) = ([None; 4], [None; 4]);
    let mut coding = Vec::new();
    for (component, selector) in frame.components.iter().zip(selectors.chunks_exact(2)) {
        if selector[0] != component.id {
            return Err(Error::Corrupt("components out of order"));
        }
        let missing = Error::Corrupt("a table that never came");
        let (mean, other) = (usize::from(selector[1] >> 4), usize::from(selector[1] & 15));
        let mean_code = means.get(mean).and_then(Option::as_ref).ok_or(missing)?;
        let other_code = others.get(other).and_then(Option::as_ref).ok_or(missing)?;
        coding.push(Coding {
            quantisation: quantisation.get(component.quantisation).copied().flatten().ok_or(missing)?,
            means: *means_at[mean].get_or_insert_with(|| {
                tables.means.push(Means::new(mean_code));
                tables.means.len() - 1
            }),
            others: *others_at[other].get_or_insert_with(|| {
                tables.others.push(Others::new(other_code));
                tables.others.len() - 1
            }),
        });
    }
    let header = Header {
        width: frame.width,
        height: frame.height,
        sampling: sampling(&frame.components)?,
        components: frame.components.iter().map(|component| component.id).collect(),
        segments: Vec::new(),
        restart_interval: 0,
        coding,
        data: at,
    };
    Ok((header, tables))
}

fn sampling(components: &[Component]) -> Result<Sampling, Error> {
    let factors: Vec<_> = components.iter().map(|component| component.sampling).collect();
    match factors[..] {
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

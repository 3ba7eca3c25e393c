//! Reads the markers and their segments (ITU-T T.81, annex B).

use crate::header::{Component, Frame, QuantTable, Sampling, Segment};
use crate::huffman::HuffmanCode;
use crate::{Error, Unsupported};

/// The Huffman codes that are defined, by index.
type Codes = [Option<HuffmanCode>; 4];

/// Reads markers one after the other and keeps the tables that they define.
#[derive(Debug, Clone)]
pub(crate) struct MarkerReader<'a> {
    bytes: &'a [u8],
    /// Index of the next byte to read.
    pub at: usize,
    pub frame: Option<Frame>,
    pub quant_tables: [Option<QuantTable>; 4],
    pub dc_codes: Codes,
    pub ac_codes: Codes,
    pub restart_interval: u32,
    pub segments: Vec<Segment<'a>>,
}

/// The header of a scan (T.81, B.2.3).
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    /// For each component: its index in the frame, and the indices of its DC and AC codes.
    pub components: Vec<(usize, usize, usize)>,
    /// The first and the last coefficient in the scan ("spectral selection").
    pub band: (u8, u8),
    /// Whether the scan adds one bit to coefficients of earlier scans.
    pub is_refinement: bool,
    /// The lowest bit that the scan contains ("successive approximation").
    pub low_bit: u8,
}

impl Scan {
    /// A bit per coefficient in the scan, the first one at the lowest bit. The band must be valid.
    pub fn coefficients(&self) -> u64 {
        let (first, last) = self.band;
        (u64::MAX >> (63 - last)) & (u64::MAX << first)
    }
}

/// The error for a table that a scan uses and no segment defines.
pub(crate) const MISSING_TABLE: Error = Error::Corrupt("an undefined table");

impl<'a> MarkerReader<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        if !bytes.starts_with(&[0xff, 0xd8]) {
            return Err(if [0xff, 0xd8].starts_with(bytes) { Error::Truncated } else { Error::NotJpeg });
        }
        Ok(Self {
            bytes,
            at: 2,
            frame: None,
            quant_tables: [None; 4],
            dc_codes: [const { None }; 4],
            ac_codes: [const { None }; 4],
            restart_interval: 0,
            segments: Vec::new(),
        })
    }

    /// Reads to the next scan, whose data then starts at `at`. `None` at the end of the picture.
    pub fn next_scan(&mut self) -> Result<Option<Scan>, Error> {
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
                0xc4 => read_codes(data, &mut self.dc_codes, &mut self.ac_codes)?,
                0xcc => return Err(Error::Unsupported(Unsupported::Process)),
                0xc0..=0xcf if self.frame.is_some() => return Err(Error::Unsupported(Unsupported::Process)),
                0xc0..=0xc2 => self.frame = Some(read_frame(data, marker == 0xc2)?),
                0xc3..=0xcf => return Err(Error::Unsupported(Unsupported::Process)),
                0xda => {
                    let frame = self.frame.as_ref().ok_or(Error::Corrupt("a scan before the frame header"))?;
                    return read_scan(data, frame).map(Some);
                }
                0xdb => read_quant_tables(data, &mut self.quant_tables)?,
                0xdd => {
                    let interval = data.first_chunk().ok_or(Error::Corrupt("a short segment"))?;
                    self.restart_interval = u32::from(u16::from_be_bytes(*interval));
                }
                0xe0..=0xef | 0xfe => self.segments.push(Segment { marker, data }),
                _ => {}
            }
        }
    }

    /// The quantisation table of a component.
    pub fn quant_table(&self, component: &Component) -> Result<QuantTable, Error> {
        self.quant_tables.get(component.quant_table).copied().flatten().ok_or(MISSING_TABLE)
    }
}

/// The code of the next marker and the index after it. Skips stray bytes, which some cameras write.
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

/// The content of the segment whose length field is at `at`. A length below that of the field itself means an empty
/// segment, as in libjpeg.
fn segment(bytes: &[u8], at: usize) -> Result<&[u8], Error> {
    let (length, rest) = bytes.get(at..).and_then(<[u8]>::split_first_chunk).ok_or(Error::Truncated)?;
    let length = usize::from(u16::from_be_bytes(*length)).saturating_sub(2);
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
    let components: Vec<_> = rest.chunks_exact(3).map(|c| Component { id: c[0], quant_table: c[2].into() }).collect();
    let ids_differ = |i: usize| components[..i].iter().all(|c| c.id != components[i].id);
    if components.len() != usize::from(*count) || !(0..components.len()).all(ids_differ) {
        return Err(Error::Corrupt("an inconsistent frame header"));
    }
    let (width, height) = (u16::from_be_bytes([*x1, *x0]), u16::from_be_bytes([*y1, *y0]));
    if width == 0 || height == 0 {
        return Err(Error::Corrupt("a dimension is zero"));
    }
    let factors: Vec<_> = rest.chunks_exact(3).map(|c| (c[1] >> 4, c[1] & 15)).collect();
    Ok(Frame { width, height, progressive, sampling: sampling(&factors)?, components })
}

fn read_quant_tables(mut data: &[u8], tables: &mut [Option<QuantTable>; 4]) -> Result<(), Error> {
    let short = Error::Corrupt("a short quantisation table");
    while let Some((&head, rest)) = data.split_first() {
        let is_16_bit = head >> 4 != 0;
        let table = tables.get_mut(usize::from(head & 15)).ok_or(Error::Corrupt("a table index out of range"))?;
        let (values, rest) = rest.split_at_checked(if is_16_bit { 128 } else { 64 }).ok_or(short)?;
        let value = |i: usize| match is_16_bit {
            true => u16::from_be_bytes([values[2 * i], values[2 * i + 1]]),
            false => values[i].into(),
        };
        *table = Some(std::array::from_fn(value));
        data = rest;
    }
    Ok(())
}

fn read_codes(mut data: &[u8], dc_codes: &mut Codes, ac_codes: &mut Codes) -> Result<(), Error> {
    let short = Error::Corrupt("a short Huffman table");
    while let Some((&head, rest)) = data.split_first() {
        let (counts, rest) = rest.split_first_chunk::<16>().ok_or(short)?;
        let (symbols, rest) =
            rest.split_at_checked(counts.iter().map(|&count| usize::from(count)).sum()).ok_or(short)?;
        let code = HuffmanCode::new(counts, symbols)?;
        let is_dc = head >> 4 == 0;
        if is_dc && !code.is_valid_for_dc() {
            return Err(Error::Corrupt("a DC difference of more than 11 bits"));
        }
        let codes = if is_dc { &mut *dc_codes } else { &mut *ac_codes };
        *codes.get_mut(usize::from(head & 15)).ok_or(Error::Corrupt("a table index out of range"))? = Some(code);
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
        let index = frame.components.iter().position(|component| component.id == selector[0]);
        let index = index.ok_or(Error::Corrupt("a scan of an unknown component"))?;
        if components.last().is_some_and(|&(before, ..)| before >= index) {
            return Err(Error::Corrupt("components out of order"));
        }
        components.push((index, usize::from(selector[1] >> 4), usize::from(selector[1] & 15)));
    }
    if components.is_empty() {
        return Err(Error::Corrupt("a scan without components"));
    }
    Ok(Scan { components, band: (first, last), is_refinement: bits >> 4 > 0, low_bit: bits & 15 })
}

fn sampling(factors: &[(u8, u8)]) -> Result<Sampling, Error> {
    match factors {
        // The blocks of a single component are not interleaved, whatever its factors are (T.81, A.2.2).
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

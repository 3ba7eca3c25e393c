//! Decodes the entropy-coded data of a sequential picture.

use crate::ac_table::{AcSymbol, AcTable};
use crate::bit_reader::{BitReader, Window};
use crate::dc_table::DcTable;
use crate::header::{Frame, Header, QuantTable};
use crate::huffman::{HuffmanCode, extend};
use crate::idct::{BlockGroup, CoefficientOffsets, LANES, Multipliers};
use crate::markers::{MISSING_TABLE, MarkerReader, Scan};
use crate::planes::Planes;
use crate::rows::Rows;
use crate::{Error, Scale, Unsupported, progressive, typical_codes};

/// A JPEG whose headers are read, but not its data.
pub struct Decoder<'a> {
    bytes: &'a [u8],
    header: Header<'a>,
    frame: Frame,
    /// At the data of the first scan.
    markers: MarkerReader<'a>,
    first: Scan,
}

impl<'a> Decoder<'a> {
    /// Reads the headers. Its memory use does not depend on the size that they claim.
    ///
    /// # Errors
    /// `Unsupported` for a kind of JPEG that this crate does not decode; the other errors for invalid headers.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut markers = MarkerReader::new(bytes)?;
        let first = markers.next_scan()?.ok_or(Error::Corrupt("no scan"))?;
        let frame = markers.frame.clone().ok_or(Error::Corrupt("a scan before the frame header"))?;
        if !frame.progressive && first.components.len() != frame.components.len() {
            return Err(Error::Unsupported(Unsupported::Scans));
        }
        let header = Header {
            width: frame.width,
            height: frame.height,
            sampling: frame.sampling,
            components: frame.components.iter().map(|component| component.id).collect(),
            progressive: frame.progressive,
            segments: std::mem::take(&mut markers.segments),
        };
        Ok(Self { bytes, header, frame, markers, first })
    }

    /// The headers.
    pub fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// Decodes luma and chroma, each at its own scale, relative to its own size in the file.
    ///
    /// # Errors
    /// `Truncated` if data is missing, `Corrupt` if it is invalid. An incomplete picture is never returned. A missing
    /// end marker is no error.
    pub fn decode(&self, luma: Scale, chroma: Scale) -> Result<Planes, Error> {
        let scales = [luma, chroma, chroma];
        if self.frame.progressive {
            return progressive::decode(self.bytes, &self.frame, self.markers.clone(), self.first.clone(), scales);
        }
        let mut planes = Planes::empty(&self.frame, scales);
        self.decode_strips(scales, |strip| planes.push(strip))?;
        Ok(planes)
    }

    /// Decodes from the top and passes each row of MCUs to `sink`, one `Rows` per component. These
    /// may be wider than the plane, and extend below it.
    fn decode_strips(&self, scales: [Scale; 3], mut sink: impl FnMut(&[Rows])) -> Result<(), Error> {
        let (mcus, mcu_rows) = self.frame.mcus();
        let tables = Tables::new(&self.markers, &self.first)?;
        let mut components = Vec::new();
        for (at, &(dc, ac)) in tables.by_component.iter().enumerate() {
            let quant_table = self.markers.quant_table(&self.frame.components[at])?;
            let codes = (&tables.dc[dc], &tables.ac[ac]);
            components.push(Component::new(codes, &quant_table, scales[at], self.frame.blocks(at)));
        }
        let mut strip: Vec<_> = components.iter().map(|c| Rows::new(c.scale, (c.across, c.down), mcus)).collect();

        let (mut window, mut bits) = Window::new(self.bytes, self.markers.at);
        let (mut until_restart, mut restarts) = (self.markers.restart_interval, 0_u8);
        for _ in 0..mcu_rows {
            for first in (0..mcus).step_by(LANES) {
                components.iter_mut().for_each(Component::clear);
                for mcu in 0..LANES.min(mcus - first) {
                    if self.markers.restart_interval > 0 {
                        if until_restart == 0 {
                            bits = window.restart(restarts)?;
                            restarts = (restarts + 1) % 8;
                            until_restart = self.markers.restart_interval;
                            components.iter_mut().for_each(|c| c.previous_dc = 0);
                        }
                        until_restart -= 1;
                    }
                    window.ensure_mcu(&mut bits);
                    for component in &mut components {
                        bits = component.read_blocks(bits, &window, mcu)?;
                    }
                    window.check_bounds(bits)?;
                }
                for (component, rows) in components.iter().zip(&mut strip) {
                    component.transform(first, rows);
                }
            }
            sink(&strip);
        }
        // The picture is whole. Whether an end marker follows, or anything else, does not matter.
        Ok(())
    }
}

/// The lookup tables of a scan. Components that use the same code share a table.
struct Tables {
    dc: Vec<DcTable>,
    ac: Vec<AcTable>,
    /// For each component: the indices of its tables.
    by_component: Vec<(usize, usize)>,
}

impl Tables {
    fn new(markers: &MarkerReader<'_>, scan: &Scan) -> Result<Self, Error> {
        let mut tables = Self { dc: Vec::new(), ac: Vec::new(), by_component: Vec::new() };
        let (mut dc_indices, mut ac_indices) = ([None; 4], [None; 4]);
        for &(_, dc, ac) in &scan.components {
            let dc_code = markers.dc_codes.get(dc).cloned().flatten().or_else(|| typical_codes::dc_code(dc));
            let ac_code = markers.ac_codes.get(ac).cloned().flatten().or_else(|| typical_codes::ac_code(ac));
            let (dc_code, ac_code) = dc_code.zip(ac_code).ok_or(MISSING_TABLE)?;
            let dc = *dc_indices[dc].get_or_insert_with(|| {
                tables.dc.push(DcTable::new(&dc_code));
                tables.dc.len() - 1
            });
            let ac = *ac_indices[ac].get_or_insert_with(|| {
                tables.ac.push(AcTable::new(&ac_code));
                tables.ac.len() - 1
            });
            tables.by_component.push((dc, ac));
        }
        Ok(tables)
    }
}

/// The state of decoding one component.
struct Component<'a> {
    dc_table: &'a DcTable,
    ac_table: &'a AcTable,
    scale: Scale,
    /// Blocks of the component in an MCU.
    across: usize,
    down: usize,
    offsets: CoefficientOffsets,
    multipliers: Multipliers,
    /// The DC coefficient of the previous block, which the next one is coded relative to.
    previous_dc: i32,
    /// `down` rows of `across` groups.
    groups: Vec<BlockGroup>,
}

impl<'a> Component<'a> {
    fn new(
        (dc_table, ac_table): (&'a DcTable, &'a AcTable),
        quant_table: &QuantTable,
        scale: Scale,
        (across, down): (usize, usize),
    ) -> Self {
        Self {
            dc_table,
            ac_table,
            scale,
            across,
            down,
            offsets: CoefficientOffsets::new(scale),
            multipliers: Multipliers::new(scale, quant_table),
            previous_dc: 0,
            groups: (0..across * down).map(|_| BlockGroup::new()).collect(),
        }
    }

    fn clear(&mut self) {
        for group in &mut self.groups {
            group.clear(self.scale);
        }
    }

    /// Reads the blocks of one MCU.
    #[inline(always)]
    fn read_blocks(&mut self, mut bits: BitReader, window: &Window<'_>, mcu: usize) -> Result<BitReader, Error> {
        for down in 0..self.down {
            for across in 0..self.across {
                let block = mcu * self.across + across;
                bits = self.read_block(bits, window, down * self.across + block / LANES, block % LANES)?;
            }
        }
        Ok(bits)
    }

    fn read_block(
        &mut self,
        mut bits: BitReader,
        window: &Window<'_>,
        group: usize,
        lane: usize,
    ) -> Result<BitReader, Error> {
        let Some(group) = self.groups.get_mut(group) else { return Ok(bits) };
        let (offsets, last) = (&self.offsets.by_coefficient, self.offsets.last);
        let (entries, skip_entries) = self.ac_table.tables();
        let coefficients = group.coefficients();
        let mut store = |at: usize, value: i32| coefficients.set(offsets[at & 127], lane, value as i16);

        bits.refill(window);
        let difference = self.dc_table.read(&mut bits).ok_or_else(|| window.invalid_code_error(bits))?;
        self.previous_dc = self.previous_dc.wrapping_add(difference);
        store(0, self.previous_dc);

        let mut at = 1;
        'coefficients: while at <= last {
            bits.refill(window);
            // Two fast entries leave 34 bits, enough for a slow one.
            for _ in 0..3 {
                let entry = entries.at(bits.buffer);
                let first = at + entry.first_run();
                let second = first + entry.second_step();
                if entry.is_slow() || second + entry.end() > 63 {
                    // The code is too long, or the entry extends beyond the block: read a single symbol.
                    let symbol = match entry.symbol() {
                        Some((symbol, length)) => {
                            bits.consume(length);
                            AcSymbol::from(symbol)
                        }
                        None => next_symbol(&self.ac_table.code, &mut bits, window)?,
                    };
                    match symbol {
                        AcSymbol::EndOfBlock => return Ok(bits),
                        AcSymbol::Coefficient { run, size } => {
                            at += run as usize;
                            store(at, extend(bits.take(size), size));
                            at += 1;
                        }
                    }
                    continue 'coefficients;
                }
                bits.consume(entry.length());
                store(second, entry.second());
                store(first, entry.first());
                at = second + 1;
                if entry.end() == 1 {
                    return Ok(bits);
                }
                if at > last {
                    break 'coefficients;
                }
            }
        }

        // The scale does not need the remaining coefficients.
        while at < 64 {
            bits.refill(window);
            for _ in 0..2 {
                let entry = skip_entries.at(bits.buffer);
                if entry.is_slow() || at + entry.steps() + entry.end() > 64 {
                    bits.refill(window);
                    match next_symbol(&self.ac_table.code, &mut bits, window)? {
                        AcSymbol::EndOfBlock => return Ok(bits),
                        AcSymbol::Coefficient { run, size } => {
                            bits.consume(size);
                            at += run as usize + 1;
                        }
                    }
                    break;
                }
                bits.consume(entry.length());
                at += entry.steps();
                if entry.end() == 1 {
                    return Ok(bits);
                }
                if at >= 64 {
                    break;
                }
            }
        }
        if at > 64 { Err(window.invalid_code_error(bits)) } else { Ok(bits) }
    }

    /// Writes the samples of [`LANES`] MCUs, the first of which is number `first` in its row.
    fn transform(&self, first: usize, rows: &mut Rows) {
        let n = self.scale.eighths();
        for (at, group) in self.groups.iter().enumerate() {
            let (down, across) = (at / self.across, at % self.across);
            let block = first * self.across + across * LANES;
            let Some(out) = rows.samples.get_mut(down * n * rows.stride + block * n..) else { continue };
            group.transform(self.scale, &self.multipliers, out, rows.stride);
        }
    }
}

/// Reads one symbol of any length.
#[inline]
fn next_symbol(code: &HuffmanCode, bits: &mut BitReader, window: &Window<'_>) -> Result<AcSymbol, Error> {
    let (symbol, length) = code.symbol(bits.peek16()).ok_or_else(|| window.invalid_code_error(*bits))?;
    bits.consume(length);
    Ok(AcSymbol::from(symbol))
}

use super::component::{Block, Component};
use crate::Error;
use crate::band_table::{BandSymbol, BandTable};
use crate::bit_reader::{BitReader, Window};
use crate::dc_table::DcTable;
use crate::header::Frame;
use crate::markers::{MISSING_TABLE, MarkerReader, Scan};

/// Reads the data of a scan; returns the index of the marker after it.
pub(super) fn read_scan(
    bytes: &[u8],
    frame: &Frame,
    markers: &MarkerReader<'_>,
    scan: &Scan,
    components: &mut [Component],
) -> Result<usize, Error> {
    let (window, bits) = Window::new(bytes, markers.at);
    let interval = markers.restart_interval;
    let input = Input { window, bits, interval, until_restart: interval, next_restart: 0 };
    if scan.low_bit > 13 {
        return Err(Error::Corrupt("a scan of bits that coefficients do not have"));
    }
    match (scan.band, &scan.components[..]) {
        ((0, 0), _) => read_dc(input, frame, markers, scan, components),
        ((first @ 1..=63, last @ ..=63), &[(at, _, code)]) if first <= last => {
            let code = markers.ac_codes.get(code).and_then(Option::as_ref).ok_or(MISSING_TABLE)?;
            let component = &mut components[at];
            let (low_bit, table) = (scan.low_bit, BandTable::new(code));
            let band = scan.coefficients();
            let scan_ac = AcScan { first: first.into(), last: last.into(), band, low_bit, table };
            if scan.is_refinement { scan_ac.refine(input, component) } else { scan_ac.read_first(input, component) }
        }
        _ => Err(Error::Corrupt("a scan of an invalid band")),
    }
}

/// The data of a scan, read across its restart markers.
struct Input<'a> {
    window: Window<'a>,
    bits: BitReader,
    interval: u32,
    /// Blocks or MCUs until the next restart marker.
    until_restart: u32,
    /// The number of the next restart marker.
    next_restart: u8,
}

impl Input<'_> {
    /// Prepares the bits of the next block or MCU. Returns whether a restart marker preceded it.
    #[inline(always)]
    fn advance(&mut self) -> Result<bool, Error> {
        let mut restarts = false;
        if self.interval > 0 {
            if self.until_restart == 0 {
                self.bits = self.window.restart(self.next_restart)?;
                self.next_restart = (self.next_restart + 1) % 8;
                self.until_restart = self.interval;
                restarts = true;
            }
            self.until_restart -= 1;
        }
        self.window.ensure_mcu(&mut self.bits);
        Ok(restarts)
    }
}

/// Reads a scan of DC coefficients, of one or several components.
fn read_dc(
    mut input: Input<'_>,
    frame: &Frame,
    markers: &MarkerReader<'_>,
    scan: &Scan,
    components: &mut [Component],
) -> Result<usize, Error> {
    let mut tables = Vec::new();
    for &(at, code, _) in &scan.components {
        components[at].has_dc |= !scan.is_refinement;
        tables.push(match markers.dc_codes.get(code).and_then(Option::as_ref) {
            Some(code) => Some(DcTable::new(code)),
            None if scan.is_refinement => None,
            None => return Err(MISSING_TABLE),
        });
    }
    // A scan of a single component is not interleaved and omits the blocks that only complete an MCU.
    let ((columns, rows), single) = match scan.components[..] {
        [(at, ..)] => ((components[at].columns, components[at].rows), true),
        _ => (frame.mcus(), false),
    };
    let mut previous_dc = [0_i32; 3];
    for row in 0..rows {
        for column in 0..columns {
            if input.advance()? {
                previous_dc = [0; 3];
            }
            for (&(at, ..), table) in scan.components.iter().zip(&tables) {
                let component = &mut components[at];
                let (across, down) = if single { (1, 1) } else { (component.across, component.down) };
                for y in 0..down {
                    for x in 0..across {
                        let block = component.block(column * across + x, row * down + y);
                        input.bits.refill(&input.window);
                        match table {
                            Some(table) if !scan.is_refinement => {
                                let difference = table.read(&mut input.bits);
                                let difference =
                                    difference.ok_or_else(|| input.window.invalid_code_error(input.bits))?;
                                previous_dc[at] = previous_dc[at].wrapping_add(difference);
                                *component.value(block, 0) = (previous_dc[at] << scan.low_bit) as i16;
                            }
                            _ => *component.value(block, 0) |= (input.bits.take(1) << scan.low_bit) as i16,
                        }
                    }
                }
            }
            input.window.check_bounds(input.bits)?;
        }
    }
    Ok(input.window.finish())
}

/// A scan of AC coefficients of one component.
struct AcScan {
    first: u32,
    last: u32,
    /// A bit per coefficient.
    band: u64,
    low_bit: u8,
    table: BandTable,
}

impl AcScan {
    /// Reads the first scan of these coefficients (T.81, G.1.2.2).
    fn read_first(&self, mut input: Input<'_>, component: &mut Component) -> Result<usize, Error> {
        // Following blocks without coefficients ("end-of-band run").
        let mut empty = 0_u32;
        for row in 0..component.rows {
            for column in 0..component.columns {
                if input.advance()? {
                    empty = 0;
                }
                if empty > 0 {
                    empty -= 1;
                    continue;
                }
                let block = component.block(column, row);
                let (mut bits, mut nonzero, mut at) = (input.bits, 0, self.first);
                while at <= self.last {
                    bits.refill(&input.window);
                    let symbol = self.table.read(&mut bits).ok_or_else(|| input.window.invalid_code_error(bits))?;
                    at += symbol.run;
                    if symbol.value != 0 {
                        if at > self.last {
                            return Err(input.window.invalid_code_error(bits));
                        }
                        nonzero |= 1 << at;
                        *component.value(block, at) = (symbol.value << self.low_bit) as i16;
                    } else if symbol.run < 15 {
                        empty = (1 << symbol.run) - 1 + bits.take(symbol.run);
                        break;
                    }
                    at += 1;
                }
                input.bits = bits;
                component.nonzero[block.nonzero] |= nonzero;
                input.window.check_bounds(bits)?;
            }
        }
        Ok(input.window.finish())
    }

    /// Reads a refinement scan, which adds a bit to coefficients and may set others (T.81, G.1.2.3).
    fn refine(&self, mut input: Input<'_>, component: &mut Component) -> Result<usize, Error> {
        let mut empty = 0_u32;
        for row in 0..component.rows {
            for column in 0..component.columns {
                if input.advance()? {
                    empty = 0;
                }
                let block = component.block(column, row);
                let before = component.nonzero[block.nonzero] & self.band;
                // The coefficients that are not read yet.
                let mut rest = self.band;
                let mut added = 0;
                while empty == 0 && rest != 0 {
                    input.bits.refill(&input.window);
                    let symbol = self.table.read(&mut input.bits);
                    let BandSymbol { run, value } =
                        symbol.ok_or_else(|| input.window.invalid_code_error(input.bits))?;
                    if value == 0 && run < 15 {
                        empty = (1 << run) + input.bits.take(run);
                        break;
                    }
                    // Skip `run` zero coefficients; the symbol belongs to the next one.
                    let mut zeros = rest & !before;
                    for _ in 0..run {
                        zeros &= zeros.wrapping_sub(1);
                    }
                    if zeros == 0 || value.unsigned_abs() > 1 {
                        return Err(input.window.invalid_code_error(input.bits));
                    }
                    let at = zeros.trailing_zeros();
                    let passed = rest & ((1 << at) - 1);
                    self.correct(&mut input, component, block, before & passed);
                    rest &= !passed & !(1 << at);
                    if value != 0 {
                        added |= 1 << at;
                        *component.value(block, at) = (value << self.low_bit) as i16;
                    }
                }
                if empty > 0 {
                    self.correct(&mut input, component, block, before & rest);
                    empty -= 1;
                }
                component.nonzero[block.nonzero] |= added;
                input.window.check_bounds(input.bits)?;
            }
        }
        Ok(input.window.finish())
    }

    /// Reads one bit for each coefficient in `which`: whether its absolute value grows.
    #[inline(always)]
    fn correct(&self, input: &mut Input<'_>, component: &mut Component, block: Block, which: u64) {
        if which == 0 {
            return;
        }
        input.bits.refill(&input.window);
        let (count, mut rest) = (which.count_ones(), which);
        // A refill guarantees 56 bits, but a block may need 63.
        let (at_once, later) = (count.min(48), count.saturating_sub(48));
        let mut corrections = input.bits.buffer;
        input.bits.consume(at_once);
        if later > 0 {
            input.bits.refill(&input.window);
            corrections = corrections & !(u64::MAX >> 48) | input.bits.buffer >> 48;
            input.bits.consume(later);
        }
        rest &= component.needed;
        while rest != 0 {
            let at = rest.trailing_zeros();
            rest &= rest - 1;
            let rank = (which & ((1 << at) - 1)).count_ones();
            if corrections << rank >> 63 == 1 {
                let value = component.value(block, at);
                *value = value.wrapping_add(value.signum() << self.low_bit);
            }
        }
    }
}

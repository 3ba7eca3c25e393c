//! Progressive pictures: several scans, each of which adds coefficients or bits of them (T.81, G).
//!
//! All of the picture's coefficients must be kept until the last scan, but not all of each block:
//! those that the scale uses, and of the others one bit, whether they are zero, which the scans
//! that refine need to know.

use crate::bits::{Bits, Window};
use crate::decode::Rows;
use crate::header::{Frame, MISSING, Markers, Scan};
use crate::huffman::{Band, Means, Refinable};
use crate::idct::{self, LANES, Multipliers, NOWHERE, Places};
use crate::planes::Planes;
use crate::{Error, Scale};

/// Encoders write about 10 scans, hand-made scripts some dozens; each is a pass over all blocks,
/// and costs its sender a few bytes.
const MOST_SCANS: usize = 100;

pub(crate) fn decode(
    bytes: &[u8],
    frame: &Frame,
    mut markers: Markers<'_>,
    first: Scan,
    scales: [Scale; 3],
) -> Result<Planes, Error> {
    let mut components: Vec<_> = (0..frame.components.len()).map(|at| Component::new(frame, at, scales[at])).collect();
    let mut next = Some(first);
    let mut scans = 0;
    while let Some(scan) = next {
        scans += 1;
        if scans > MOST_SCANS {
            return Err(Error::Corrupt("too many scans"));
        }
        for &(at, ..) in &scan.components {
            if components[at].multipliers.is_none() {
                let divisors = markers.divisors(&frame.components[at])?;
                components[at].multipliers = Some(Multipliers::new(scales[at], &divisors));
            }
        }
        markers.at = read_scan(bytes, frame, &markers, &scan, &mut components)?;
        next = markers.scan()?;
        markers.segments.clear();
    }
    // What never came would be flat grey.
    if !components.iter().all(|component| component.has_means) {
        return Err(Error::Truncated);
    }

    let (mcus, mcu_rows) = frame.mcus();
    let mut planes = Planes::empty(frame, scales);
    let mut strip: Vec<_> = components.iter().map(|c| Rows::new(c.scale, (c.across, c.down), mcus)).collect();
    for mcu_row in 0..mcu_rows {
        for (component, rows) in components.iter().zip(&mut strip) {
            component.transform(mcu_row, rows);
        }
        planes.push(&strip);
    }
    Ok(planes)
}

/// What has been read of one component.
struct Component {
    scale: Scale,
    /// Blocks of it in an MCU.
    across: usize,
    down: usize,
    /// Blocks that it has, across and down: what a scan of its own walks over.
    columns: usize,
    rows: usize,
    /// Blocks in a row, with those that only fill the last MCU.
    stride: usize,
    /// Groups of neighbouring blocks, row by row, as the transform wants them; at the end one value
    /// more, for what nobody wants.
    values: Vec<i16>,
    /// By block: which coefficients are not zero, the first at the lowest bit.
    histories: Vec<u64>,
    places: Places,
    /// The coefficients that are kept, as a history has them.
    kept: u64,
    /// From the first scan on.
    multipliers: Option<Multipliers>,
    has_means: bool,
}

impl Component {
    fn new(frame: &Frame, at: usize, scale: Scale) -> Self {
        let (mcus, mcu_rows) = frame.mcus();
        let (across, down) = frame.blocks(at);
        let (width, height) = frame.size(at, 8);
        let n = scale.eighths();
        let places = Places::new(scale);
        let is_kept = |at: &usize| places.of[*at] != NOWHERE;
        let (stride, rows) = (mcus * across, mcu_rows * down);
        Self {
            scale,
            across,
            down,
            columns: width.div_ceil(8),
            rows: height.div_ceil(8),
            stride,
            values: vec![0; Self::groups(mcus, across) * rows * n * n * LANES + 1],
            histories: vec![0; stride * rows],
            kept: (0..64).filter(is_kept).fold(0, |kept, at| kept | 1 << at),
            places,
            multipliers: None,
            has_means: false,
        }
    }

    /// In a row.
    fn groups(mcus: usize, across: usize) -> usize {
        mcus.next_multiple_of(LANES) * across / LANES
    }

    /// Values of one group.
    fn group_length(&self) -> usize {
        self.scale.eighths() * self.scale.eighths() * LANES
    }

    fn block(&self, column: usize, row: usize) -> Block {
        let mcus = self.stride / self.across;
        let group = row * Self::groups(mcus, self.across) + column / LANES;
        Block { values: group * self.group_length() + column % LANES, history: row * self.stride + column }
    }

    /// Where a coefficient of a block is.
    #[inline(always)]
    fn value(&mut self, block: Block, at: u32) -> &mut i16 {
        let place = self.places.of[at as usize & 127];
        let nowhere = self.values.len() - 1;
        let index = if place == NOWHERE { nowhere } else { block.values + usize::from(place) };
        &mut self.values[index]
    }

    fn transform(&self, mcu_row: usize, out: &mut Rows) {
        let Some(multipliers) = &self.multipliers else { return };
        let n = self.scale.eighths();
        for down in 0..self.down {
            let row = &mut out.samples[down * n * out.stride..];
            for first in (0..self.stride).step_by(LANES) {
                let group = self.block(first, mcu_row * self.down + down).values;
                let values = &self.values[group..group + self.group_length()];
                idct::transform(values, self.scale, multipliers, &mut row[first * n..], out.stride);
            }
        }
    }
}

/// Where a block's values and its history are.
#[derive(Debug, Clone, Copy)]
struct Block {
    values: usize,
    history: usize,
}

/// Reads a scan; returns where the marker behind it is.
fn read_scan(
    bytes: &[u8],
    frame: &Frame,
    markers: &Markers<'_>,
    scan: &Scan,
    components: &mut [Component],
) -> Result<usize, Error> {
    let (window, bits) = Window::new(bytes, markers.at);
    let input = Input { window, bits, interval: markers.restart_interval, until: markers.restart_interval, number: 0 };
    if scan.bit > 13 {
        return Err(Error::Corrupt("bits that there are not"));
    }
    match (scan.band, &scan.components[..]) {
        ((0, 0), _) => read_means(input, frame, markers, scan, components),
        ((first @ 1..=63, last @ ..=63), &[(at, _, code)]) if first <= last => {
            let code = markers.others.get(code).and_then(Option::as_ref).ok_or(MISSING)?;
            let component = &mut components[at];
            let pass = Pass { first: first.into(), last: last.into(), bit: scan.bit, band: Band::new(code) };
            if scan.refines { pass.refine(input, component) } else { pass.begin(input, component) }
        }
        _ => Err(Error::Corrupt("a scan of coefficients that do not go together")),
    }
}

/// The bits of a scan, over its restarts.
struct Input<'a> {
    window: Window<'a>,
    bits: Bits,
    interval: u32,
    /// Blocks or MCUs until the next restart.
    until: u32,
    /// The next restart's.
    number: u8,
}

impl Input<'_> {
    /// To be called before each block or MCU: provides bits for it. Tells whether this is a restart.
    #[inline(always)]
    fn advance(&mut self) -> Result<bool, Error> {
        let mut restarts = false;
        if self.interval > 0 {
            if self.until == 0 {
                self.bits = self.window.restart(self.number)?;
                self.number = (self.number + 1) % 8;
                self.until = self.interval;
                restarts = true;
            }
            self.until -= 1;
        }
        self.window.provide(&mut self.bits);
        Ok(restarts)
    }
}

/// A scan of first coefficients, of one or several components.
fn read_means(
    mut input: Input<'_>,
    frame: &Frame,
    markers: &Markers<'_>,
    scan: &Scan,
    components: &mut [Component],
) -> Result<usize, Error> {
    let mut tables = Vec::new();
    for &(at, code, _) in &scan.components {
        components[at].has_means |= !scan.refines;
        tables.push(match markers.means.get(code).and_then(Option::as_ref) {
            Some(code) => Some(Means::new(code)),
            None if scan.refines => None,
            None => return Err(MISSING),
        });
    }
    // Of a single component the blocks come one by one, and those that only fill an MCU do not come.
    let ((columns, rows), single) = match scan.components[..] {
        [(at, ..)] => ((components[at].columns, components[at].rows), true),
        _ => (frame.mcus(), false),
    };
    let mut means = [0_i32; 3];
    for row in 0..rows {
        for column in 0..columns {
            if input.advance()? {
                means = [0; 3];
            }
            for (&(at, ..), table) in scan.components.iter().zip(&tables) {
                let component = &mut components[at];
                let (across, down) = if single { (1, 1) } else { (component.across, component.down) };
                for y in 0..down {
                    for x in 0..across {
                        let block = component.block(column * across + x, row * down + y);
                        input.bits.refill(&input.window);
                        match table {
                            Some(table) if !scan.refines => {
                                let difference = table.read(&mut input.bits);
                                let difference = difference.ok_or_else(|| input.window.judge(input.bits))?;
                                means[at] = means[at].wrapping_add(difference);
                                *component.value(block, 0) = (means[at] << scan.bit) as i16;
                            }
                            _ => *component.value(block, 0) |= (input.bits.take(1) << scan.bit) as i16,
                        }
                    }
                }
            }
            input.window.check(input.bits)?;
        }
    }
    input.window.finish()
}

/// A scan of other coefficients, of one component.
struct Pass {
    first: u32,
    last: u32,
    bit: u8,
    band: Band,
}

impl Pass {
    /// A scan that begins coefficients (T.81, G.1.2.2).
    fn begin(&self, mut input: Input<'_>, component: &mut Component) -> Result<usize, Error> {
        // Blocks to come in which there is nothing.
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
                let (mut bits, mut history, mut at) = (input.bits, 0, self.first);
                while at <= self.last {
                    bits.refill(&input.window);
                    let found = self.band.read(&mut bits).ok_or_else(|| input.window.judge(bits))?;
                    at += found.run;
                    if found.value != 0 {
                        if at > self.last {
                            return Err(input.window.judge(bits));
                        }
                        history |= 1 << at;
                        *component.value(block, at) = (found.value << self.bit) as i16;
                    } else if found.run < 15 {
                        empty = (1 << found.run) - 1 + bits.take(found.run);
                        break;
                    }
                    at += 1;
                }
                input.bits = bits;
                component.histories[block.history] |= history;
                input.window.check(bits)?;
            }
        }
        input.window.finish()
    }

    /// A scan that adds a bit to coefficients, and may begin others (T.81, G.1.2.3).
    fn refine(&self, mut input: Input<'_>, component: &mut Component) -> Result<usize, Error> {
        let all = (u64::MAX >> (63 - self.last)) & (u64::MAX << self.first);
        let mut empty = 0_u32;
        for row in 0..component.rows {
            for column in 0..component.columns {
                if input.advance()? {
                    empty = 0;
                }
                let block = component.block(column, row);
                let before = component.histories[block.history] & all;
                // The coefficients still to come.
                let mut rest = all;
                let mut begun = 0;
                while empty == 0 && rest != 0 {
                    input.bits.refill(&input.window);
                    let found = self.band.read(&mut input.bits);
                    let Refinable { run, value } = found.ok_or_else(|| input.window.judge(input.bits))?;
                    if value == 0 && run < 15 {
                        empty = (1 << run) + input.bits.take(run);
                        break;
                    }
                    // Over so many zeros, and to the next one.
                    let mut zeros = rest & !before;
                    for _ in 0..run {
                        zeros &= zeros.wrapping_sub(1);
                    }
                    if zeros == 0 || value.unsigned_abs() > 1 {
                        return Err(input.window.judge(input.bits));
                    }
                    let at = zeros.trailing_zeros();
                    let passed = rest & ((1 << at) - 1);
                    self.correct(&mut input, component, block, before & passed);
                    rest &= !passed & !(1 << at);
                    if value != 0 {
                        begun |= 1 << at;
                        *component.value(block, at) = (value << self.bit) as i16;
                    }
                }
                if empty > 0 {
                    self.correct(&mut input, component, block, before & rest);
                    empty -= 1;
                }
                component.histories[block.history] |= begun;
                input.window.check(input.bits)?;
            }
        }
        input.window.finish()
    }

    /// Reads a bit for each of `which`: does it grow?
    #[inline(always)]
    fn correct(&self, input: &mut Input<'_>, component: &mut Component, block: Block, which: u64) {
        if which == 0 {
            return;
        }
        input.bits.refill(&input.window);
        let (count, mut rest) = (which.count_ones(), which);
        // 56 bits are there for sure; a block has up to 63.
        let (at_once, later) = (count.min(48), count.saturating_sub(48));
        let mut corrections = input.bits.ahead;
        input.bits.consume(at_once);
        if later > 0 {
            input.bits.refill(&input.window);
            corrections = corrections & !(u64::MAX >> 48) | input.bits.ahead >> 48;
            input.bits.consume(later);
        }
        // Only what is kept matters.
        rest &= component.kept;
        while rest != 0 {
            let at = rest.trailing_zeros();
            rest &= rest - 1;
            let rank = (which & ((1 << at) - 1)).count_ones();
            if corrections << rank >> 63 == 1 {
                let value = component.value(block, at);
                *value = value.wrapping_add(value.signum() << self.bit);
            }
        }
    }
}

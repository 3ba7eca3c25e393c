//! The walk over the entropy-coded data.

use crate::bits::{Bits, Window};
use crate::header::{self, Header, Tables};
use crate::huffman::{Code, Means, Others, Symbol, extend};
use crate::idct::{self, Group, LANES, Multipliers, NOWHERE};
use crate::planes::{Plane, Planes};
use crate::zigzag::ZIGZAG;
use crate::{Error, Scale};

/// A baseline JPEG whose headers have been read, and nothing else yet.
pub struct Decoder<'a> {
    bytes: &'a [u8],
    header: Header<'a>,
    tables: Tables,
}

impl<'a> Decoder<'a> {
    /// Reads the headers. Needs no more memory than the lookup tables, about 50 KiB, whatever they say.
    ///
    /// # Errors
    /// `Unsupported` for what is left to larger libraries, and what is wrong with the headers.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let (header, tables) = header::read(bytes)?;
        Ok(Self { bytes, header, tables })
    }

    /// What the headers say.
    pub fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// Decodes the luma at one scale and the chroma at another; both relative to their own size.
    ///
    /// # Errors
    /// `Truncated` where the data or the end marker is missing, `Corrupt` where it makes no sense:
    /// never half a picture.
    pub fn decode(&self, luma: Scale, chroma: Scale) -> Result<Planes, Error> {
        let mut planes = self.planes(luma, chroma);
        self.decode_strips(luma, chroma, |strip| {
            for (plane, rows) in planes.planes.iter_mut().zip(strip) {
                plane.push(rows);
            }
        })?;
        Ok(planes)
    }

    /// Empty planes of the right width.
    fn planes(&self, luma: Scale, chroma: Scale) -> Planes {
        let (across, down) = self.header.sampling.factors();
        let size = |at: usize| {
            let (scale, across, down) = if at == 0 { (luma, 1, 1) } else { (chroma, across, down) };
            let side = |side: u16, factor: usize| (usize::from(side) * scale.eighths()).div_ceil(8 * factor);
            (side(self.header.width, across), side(self.header.height, down))
        };
        let plane = |at| {
            let (width, height) = size(at);
            Plane::with_capacity(width, height)
        };
        Planes { planes: (0..self.header.coding.len()).map(plane).collect() }
    }

    /// Decodes strip by strip, from the top: each is handed over as the rows of each plane, which
    /// may be wider and, at the bottom, more than the plane.
    fn decode_strips(&self, luma: Scale, chroma: Scale, mut sink: impl FnMut(&[Rows])) -> Result<(), Error> {
        let (across, down) = self.header.sampling.factors();
        let mcus = usize::from(self.header.width).div_ceil(8 * across);
        let mcu_rows = usize::from(self.header.height).div_ceil(8 * down);
        let mut components: Vec<_> = (0..self.header.coding.len())
            .map(|at| match at {
                0 => Component::new(self, at, luma, (across, down)),
                _ => Component::new(self, at, chroma, (1, 1)),
            })
            .collect();
        let mut strip: Vec<_> = components.iter().map(|c| Rows::new(c, mcus)).collect();

        let (mut window, mut bits) = Window::new(self.bytes, self.header.data);
        let (mut until_restart, mut restarts) = (self.header.restart_interval, 0_u8);
        for _ in 0..mcu_rows {
            for first in (0..mcus).step_by(LANES) {
                components.iter_mut().for_each(Component::clear);
                for mcu in 0..LANES.min(mcus - first) {
                    if self.header.restart_interval > 0 {
                        if until_restart == 0 {
                            bits = window.restart(restarts)?;
                            restarts = (restarts + 1) % 8;
                            until_restart = self.header.restart_interval;
                            components.iter_mut().for_each(|c| c.mean = 0);
                        }
                        until_restart -= 1;
                    }
                    window.provide(&mut bits);
                    for component in &mut components {
                        bits = component.read_blocks(bits, &window, mcu)?;
                    }
                    window.check(bits)?;
                }
                for (component, rows) in components.iter().zip(&mut strip) {
                    component.transform(first, rows);
                }
            }
            sink(&strip);
        }
        header::read_end(self.bytes, window.finish()?)
    }
}

/// Rows of samples of one component: those of one row of MCUs.
pub(crate) struct Rows {
    pub samples: Vec<u8>,
    pub stride: usize,
}

impl Rows {
    fn new(component: &Component<'_>, mcus: usize) -> Self {
        let n = component.scale.eighths();
        let stride = mcus.next_multiple_of(LANES) * component.across * n;
        Self { samples: vec![0; stride * component.down * n], stride }
    }
}

/// What is needed to read the blocks of one component.
struct Component<'a> {
    means: &'a Means,
    others: &'a Others,
    scale: Scale,
    /// Blocks of it in an MCU.
    across: usize,
    down: usize,
    /// The last coefficient that the scale needs.
    last: usize,
    /// By coefficient, and beyond the last one for runs that go too far: where it goes.
    places: [u16; 128],
    multipliers: Multipliers,
    /// Of the block before.
    mean: i32,
    /// `down` rows of `across` groups.
    groups: Vec<Group>,
}

impl<'a> Component<'a> {
    fn new(decoder: &'a Decoder<'_>, at: usize, scale: Scale, (across, down): (usize, usize)) -> Self {
        let coding = &decoder.header.coding[at];
        let n = scale.eighths();
        let mut multipliers = Multipliers::new();
        let mut places = [NOWHERE; 128];
        let mut last = 0;
        for (at, (u, v)) in ZIGZAG.into_iter().enumerate() {
            let (u, v) = (usize::from(u), usize::from(v));
            if u < n && v < n {
                places[at] = ((v * n + u) * LANES) as u16;
                multipliers.set(v * n + u, f64::from(coding.quantisation[at]) * idct::factor(scale, u, v));
                last = at;
            }
        }
        Self {
            means: &decoder.tables.means[coding.means],
            others: &decoder.tables.others[coding.others],
            scale,
            across,
            down,
            last,
            places,
            multipliers,
            mean: 0,
            groups: (0..across * down).map(|_| Group::new()).collect(),
        }
    }

    fn clear(&mut self) {
        for group in &mut self.groups {
            group.clear(self.scale);
        }
    }

    /// Reads the blocks of one MCU.
    #[inline(always)]
    fn read_blocks(&mut self, mut bits: Bits, window: &Window<'_>, mcu: usize) -> Result<Bits, Error> {
        for down in 0..self.down {
            for across in 0..self.across {
                let block = mcu * self.across + across;
                bits = self.read_block(bits, window, down * self.across + block / LANES, block % LANES)?;
            }
        }
        Ok(bits)
    }

    fn read_block(&mut self, mut bits: Bits, window: &Window<'_>, group: usize, lane: usize) -> Result<Bits, Error> {
        let Some(group) = self.groups.get_mut(group) else { return Ok(bits) };
        let places = &self.places;
        let (wanted, skipped) = self.others.tables();
        let coefficients = group.coefficients();
        let mut store = |at: usize, value: i32| coefficients.set(places[at & 127], lane, value as i16);

        bits.refill(window);
        let difference = self.means.read(&mut bits).ok_or_else(|| window.judge(bits))?;
        self.mean = self.mean.wrapping_add(difference);
        store(0, self.mean);

        let mut at = 1;
        'wanted: while at <= self.last {
            bits.refill(window);
            // Two fast ones leave 34 bits, enough for a slow one.
            for _ in 0..3 {
                let entry = wanted.at(bits.ahead);
                let first = at + entry.first_run();
                let second = first + entry.second_step();
                if entry.is_slow() || second + entry.end() > 63 {
                    // Too long, or beyond the block, where another code applies: one symbol only.
                    let symbol = match entry.symbol() {
                        Some((symbol, length)) => {
                            bits.consume(length);
                            Symbol::from(symbol)
                        }
                        None => next_symbol(&self.others.code, &mut bits, window)?,
                    };
                    match symbol {
                        Symbol::End => return Ok(bits),
                        Symbol::Coefficient { run, size } => {
                            at += run as usize;
                            store(at, extend(bits.take(size), size));
                            at += 1;
                        }
                    }
                    continue 'wanted;
                }
                bits.consume(entry.length());
                store(second, entry.second());
                store(first, entry.first());
                at = second + 1;
                if entry.end() == 1 {
                    return Ok(bits);
                }
                if at > self.last {
                    break 'wanted;
                }
            }
        }

        // The rest is only passed over.
        while at < 64 {
            bits.refill(window);
            for _ in 0..2 {
                let entry = skipped.at(bits.ahead);
                if entry.is_slow() || at + entry.steps() + entry.end() > 64 {
                    bits.refill(window);
                    match next_symbol(&self.others.code, &mut bits, window)? {
                        Symbol::End => return Ok(bits),
                        Symbol::Coefficient { run, size } => {
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
        if at > 64 { Err(window.judge(bits)) } else { Ok(bits) }
    }

    /// Writes the samples of the MCUs from `first` on.
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

/// One symbol, whatever its length.
#[inline]
fn next_symbol(code: &Code, bits: &mut Bits, window: &Window<'_>) -> Result<Symbol, Error> {
    let (symbol, length) = code.symbol(bits.peek16()).ok_or_else(|| window.judge(*bits))?;
    bits.consume(length);
    Ok(Symbol::from(symbol))
}

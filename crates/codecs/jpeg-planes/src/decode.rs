//! The walk over the entropy-coded data of a sequential picture.

use crate::bits::{Bits, Window};
use crate::header::{self, Frame, Header, MISSING, Markers, Quantisation, Scan};
use crate::huffman::{Code, Means, Others, Symbol, extend};
use crate::idct::{Group, LANES, Multipliers, Places};
use crate::planes::Planes;
use crate::{Error, Scale, Unsupported, progressive};

/// A JPEG whose headers have been read, and nothing else yet.
pub struct Decoder<'a> {
    bytes: &'a [u8],
    header: Header<'a>,
    frame: Frame,
    /// Behind the first scan's header.
    markers: Markers<'a>,
    first: Scan,
}

impl<'a> Decoder<'a> {
    /// Reads the headers. Needs next to no memory, whatever they say.
    ///
    /// # Errors
    /// `Unsupported` for what is left to larger libraries, and what is wrong with the headers.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut markers = Markers::new(bytes)?;
        let first = markers.scan()?.ok_or(Error::Corrupt("an end before the picture"))?;
        let frame = markers.frame.clone().ok_or(Error::Corrupt("a scan before its frame"))?;
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
        let scales = [luma, chroma, chroma];
        if self.frame.progressive {
            return progressive::decode(self.bytes, &self.frame, self.markers.clone(), self.first.clone(), scales);
        }
        let mut planes = Planes::empty(&self.frame, scales);
        self.decode_strips(scales, |strip| planes.push(strip))?;
        Ok(planes)
    }

    /// Decodes strip by strip, from the top: each is handed over as the rows of each plane, which
    /// may be wider and, at the bottom, more than the plane.
    fn decode_strips(&self, scales: [Scale; 3], mut sink: impl FnMut(&[Rows])) -> Result<(), Error> {
        let (mcus, mcu_rows) = self.frame.mcus();
        let tables = Tables::new(&self.markers, &self.first)?;
        let mut components = Vec::new();
        for (at, &(means, others)) in tables.of_component.iter().enumerate() {
            let divisors = self.markers.divisors(&self.frame.components[at])?;
            let codes = (&tables.means[means], &tables.others[others]);
            components.push(Component::new(codes, &divisors, scales[at], self.frame.blocks(at)));
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
    /// For a row of so many MCUs, each of which is so many blocks.
    pub fn new(scale: Scale, (across, down): (usize, usize), mcus: usize) -> Self {
        let n = scale.eighths();
        let stride = mcus.next_multiple_of(LANES) * across * n;
        Self { samples: vec![0; stride * down * n], stride }
    }
}

/// The lookup tables of a scan, each built once however many components use it.
struct Tables {
    means: Vec<Means>,
    others: Vec<Others>,
    of_component: Vec<(usize, usize)>,
}

impl Tables {
    fn new(markers: &Markers<'_>, scan: &Scan) -> Result<Self, Error> {
        let mut tables = Self { means: Vec::new(), others: Vec::new(), of_component: Vec::new() };
        let (mut means_at, mut others_at) = ([None; 4], [None; 4]);
        for &(_, mean, other) in &scan.components {
            let mean_code = markers.means.get(mean).and_then(Option::as_ref).ok_or(MISSING)?;
            let other_code = markers.others.get(other).and_then(Option::as_ref).ok_or(MISSING)?;
            let mean = *means_at[mean].get_or_insert_with(|| {
                tables.means.push(Means::new(mean_code));
                tables.means.len() - 1
            });
            let other = *others_at[other].get_or_insert_with(|| {
                tables.others.push(Others::new(other_code));
                tables.others.len() - 1
            });
            tables.of_component.push((mean, other));
        }
        Ok(tables)
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
    places: Places,
    multipliers: Multipliers,
    /// Of the block before.
    mean: i32,
    /// `down` rows of `across` groups.
    groups: Vec<Group>,
}

impl<'a> Component<'a> {
    fn new(
        (means, others): (&'a Means, &'a Others),
        divisors: &Quantisation,
        scale: Scale,
        (across, down): (usize, usize),
    ) -> Self {
        Self {
            means,
            others,
            scale,
            across,
            down,
            places: Places::new(scale),
            multipliers: Multipliers::new(scale, divisors),
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
        let (places, last) = (&self.places.of, self.places.last);
        let (wanted, skipped) = self.others.tables();
        let coefficients = group.coefficients();
        let mut store = |at: usize, value: i32| coefficients.set(places[at & 127], lane, value as i16);

        bits.refill(window);
        let difference = self.means.read(&mut bits).ok_or_else(|| window.judge(bits))?;
        self.mean = self.mean.wrapping_add(difference);
        store(0, self.mean);

        let mut at = 1;
        'wanted: while at <= last {
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
                if at > last {
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

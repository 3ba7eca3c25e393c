//! Tables that answer for several symbols at once.

use crate::Error;
use crate::bits::Bits;

/// Bits looked at for coefficients that are wanted.
const WANTED_BITS: u32 = 11;
/// Bits looked at for coefficients that are skipped.
const SKIPPED_BITS: u32 = 13;
/// Bits looked at for a mean.
const MEAN_BITS: u32 = 10;

/// A code as a DHT segment defines it (T.81, annex C).
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// By length: the first 16-bit pattern that is beyond all codes of this length.
    limits: [u32; 17],
    /// By length: what to add to a code to get the place of its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Code {
    /// `counts` are of the codes of 1 to 16 bits.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Error> {
        let (mut limits, mut offsets) = ([0; 17], [0; 17]);
        let (mut code, mut place) = (0_u32, 0_i32);
        for (length, &count) in (1_u32..).zip(counts) {
            offsets[length as usize] = place - code as i32;
            code += u32::from(count);
            place += i32::from(count);
            if code > 1 << length {
                return Err(Error::Corrupt("more codes than there can be"));
            }
            limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        if place as usize != symbols.len() {
            return Err(Error::Corrupt("codes without symbols"));
        }
        Ok(Self { limits, offsets, symbols: symbols.to_vec() })
    }

    /// The symbol whose code `bits` (16 of them) begin with, and the code's length.
    pub fn symbol(&self, bits: u32) -> Option<(u8, u32)> {
        let length = (1..=16_u32).find(|&length| bits < self.limits[length as usize])?;
        let place = (bits >> (16 - length)) as i32 + self.offsets[length as usize];
        Some((*self.symbols.get(usize::try_from(place).ok()?)?, length))
    }

    /// All symbols whose code fits into `bits` bits, by the patterns that begin with it.
    fn prefixes(&self, bits: u32) -> Vec<Option<(u8, u32)>> {
        let mut prefixes = vec![None; 1 << bits];
        let mut pattern = 0;
        for length in 1..=bits {
            let limit = (self.limits[length as usize] >> (16 - bits)) as usize;
            while pattern < limit {
                let found = self.symbol((pattern as u32) << (16 - bits));
                let next = pattern + (1 << (bits - length));
                prefixes[pattern..next].fill(found);
                pattern = next;
            }
        }
        prefixes
    }

    /// Whether every symbol can be the size of a difference of means.
    pub fn is_for_means(&self) -> bool {
        self.symbols.iter().all(|&size| size <= 11)
    }
}

/// The number that `size` bits stand for (T.81, F.2.2.1).
#[inline]
pub(crate) fn extend(bits: u32, size: u32) -> i32 {
    let half = 1_i32 << size >> 1;
    let bits = bits as i32;
    if bits < half { bits - (1 << size) + 1 } else { bits }
}

/// A table for the first coefficient of each block.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    entries: Box<[u32; 1 << MEAN_BITS]>,
    pub code: Code,
}

impl Means {
    /// Only the code fits: an entry holds the number's size in place of the number.
    const CODE: u32 = 1 << 8;

    pub fn new(code: &Code) -> Self {
        let mut entries = Box::new([0; 1 << MEAN_BITS]);
        for (pattern, (entry, found)) in (0_u32..).zip(entries.iter_mut().zip(code.prefixes(MEAN_BITS))) {
            let Some((size, length)) = found else { continue };
            let size = u32::from(size);
            *entry = match MEAN_BITS.checked_sub(length + size) {
                Some(rest) => (extend(pattern >> rest & ((1 << size) - 1), size) as u32) << 16 | (length + size),
                None => size << 16 | Self::CODE | length,
            };
        }
        Self { entries, code: code.clone() }
    }

    /// Reads a difference.
    #[inline(always)]
    pub fn read(&self, bits: &mut Bits) -> Option<i32> {
        let entry = self.entries[(bits.ahead >> (64 - MEAN_BITS)) as usize];
        let (value, length) = ((entry as i32) >> 16, entry & 0xff);
        if entry & (Self::CODE | 0xff) > 0xff {
            bits.consume(length);
            return Some(extend(bits.take(value as u32), value as u32));
        }
        if length == 0 {
            let (size, length) = self.code.symbol(bits.peek16())?;
            bits.consume(length);
            return Some(extend(bits.take(size.into()), size.into()));
        }
        bits.consume(length);
        Some(value)
    }
}

/// One or two coefficients, and perhaps the end of the block, in 32 bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted(u32);

impl Wanted {
    const SLOW: u32 = 1 << 5;
    const END: u32 = 1 << 6;

    /// The code does not fit, or what follows it does not.
    #[inline(always)]
    pub fn is_slow(self) -> bool {
        self.0 & Self::SLOW != 0
    }

    /// Of a slow one: the symbol, if its code fits, and the code's length.
    #[inline(always)]
    pub fn symbol(self) -> Option<(u8, u32)> {
        (self.0 & (Self::SLOW | 31) > Self::SLOW).then_some(((self.0 >> 7) as u8, self.length()))
    }

    /// Whether the block ends after these: 1 or 0.
    #[inline(always)]
    pub fn end(self) -> usize {
        (self.0 >> 6 & 1) as usize
    }

    /// Bits taken.
    #[inline(always)]
    pub fn length(self) -> u32 {
        self.0 & 31
    }

    /// Zeros before the first coefficient.
    #[inline(always)]
    pub fn first_run(self) -> usize {
        (self.0 >> 7 & 15) as usize
    }

    /// Steps from the first coefficient to the second; none if there is no second.
    #[inline(always)]
    pub fn second_step(self) -> usize {
        (self.0 >> 11 & 15) as usize
    }

    /// Zero if the block ends at once.
    #[inline(always)]
    pub fn first(self) -> i32 {
        self.0 as i32 >> 22
    }

    /// Zero if there is no second.
    #[inline(always)]
    pub fn second(self) -> i32 {
        (self.0 << 10) as i32 >> 25
    }
}

/// How far skipped symbols reach, in 16 bits; 0 if not even one code fits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Skipped(u16);

impl Skipped {
    #[inline(always)]
    pub fn is_slow(self) -> bool {
        self.0 == 0
    }

    /// Bits taken.
    #[inline(always)]
    pub fn length(self) -> u32 {
        u32::from(self.0 & 31)
    }

    /// Whether the last symbol ends the block: 1 or 0.
    #[inline(always)]
    pub fn end(self) -> usize {
        usize::from(self.0 >> 5 & 1)
    }

    /// Coefficients passed.
    #[inline(always)]
    pub fn steps(self) -> usize {
        usize::from(self.0 >> 6)
    }
}

/// What a symbol of the other coefficients means (T.81, F.1.2.2.1).
pub(crate) enum Symbol {
    /// The rest of the block is zero.
    End,
    /// So many zeros, then a number of so many bits; or, with none, one more zero.
    Coefficient { run: u32, size: u32 },
}

impl From<u8> for Symbol {
    #[inline]
    fn from(symbol: u8) -> Self {
        match (u32::from(symbol >> 4), u32::from(symbol & 15)) {
            (0..=14, 0) => Self::End,
            (run, size) => Self::Coefficient { run, size },
        }
    }
}

/// By the next bits.
#[derive(Debug, Clone)]
pub(crate) struct WantedTable([Wanted; 1 << WANTED_BITS]);

impl WantedTable {
    #[inline(always)]
    pub fn at(&self, bits: u64) -> Wanted {
        self.0[(bits >> (64 - WANTED_BITS)) as usize]
    }
}

/// By the next bits.
#[derive(Debug, Clone)]
pub(crate) struct SkippedTable([Skipped; 1 << SKIPPED_BITS]);

impl SkippedTable {
    #[inline(always)]
    pub fn at(&self, bits: u64) -> Skipped {
        self.0[(bits >> (64 - SKIPPED_BITS)) as usize]
    }
}

/// Tables for the other coefficients.
#[derive(Debug, Clone)]
pub(crate) struct Others {
    wanted: Box<WantedTable>,
    skipped: Box<SkippedTable>,
    pub code: Code,
}

impl Others {
    pub fn new(code: &Code) -> Self {
        let mut wanted = Box::new(WantedTable([Wanted(Wanted::SLOW); 1 << WANTED_BITS]));
        let prefixes = code.prefixes(WANTED_BITS);
        for (pattern, entry) in (0_u32..).zip(wanted.0.iter_mut()) {
            *entry = Self::wanted_entry(&prefixes, pattern);
        }
        let mut skipped = Box::new(SkippedTable([Skipped(0); 1 << SKIPPED_BITS]));
        let prefixes = code.prefixes(SKIPPED_BITS);
        for (pattern, entry) in (0_u32..).zip(skipped.0.iter_mut()) {
            *entry = Self::skipped_entry(&prefixes, pattern);
        }
        Self { wanted, skipped, code: code.clone() }
    }

    /// Both tables, so that who reads much finds them only once.
    #[inline(always)]
    pub fn tables(&self) -> (&WantedTable, &SkippedTable) {
        (&self.wanted, &self.skipped)
    }

    fn wanted_entry(prefixes: &[Option<(u8, u32)>], pattern: u32) -> Wanted {
        // The next symbol, with its number, if all of it lies within the pattern.
        let next = |used: u32| {
            let (symbol, length) = prefixes[(pattern << used & ((1 << WANTED_BITS) - 1)) as usize]?;
            let symbol = Symbol::from(symbol);
            let size = match symbol {
                Symbol::End => 0,
                Symbol::Coefficient { size, .. } => size,
            };
            let used = used + length + size;
            let bits = pattern >> WANTED_BITS.checked_sub(used)? & ((1 << size) - 1);
            Some((symbol, extend(bits, size), used))
        };
        let field = |value: i32, bits: u32| value as u32 & ((1 << bits) - 1);
        let fits = |value: i32, bits: u32| (-(1 << (bits - 1))..1 << (bits - 1)).contains(&value);
        let slow = match prefixes[pattern as usize] {
            Some((symbol, length)) => Wanted(Wanted::SLOW | length | u32::from(symbol) << 7),
            None => Wanted(Wanted::SLOW),
        };
        match next(0) {
            None => slow,
            Some((_, first, _)) if !fits(first, 10) => slow,
            Some((Symbol::End, _, used)) => Wanted(used | Wanted::END),
            Some((Symbol::Coefficient { run, .. }, first, used)) => {
                let one = run << 7 | field(first, 10) << 22;
                match next(used) {
                    Some((Symbol::End, _, used)) => Wanted(one | used | Wanted::END),
                    Some((Symbol::Coefficient { run, .. }, second, used)) if run < 15 && fits(second, 7) => {
                        Wanted(one | used | (run + 1) << 11 | field(second, 7) << 15)
                    }
                    _ => Wanted(one | used),
                }
            }
        }
    }

    fn skipped_entry(prefixes: &[Option<(u8, u32)>], pattern: u32) -> Skipped {
        let (mut used, mut steps, mut end) = (0, 0, 0);
        while used < SKIPPED_BITS && steps < 32 && end == 0 {
            // A number may reach beyond the pattern, a code may not.
            let Some((symbol, length)) = prefixes[(pattern << used & ((1 << SKIPPED_BITS) - 1)) as usize] else {
                break;
            };
            if used + length > SKIPPED_BITS {
                break;
            }
            used += length;
            match Symbol::from(symbol) {
                Symbol::End => end = 1,
                Symbol::Coefficient { run, size } => {
                    steps += run + 1;
                    used += size;
                }
            }
        }
        Skipped((used | end << 5 | steps << 6) as u16)
    }
}

/// A symbol of a band of a progressive picture, with the number behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refinable {
    /// Zeros before it; of no number, what the symbol says instead.
    pub run: u32,
    /// Zero if there is no number.
    pub value: i32,
}

/// A table for the bands of a progressive picture.
pub(crate) struct Band {
    /// A number (16 bits), a symbol (8), whether the number is all there is to it, and the bits taken (5).
    entries: Box<[u32; 1 << WANTED_BITS]>,
    code: Code,
}

impl Band {
    const WHOLE: u32 = 1 << 5;

    pub fn new(code: &Code) -> Self {
        let mut entries = Box::new([0; 1 << WANTED_BITS]);
        for (pattern, (entry, found)) in (0_u32..).zip(entries.iter_mut().zip(code.prefixes(WANTED_BITS))) {
            let Some((symbol, length)) = found else { continue };
            let size = u32::from(symbol & 15);
            *entry = u32::from(symbol) << 8
                | match WANTED_BITS.checked_sub(length + size) {
                    Some(rest) => {
                        let value = extend(pattern >> rest & ((1 << size) - 1), size);
                        (value as u32) << 16 | Self::WHOLE | (length + size)
                    }
                    None => length,
                };
        }
        Self { entries, code: code.clone() }
    }

    /// Reads a symbol and the number behind it, if it has one; not what follows others. Needs 32 bits.
    #[inline(always)]
    pub fn read(&self, bits: &mut Bits) -> Option<Refinable> {
        let entry = self.entries[(bits.ahead >> (64 - WANTED_BITS)) as usize];
        if entry & Self::WHOLE != 0 {
            bits.consume(entry & 31);
            return Some(Refinable { run: entry >> 12 & 15, value: entry as i32 >> 16 });
        }
        let (symbol, length) = match entry & 31 {
            0 => self.code.symbol(bits.peek16())?,
            length => ((entry >> 8) as u8, length),
        };
        bits.consume(length);
        let size = u32::from(symbol & 15);
        Some(Refinable { run: u32::from(symbol >> 4), value: extend(bits.take(size), size) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A code of any shape: as many of the lengths as there is room for.
    fn code() -> impl Strategy<Value = Code> {
        let symbol = (0..16_u8, 0..11_u8).prop_map(|(run, size)| run << 4 | size);
        prop::collection::vec((1..17_usize, symbol), 1..80).prop_map(|mut wanted| {
            wanted.sort_by_key(|&(length, _)| length);
            let (mut counts, mut symbols, mut room) = ([0_u8; 16], Vec::new(), 1_u32 << 16);
            for (length, symbol) in wanted {
                if let Some(rest) = room.checked_sub(1 << (16 - length)) {
                    room = rest;
                    counts[length - 1] += 1;
                    symbols.push(symbol);
                }
            }
            Code::new(&counts, &symbols).expect("room for all")
        })
    }

    /// Symbol by symbol: zeros before it, the number, and the bits taken; `None` at the end.
    fn slowly(code: &Code, bits: u64) -> Option<(Option<(usize, i32)>, u32)> {
        let (symbol, length) = code.symbol((bits >> 48) as u32)?;
        match Symbol::from(symbol) {
            Symbol::End => Some((None, length)),
            Symbol::Coefficient { run, size } => {
                let number = (bits << length >> 32 >> 16) as u32 >> (16 - size);
                Some((Some((run as usize, extend(number, size))), length + size))
            }
        }
    }

    proptest! {
        #[test]
        fn tables_say_what_the_code_says(code in code(), bits in any::<u64>()) {
            let others = Others::new(&code);
            let (wanted, skipped) = others.tables();

            let entry = wanted.at(bits);
            if entry.is_slow() {
                prop_assert!(entry.symbol().is_none_or(|found| code.symbol((bits >> 48) as u32) == Some(found)));
            } else {
                let (mut numbers, mut used, mut ended) = (Vec::new(), 0, 0);
                while used < entry.length() {
                    match slowly(&code, bits << used).expect("a symbol") {
                        (None, length) => (used, ended) = (used + length, ended + 1),
                        (Some(number), length) => {
                            numbers.push(number);
                            used += length;
                        }
                    }
                }
                prop_assert_eq!((used, ended), (entry.length(), entry.end()));
                let mut said = Vec::new();
                if entry.first() != 0 || !numbers.is_empty() {
                    said.push((entry.first_run(), entry.first()));
                }
                if entry.second_step() > 0 {
                    said.push((entry.second_step() - 1, entry.second()));
                }
                prop_assert_eq!(said, numbers);
            }

            let entry = skipped.at(bits);
            let (mut steps, mut used, mut ended) = (0, 0, 0);
            while used < entry.length() {
                match slowly(&code, bits << used).expect("a symbol") {
                    (None, length) => (used, ended) = (used + length, ended + 1),
                    (Some((run, _)), length) => (used, steps) = (used + length, steps + run + 1),
                }
            }
            prop_assert_eq!((steps, used, ended), (entry.steps(), entry.length(), entry.end()));
            prop_assert!(!entry.is_slow() || code.symbol((bits >> 48) as u32).is_none_or(|(_, length)| length > SKIPPED_BITS));
        }

        #[test]
        fn means_are_read_whole(code in code(), bits in any::<u64>()) {
            let code = Code { symbols: code.symbols.iter().map(|symbol| symbol % 12).collect(), ..code };
            let mut ahead = Bits::of(bits);
            let got = Means::new(&code).read(&mut ahead);
            let want = code.symbol((bits >> 48) as u32).map(|(size, length)| {
                let size = u32::from(size);
                extend((bits << length >> 32 >> 16) as u32 >> (16 - size), size)
            });
            prop_assert!(code.is_for_means());
            prop_assert_eq!(got, want);
        }
    }
}

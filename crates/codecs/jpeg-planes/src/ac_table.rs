//! Lookup tables for AC coefficients. An entry holds the result of several symbols.

use crate::huffman::{HuffmanCode, extend};

/// Bits that index the table of needed coefficients.
pub(crate) const AC_BITS: u32 = 11;
/// Bits that index the table of skipped coefficients.
pub(crate) const SKIP_BITS: u32 = 13;

/// One or two coefficients, and possibly the end of the block, packed into 32 bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AcEntry(u32);

impl AcEntry {
    const SLOW: u32 = 1 << 5;
    const END: u32 = 1 << 6;

    /// Whether the first code or its number does not fit into the entry.
    #[inline(always)]
    pub fn is_slow(self) -> bool {
        self.0 & Self::SLOW != 0
    }

    /// The first symbol and the length of its code, if the entry is slow and the code fits.
    #[inline(always)]
    pub fn symbol(self) -> Option<(u8, u32)> {
        (self.0 & (Self::SLOW | 31) > Self::SLOW).then_some(((self.0 >> 7) as u8, self.length()))
    }

    /// 1 if the block ends after these coefficients, otherwise 0.
    #[inline(always)]
    pub fn end(self) -> usize {
        (self.0 >> 6 & 1) as usize
    }

    /// Bits to consume.
    #[inline(always)]
    pub fn length(self) -> u32 {
        self.0 & 31
    }

    /// Zeros before the first coefficient.
    #[inline(always)]
    pub fn first_run(self) -> usize {
        (self.0 >> 7 & 15) as usize
    }

    /// Distance from the first coefficient to the second; 0 if there is no second.
    #[inline(always)]
    pub fn second_step(self) -> usize {
        (self.0 >> 11 & 15) as usize
    }

    /// The first coefficient; 0 if the block ends at once.
    #[inline(always)]
    pub fn first(self) -> i32 {
        self.0 as i32 >> 22
    }

    /// The second coefficient; 0 if there is none.
    #[inline(always)]
    pub fn second(self) -> i32 {
        (self.0 << 10) as i32 >> 25
    }
}

/// The length of several skipped symbols, packed into 16 bits; 0 if not even one code fits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SkipEntry(u16);

impl SkipEntry {
    #[inline(always)]
    pub fn is_slow(self) -> bool {
        self.0 == 0
    }

    /// Bits to consume.
    #[inline(always)]
    pub fn length(self) -> u32 {
        u32::from(self.0 & 31)
    }

    /// 1 if the last symbol ends the block, otherwise 0.
    #[inline(always)]
    pub fn end(self) -> usize {
        usize::from(self.0 >> 5 & 1)
    }

    /// Number of coefficients to skip.
    #[inline(always)]
    pub fn steps(self) -> usize {
        usize::from(self.0 >> 6)
    }
}

/// A symbol of an AC code (T.81, F.1.2.2.1).
pub(crate) enum AcSymbol {
    /// The rest of the block is zero.
    EndOfBlock,
    /// `run` zeros, then a coefficient of `size` bits. With a size of 0 the coefficient is zero, too.
    Coefficient { run: u32, size: u32 },
}

impl From<u8> for AcSymbol {
    #[inline]
    fn from(symbol: u8) -> Self {
        match (u32::from(symbol >> 4), u32::from(symbol & 15)) {
            (0..=14, 0) => Self::EndOfBlock,
            (run, size) => Self::Coefficient { run, size },
        }
    }
}

/// The entries of needed coefficients, by the next bits.
#[derive(Debug, Clone)]
pub(crate) struct AcEntries([AcEntry; 1 << AC_BITS]);

impl AcEntries {
    #[inline(always)]
    pub fn at(&self, bits: u64) -> AcEntry {
        self.0[(bits >> (64 - AC_BITS)) as usize]
    }
}

/// The entries of skipped coefficients, by the next bits.
#[derive(Debug, Clone)]
pub(crate) struct SkipEntries([SkipEntry; 1 << SKIP_BITS]);

impl SkipEntries {
    #[inline(always)]
    pub fn at(&self, bits: u64) -> SkipEntry {
        self.0[(bits >> (64 - SKIP_BITS)) as usize]
    }
}

/// Both tables of an AC code, and the code itself for symbols that fit into no entry.
#[derive(Debug, Clone)]
pub(crate) struct AcTable {
    entries: Box<AcEntries>,
    skip_entries: Box<SkipEntries>,
    pub code: HuffmanCode,
}

impl AcTable {
    pub fn new(code: &HuffmanCode) -> Self {
        let mut entries = Box::new(AcEntries([AcEntry(AcEntry::SLOW); 1 << AC_BITS]));
        let prefixes = code.prefixes(AC_BITS);
        for (pattern, entry) in (0_u32..).zip(entries.0.iter_mut()) {
            *entry = Self::entry(&prefixes, pattern);
        }
        let mut skip_entries = Box::new(SkipEntries([SkipEntry(0); 1 << SKIP_BITS]));
        let prefixes = code.prefixes(SKIP_BITS);
        for (pattern, entry) in (0_u32..).zip(skip_entries.0.iter_mut()) {
            *entry = Self::skip_entry(&prefixes, pattern);
        }
        Self { entries, skip_entries, code: code.clone() }
    }

    /// Both tables. A caller that reads many symbols dereferences the boxes only once.
    #[inline(always)]
    pub fn tables(&self) -> (&AcEntries, &SkipEntries) {
        (&self.entries, &self.skip_entries)
    }

    fn entry(prefixes: &[Option<(u8, u32)>], pattern: u32) -> AcEntry {
        // The symbol and number after `used` bits, if both fit into the pattern.
        let next = |used: u32| {
            let (symbol, length) = prefixes[(pattern << used & ((1 << AC_BITS) - 1)) as usize]?;
            let symbol = AcSymbol::from(symbol);
            let size = match symbol {
                AcSymbol::EndOfBlock => 0,
                AcSymbol::Coefficient { size, .. } => size,
            };
            let used = used + length + size;
            let bits = pattern >> AC_BITS.checked_sub(used)? & ((1 << size) - 1);
            Some((symbol, extend(bits, size), used))
        };
        let field = |value: i32, bits: u32| value as u32 & ((1 << bits) - 1);
        let fits = |value: i32, bits: u32| (-(1 << (bits - 1))..1 << (bits - 1)).contains(&value);
        let slow = match prefixes[pattern as usize] {
            Some((symbol, length)) => AcEntry(AcEntry::SLOW | length | u32::from(symbol) << 7),
            None => AcEntry(AcEntry::SLOW),
        };
        match next(0) {
            None => slow,
            Some((_, first, _)) if !fits(first, 10) => slow,
            Some((AcSymbol::EndOfBlock, _, used)) => AcEntry(used | AcEntry::END),
            Some((AcSymbol::Coefficient { run, .. }, first, used)) => {
                let one = run << 7 | field(first, 10) << 22;
                match next(used) {
                    Some((AcSymbol::EndOfBlock, _, used)) => AcEntry(one | used | AcEntry::END),
                    Some((AcSymbol::Coefficient { run, .. }, second, used)) if run < 15 && fits(second, 7) => {
                        AcEntry(one | used | (run + 1) << 11 | field(second, 7) << 15)
                    }
                    _ => AcEntry(one | used),
                }
            }
        }
    }

    fn skip_entry(prefixes: &[Option<(u8, u32)>], pattern: u32) -> SkipEntry {
        let (mut used, mut steps, mut end) = (0, 0, 0);
        while used < SKIP_BITS && steps < 32 && end == 0 {
            // A number may extend beyond the pattern, a code may not.
            let Some((symbol, length)) = prefixes[(pattern << used & ((1 << SKIP_BITS) - 1)) as usize] else {
                break;
            };
            if used + length > SKIP_BITS {
                break;
            }
            used += length;
            match AcSymbol::from(symbol) {
                AcSymbol::EndOfBlock => end = 1,
                AcSymbol::Coefficient { run, size } => {
                    steps += run + 1;
                    used += size;
                }
            }
        }
        SkipEntry((used | end << 5 | steps << 6) as u16)
    }
}

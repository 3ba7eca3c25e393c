//! A lookup table for the AC scans of a progressive picture.

use crate::ac_table::AC_BITS;
use crate::bit_reader::BitReader;
use crate::huffman::{HuffmanCode, extend};

/// A symbol of an AC scan, with the number after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BandSymbol {
    /// Zeros before the number. Without a number: 15 for 16 zeros, otherwise the bits of an end-of-band run.
    pub run: u32,
    /// 0 if there is no number.
    pub value: i32,
}

/// Decodes the symbols of an AC scan.
pub(crate) struct BandTable {
    /// The number (16 bits), the symbol (8), the flag `COMPLETE`, and the bits to consume (5).
    entries: Box<[u32; 1 << AC_BITS]>,
    code: HuffmanCode,
}

impl BandTable {
    /// Flag of an entry that holds the number, too.
    const COMPLETE: u32 = 1 << 5;

    pub fn new(code: &HuffmanCode) -> Self {
        let mut entries = Box::new([0; 1 << AC_BITS]);
        for (pattern, (entry, found)) in (0_u32..).zip(entries.iter_mut().zip(code.prefixes(AC_BITS))) {
            let Some((symbol, length)) = found else { continue };
            let size = u32::from(symbol & 15);
            *entry = u32::from(symbol) << 8
                | match AC_BITS.checked_sub(length + size) {
                    Some(rest) => {
                        let value = extend(pattern >> rest & ((1 << size) - 1), size);
                        (value as u32) << 16 | Self::COMPLETE | (length + size)
                    }
                    None => length,
                };
        }
        Self { entries, code: code.clone() }
    }

    /// Reads a symbol and its number, but not the bits of a run. Needs 32 bits. `None` if the code is invalid.
    #[inline(always)]
    pub fn read(&self, bits: &mut BitReader) -> Option<BandSymbol> {
        let entry = self.entries[(bits.buffer >> (64 - AC_BITS)) as usize];
        if entry & Self::COMPLETE != 0 {
            bits.consume(entry & 31);
            return Some(BandSymbol { run: entry >> 12 & 15, value: entry as i32 >> 16 });
        }
        let (symbol, length) = match entry & 31 {
            0 => self.code.symbol(bits.peek16())?,
            length => ((entry >> 8) as u8, length),
        };
        bits.consume(length);
        let size = u32::from(symbol & 15);
        Some(BandSymbol { run: u32::from(symbol >> 4), value: extend(bits.take(size), size) })
    }
}

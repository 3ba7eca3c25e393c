//! A lookup table for DC differences.

use crate::bit_reader::BitReader;
use crate::huffman::{HuffmanCode, extend};

/// Bits that index the table.
const DC_BITS: u32 = 10;

/// Decodes the first coefficient (DC) of a block, as the difference from the previous block.
#[derive(Debug, Clone)]
pub(crate) struct DcTable {
    entries: Box<[u32; 1 << DC_BITS]>,
    code: HuffmanCode,
}

impl DcTable {
    /// Flag of an entry in which only the code fits: it holds the number's size in place of the number.
    const CODE: u32 = 1 << 8;

    pub fn new(code: &HuffmanCode) -> Self {
        let mut entries = Box::new([0; 1 << DC_BITS]);
        for (pattern, (entry, found)) in (0_u32..).zip(entries.iter_mut().zip(code.prefixes(DC_BITS))) {
            let Some((size, length)) = found else { continue };
            let size = u32::from(size);
            *entry = match DC_BITS.checked_sub(length + size) {
                Some(rest) => (extend(pattern >> rest & ((1 << size) - 1), size) as u32) << 16 | (length + size),
                None => size << 16 | Self::CODE | length,
            };
        }
        Self { entries, code: code.clone() }
    }

    /// Reads a difference. `None` if the code is invalid.
    #[inline(always)]
    pub fn read(&self, bits: &mut BitReader) -> Option<i32> {
        let entry = self.entries[(bits.buffer >> (64 - DC_BITS)) as usize];
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

//! Huffman codes as a file defines them.

use crate::Error;

/// A Huffman code (T.81, annex C).
#[derive(Debug, Clone)]
pub(crate) struct HuffmanCode {
    /// By length: the first 16-bit pattern after all codes of this length.
    limits: [u32; 17],
    /// By length: the difference between the index of a symbol and its code.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl HuffmanCode {
    /// `counts` are the numbers of codes with 1 to 16 bits.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Error> {
        let (mut limits, mut offsets) = ([0; 17], [0; 17]);
        let (mut code, mut index) = (0_u32, 0_i32);
        for (length, &count) in (1_u32..).zip(counts) {
            offsets[length as usize] = index - code as i32;
            code += u32::from(count);
            index += i32::from(count);
            if code > 1 << length {
                return Err(Error::Corrupt("too many Huffman codes"));
            }
            limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        if index as usize != symbols.len() {
            return Err(Error::Corrupt("Huffman codes without symbols"));
        }
        Ok(Self { limits, offsets, symbols: symbols.to_vec() })
    }

    /// Decodes the code at the start of `bits` (16 bits): the symbol, and the length of the code.
    pub fn symbol(&self, bits: u32) -> Option<(u8, u32)> {
        let length = (1..=16_u32).find(|&length| bits < self.limits[length as usize])?;
        let index = (bits >> (16 - length)) as i32 + self.offsets[length as usize];
        Some((*self.symbols.get(usize::try_from(index).ok()?)?, length))
    }

    /// By each pattern of `bits` bits: the symbol and length of the code at its start, if it fits.
    pub fn prefixes(&self, bits: u32) -> Vec<Option<(u8, u32)>> {
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

    /// Whether every symbol is a valid size of a DC difference.
    pub fn is_valid_for_dc(&self) -> bool {
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

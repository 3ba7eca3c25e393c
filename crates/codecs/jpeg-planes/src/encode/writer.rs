//! Writes markers and entropy-coded data (T.81, annex B).

use super::huffman::HuffmanTable;
use super::token::Token;

pub(super) struct Writer {
    bytes: Vec<u8>,
    /// Bits that are not written yet, at the bottom; fewer than 32.
    pending: u64,
    count: u32,
}

impl Writer {
    pub fn new() -> Self {
        Self { bytes: vec![0xff, 0xd8], pending: 0, count: 0 }
    }

    fn segment(&mut self, marker: u8, parts: &[&[u8]]) {
        let length: usize = 2 + parts.iter().map(|part| part.len()).sum::<usize>();
        self.bytes.extend([0xff, marker]);
        self.bytes.extend((length as u16).to_be_bytes());
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
    }

    pub fn headers(&mut self, (width, height): (u16, u16), tables: &[[u8; 64]; 2], codes: &[HuffmanTable; 4]) {
        self.segment(0xe0, &[b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"]);
        self.segment(0xdb, &[&[0], &tables[0], &[1], &tables[1]]);
        let components = [1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
        self.segment(0xc0, &[&[8], &height.to_be_bytes(), &width.to_be_bytes(), &[3], &components]);
        for (code, class_and_index) in codes.iter().zip([0x00, 0x10, 0x01, 0x11]) {
            self.segment(0xc4, &[&[class_and_index], &code.counts, &code.symbols]);
        }
        self.segment(0xda, &[&[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]]);
    }

    pub fn tokens(&mut self, tokens: &[Token], codes: &[HuffmanTable; 4]) {
        self.bytes.reserve(tokens.len());
        for token in tokens {
            let symbol = token.symbol();
            let (word, length) = codes[token.table()].word(symbol);
            let size = u32::from(symbol & 15);
            // A code word and its bits are at most 27 bits.
            self.pending = self.pending << (length + size) | u64::from(word << size | token.bits());
            self.count += length + size;
            if self.count >= 32 {
                self.count -= 32;
                self.put((self.pending >> self.count) as u32);
            }
        }
    }

    #[inline]
    fn put(&mut self, bits: u32) {
        let bytes = bits.to_be_bytes();
        // No byte is 0xFF if none of them overflows when 1 is added.
        if (bits & !bits.wrapping_add(0x0101_0101) & 0x8080_8080) == 0 {
            self.bytes.extend_from_slice(&bytes);
        } else {
            bytes.into_iter().for_each(|byte| self.push_stuffed(byte));
        }
    }

    fn push_stuffed(&mut self, byte: u8) {
        self.bytes.push(byte);
        if byte == 0xff {
            self.bytes.push(0);
        }
    }

    /// Fills the last byte with ones and writes the end-of-image marker.
    pub fn finish(mut self) -> Vec<u8> {
        while self.count > 0 {
            let missing = 8_u32.saturating_sub(self.count);
            let bits = self.pending << missing | ((1 << missing) - 1);
            let surplus = self.count.saturating_sub(8);
            self.push_stuffed((bits >> surplus) as u8);
            self.count = surplus;
        }
        self.bytes.extend([0xff, 0xd9]);
        self.bytes
    }
}

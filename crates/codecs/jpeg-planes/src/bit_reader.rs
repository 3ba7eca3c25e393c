//! Reads bits of the entropy-coded data.

use crate::Error;

/// More bytes than one MCU can take: 6 blocks of 64 coefficients with at most 31 bits each.
const MAX_MCU_BYTES: usize = 2048;
/// Capacity of the window. A power of two, because indices are masked.
const WINDOW_BYTES: usize = 1 << 15;
/// Bytes copied at once.
const CHUNK_BYTES: usize = 32;

/// The position in the data and the next bits. Small enough to stay in registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BitReader {
    /// The next bits, the first one at the top.
    pub buffer: u64,
    /// Number of valid bits in `buffer`. The bits below are correct or zero.
    count: u32,
    /// Index of the first byte in the window that `count` does not cover.
    next: usize,
}

impl BitReader {
    /// A reader with these bits and no window.
    #[cfg(test)]
    pub fn from_bits(buffer: u64) -> Self {
        Self { buffer, count: 63, next: 0 }
    }

    /// Fills the buffer to at least 56 bits.
    #[inline(always)]
    pub fn refill(&mut self, window: &Window<'_>) {
        self.buffer |= window.word(self.next) >> self.count;
        self.next += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    #[inline(always)]
    pub fn consume(&mut self, count: u32) {
        self.buffer <<= count;
        self.count -= count;
    }

    /// Consumes and returns `count` bits, at most 16.
    #[inline(always)]
    pub fn take(&mut self, count: u32) -> u32 {
        let taken = (self.buffer >> 48) as u32 >> (16 - count);
        self.consume(count);
        taken
    }

    /// The next 16 bits.
    #[inline(always)]
    pub fn peek16(&self) -> u32 {
        (self.buffer >> 48) as u32
    }
}

/// A section of the entropy-coded data, without the zeros that are stuffed after 0xFF.
///
/// One bits follow the end of the data. No complete code consists of ones, so a decoder that reads
/// past the end fails soon, and [`Window::check_bounds`] reports it.
pub(crate) struct Window<'a> {
    source: &'a [u8],
    /// Index of the next source byte to copy.
    at: usize,
    bytes: Box<[u8; WINDOW_BYTES + 8]>,
    /// End of the copied bytes.
    end: usize,
    stop: Option<Stop>,
}

/// The reason why no more data can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Marker(u8),
    EndOfFile,
}

impl<'a> Window<'a> {
    /// Starts to read `source` at the index `at`.
    pub fn new(source: &'a [u8], at: usize) -> (Self, BitReader) {
        let mut window = Self { source, at, bytes: Box::new([0; WINDOW_BYTES + 8]), end: 0, stop: None };
        let mut bits = BitReader { buffer: 0, count: 0, next: 0 };
        window.fill(&mut bits);
        (window, bits)
    }

    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let at = at & (WINDOW_BYTES - 1);
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[at..at + 8]);
        u64::from_be_bytes(word)
    }

    /// Copies more data if the next MCU might need it. Call it before each MCU.
    #[inline(always)]
    pub fn ensure_mcu(&mut self, bits: &mut BitReader) {
        if bits.next + MAX_MCU_BYTES > self.end && self.stop.is_none() {
            self.fill(bits);
        }
    }

    /// Fails if bits past the end of the data were consumed. Call it after each MCU.
    #[inline(always)]
    pub fn check_bounds(&self, bits: BitReader) -> Result<(), Error> {
        if self.is_past_end(bits) { Err(self.end_error()) } else { Ok(()) }
    }

    #[inline(always)]
    fn is_past_end(&self, bits: BitReader) -> bool {
        bits.next * 8 > self.end * 8 + bits.count as usize
    }

    /// The error for data that ends too early.
    fn end_error(&self) -> Error {
        match self.stop {
            Some(Stop::Marker(0xd0..=0xd7)) => Error::Corrupt("too little data before a restart marker"),
            _ => Error::Truncated,
        }
    }

    /// The error for an invalid code at `bits`.
    #[cold]
    pub fn invalid_code_error(&self, bits: BitReader) -> Error {
        // The end of the data may have cut the code off.
        let left = (self.end * 8 + bits.count as usize).saturating_sub(bits.next * 8);
        if left < 16 && self.stop.is_some() { self.end_error() } else { Error::Corrupt("invalid entropy-coded data") }
    }

    #[cold]
    #[inline(never)]
    fn fill(&mut self, bits: &mut BitReader) {
        // The bits below the valid ones may come from past the end.
        bits.buffer &= !(u64::MAX.checked_shr(bits.count).unwrap_or(0));
        let rest = bits.next.min(self.end)..self.end;
        self.end = rest.len();
        self.bytes.copy_within(rest, 0);
        bits.next = 0;

        while self.end < WINDOW_BYTES - MAX_MCU_BYTES - CHUNK_BYTES {
            if let Some(chunk) = self.source.get(self.at..).and_then(<[u8]>::first_chunk::<CHUNK_BYTES>)
                && !chunk.iter().fold(false, |found, &byte| found | (byte == 0xff))
            {
                self.bytes[self.end..self.end + CHUNK_BYTES].copy_from_slice(chunk);
                self.end += CHUNK_BYTES;
                self.at += CHUNK_BYTES;
                continue;
            }
            // A chunk with an 0xFF is copied byte by byte.
            for _ in 0..CHUNK_BYTES {
                let Some(&byte) = self.source.get(self.at) else { return self.stop(Stop::EndOfFile) };
                if byte == 0xff {
                    let fill_bytes = self.source[self.at..].iter().take_while(|&&byte| byte == 0xff).count();
                    match self.source.get(self.at + fill_bytes) {
                        Some(0x00) => self.at += fill_bytes,
                        Some(&marker) => return self.stop(Stop::Marker(marker)),
                        None => return self.stop(Stop::EndOfFile),
                    }
                }
                self.bytes[self.end] = byte;
                self.end += 1;
                self.at += 1;
            }
        }
    }

    fn stop(&mut self, stop: Stop) {
        self.stop = Some(stop);
        self.bytes[self.end..self.end + MAX_MCU_BYTES].fill(0xff);
    }

    /// Skips the remaining data and returns what follows it.
    fn skip_to_stop(&mut self) -> Stop {
        loop {
            match self.stop {
                Some(stop) => return stop,
                None => self.fill(&mut BitReader { buffer: 0, count: 0, next: self.end }),
            }
        }
    }

    /// Continues after the restart marker with this number (0 to 7).
    pub fn restart(&mut self, number: u8) -> Result<BitReader, Error> {
        match self.skip_to_stop() {
            Stop::Marker(marker) if marker == 0xd0 + number => {}
            Stop::Marker(0xd0..=0xd7) => return Err(Error::Corrupt("a restart marker out of order")),
            _ => return Err(Error::Truncated),
        }
        self.at += self.source[self.at..].iter().take_while(|&&byte| byte == 0xff).count() + 1;
        self.stop = None;
        self.end = 0;
        let mut bits = BitReader { buffer: 0, count: 0, next: 0 };
        self.fill(&mut bits);
        Ok(bits)
    }

    /// Skips the remaining data and returns the index of the marker after it, or of the end of the file.
    pub fn finish(&mut self) -> usize {
        self.skip_to_stop();
        self.at
    }
}

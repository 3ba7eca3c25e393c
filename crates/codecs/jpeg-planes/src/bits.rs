//! Entropy-coded data as a stream of bits.

use crate::Error;

/// More than one MCU can take: 6 blocks of 64 coefficients, each a code and a number of 31 bits.
const MARGIN: usize = 2048;
/// A power of two, for the index of a byte in it is masked.
const WINDOW: usize = 1 << 15;
/// Bytes copied at once.
const CHUNK: usize = 32;

/// The bits at hand. Small enough to live in registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits {
    /// The next ones, the very next at the top.
    pub ahead: u64,
    /// How many of them are valid. Those below are right or zero.
    count: u32,
    /// The window's first byte that `count` does not cover.
    next: usize,
}

impl Bits {
    /// So many as there are at most.
    #[cfg(test)]
    pub fn of(ahead: u64) -> Self {
        Self { ahead, count: 63, next: 0 }
    }

    /// At least 56 bits afterwards.
    #[inline(always)]
    pub fn refill(&mut self, window: &Window<'_>) {
        self.ahead |= window.word(self.next) >> self.count;
        self.next += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    #[inline(always)]
    pub fn consume(&mut self, count: u32) {
        self.ahead <<= count;
        self.count -= count;
    }

    /// Takes `count` bits, at most 16.
    #[inline(always)]
    pub fn take(&mut self, count: u32) -> u32 {
        let taken = (self.ahead >> 48) as u32 >> (16 - count);
        self.consume(count);
        taken
    }

    /// The next 16.
    #[inline(always)]
    pub fn peek16(&self) -> u32 {
        (self.ahead >> 48) as u32
    }
}

/// A stretch of the data, without the zeros that are stuffed behind 0xFF.
///
/// Where the data ends, ones follow, which no complete code consists of: who reads on fails soon,
/// and finds out by [`Window::check`].
pub(crate) struct Window<'a> {
    source: &'a [u8],
    /// The next byte of the source to be copied.
    at: usize,
    bytes: Box<[u8; WINDOW + 8]>,
    /// Where the copied bytes end.
    end: usize,
    stop: Option<Stop>,
}

/// What the data stopped at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Marker(u8),
    EndOfFile,
}

impl<'a> Window<'a> {
    /// Reads `source` from `at` on.
    pub fn new(source: &'a [u8], at: usize) -> (Self, Bits) {
        let mut window = Self { source, at, bytes: Box::new([0; WINDOW + 8]), end: 0, stop: None };
        let mut bits = Bits { ahead: 0, count: 0, next: 0 };
        window.fill(&mut bits);
        (window, bits)
    }

    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let at = at & (WINDOW - 1);
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[at..at + 8]);
        u64::from_be_bytes(word)
    }

    /// To be called before each MCU: afterwards there are bits for all of it.
    #[inline(always)]
    pub fn provide(&mut self, bits: &mut Bits) {
        if bits.next + MARGIN > self.end && self.stop.is_none() {
            self.fill(bits);
        }
    }

    /// To be called after each MCU: were its bits all in the file?
    #[inline(always)]
    pub fn check(&self, bits: Bits) -> Result<(), Error> {
        if self.is_past_end(bits) { Err(self.shortage()) } else { Ok(()) }
    }

    #[inline(always)]
    fn is_past_end(&self, bits: Bits) -> bool {
        bits.next * 8 > self.end * 8 + bits.count as usize
    }

    /// What it means that the data was not enough.
    fn shortage(&self) -> Error {
        match self.stop {
            Some(Stop::Marker(0xd0..=0xd7)) => Error::Corrupt("too little data before a restart"),
            _ => Error::Truncated,
        }
    }

    /// What it means that the data before `bits`, or the next ones, make no sense.
    #[cold]
    pub fn judge(&self, bits: Bits) -> Error {
        // A code may have been cut by the end.
        let left = (self.end * 8 + bits.count as usize).saturating_sub(bits.next * 8);
        if left < 16 && self.stop.is_some() { self.shortage() } else { Error::Corrupt("data that is no picture") }
    }

    #[cold]
    #[inline(never)]
    fn fill(&mut self, bits: &mut Bits) {
        // What lies below the valid bits may have come from behind the end.
        bits.ahead &= !(u64::MAX.checked_shr(bits.count).unwrap_or(0));
        let rest = bits.next.min(self.end)..self.end;
        self.end = rest.len();
        self.bytes.copy_within(rest, 0);
        bits.next = 0;

        while self.end < WINDOW - MARGIN - CHUNK {
            if let Some(chunk) = self.source.get(self.at..).and_then(<[u8]>::first_chunk::<CHUNK>)
                && !chunk.iter().fold(false, |found, &byte| found | (byte == 0xff))
            {
                self.bytes[self.end..self.end + CHUNK].copy_from_slice(chunk);
                self.end += CHUNK;
                self.at += CHUNK;
                continue;
            }
            // One byte after the other, up to and with an 0xFF.
            for _ in 0..CHUNK {
                let Some(&byte) = self.source.get(self.at) else { return self.stop(Stop::EndOfFile) };
                if byte == 0xff {
                    let fills = self.source[self.at..].iter().take_while(|&&byte| byte == 0xff).count();
                    match self.source.get(self.at + fills) {
                        Some(0x00) => self.at += fills,
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
        self.bytes[self.end..self.end + MARGIN].fill(0xff);
    }

    /// Goes to the next marker, over data that nobody wanted, and returns it.
    fn marker(&mut self) -> Result<u8, Error> {
        loop {
            match self.stop {
                Some(Stop::Marker(marker)) => return Ok(marker),
                Some(Stop::EndOfFile) => return Err(Error::Truncated),
                None => self.fill(&mut Bits { ahead: 0, count: 0, next: self.end }),
            }
        }
    }

    /// Goes on behind the restart marker of this number.
    pub fn restart(&mut self, number: u8) -> Result<Bits, Error> {
        if self.marker()? != 0xd0 + number {
            return Err(match self.stop {
                Some(Stop::Marker(0xd0..=0xd7)) => Error::Corrupt("a restart out of turn"),
                _ => Error::Truncated,
            });
        }
        self.at += self.source[self.at..].iter().take_while(|&&byte| byte == 0xff).count() + 1;
        self.stop = None;
        self.end = 0;
        let mut bits = Bits { ahead: 0, count: 0, next: 0 };
        self.fill(&mut bits);
        Ok(bits)
    }

    /// Where the marker behind the data is.
    pub fn finish(&mut self) -> Result<usize, Error> {
        self.marker()?;
        Ok(self.at)
    }
}

/// Bits that were written by their probabilities (RFC 6386, section 7).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bools<'a> {
    data: &'a [u8],
    /// Bits of which `count` + 8 are valid.
    value: u64,
    count: i32,
    /// 128 to 255.
    range: u32,
    /// Whether more has been wanted than there is.
    past_end: bool,
}

impl<'a> Bools<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, value: 0, count: -8, range: 255, past_end: false }
    }

    /// Whether more has been wanted than there is: what was read last may mean nothing.
    pub fn is_past_end(&self) -> bool {
        self.past_end
    }

    /// A bit which is zero with this probability, of 256.
    #[inline(always)]
    pub fn read(&mut self, probability: u8) -> bool {
        if self.count < 0 {
            self.fill();
        }
        // The range is kept as it is, and compared as one less.
        let split = ((self.range - 1) * u32::from(probability)) >> 8;
        let bit = (self.value >> self.count) as u32 > split;
        if bit {
            self.range -= split + 1;
            self.value -= u64::from(split + 1) << self.count;
        } else {
            self.range = split + 1;
        }
        let shift = self.range.leading_zeros() - 24;
        self.range <<= shift;
        self.count -= shift as i32;
        bit
    }

    #[inline(always)]
    fn fill(&mut self) {
        if let Some((chunk, _)) = self.data.split_first_chunk::<8>() {
            self.value = self.value << 56 | u64::from_be_bytes(*chunk) >> 8;
            self.count += 56;
            self.data = &self.data[7..];
        } else {
            self.fill_slowly();
        }
    }

    #[cold]
    fn fill_slowly(&mut self) {
        let byte = match self.data.split_first() {
            Some((&byte, rest)) => {
                self.data = rest;
                byte
            }
            None => {
                self.past_end = true;
                0
            }
        };
        self.value = self.value << 8 | u64::from(byte);
        self.count += 8;
    }

    /// A bit that is as likely as not.
    #[inline(always)]
    pub fn flag(&mut self) -> bool {
        self.read(128)
    }

    /// A number of so many bits, the highest first.
    pub fn number(&mut self, bits: u32) -> i32 {
        (0..bits).fold(0, |number, _| number << 1 | i32::from(self.flag()))
    }

    /// A number and its sign, if a bit says that it is there.
    pub fn optional(&mut self, bits: u32) -> Option<i32> {
        self.flag().then(|| {
            let number = self.number(bits);
            if self.flag() { -number } else { number }
        })
    }
}

/// Decodes bits that are arithmetically coded with a probability each (RFC 6386, section 7).
#[derive(Debug, Clone, Copy)]
pub(crate) struct BoolDecoder<'a> {
    data: &'a [u8],
    /// The bits at hand, of which `count` + 8 are valid.
    value: u64,
    count: i32,
    /// The range minus one: 127 to 254.
    range: u32,
    past_end: bool,
}

impl<'a> BoolDecoder<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, value: 0, count: -8, range: 254, past_end: false }
    }

    /// Whether bits past the end of the data were read. Their values are meaningless.
    pub fn is_past_end(&self) -> bool {
        self.past_end
    }

    /// Reads a bit that is zero with a probability of `probability` / 256.
    #[inline(always)]
    pub fn read(&mut self, probability: u8) -> bool {
        if self.count < 0 {
            self.fill();
        }
        let split = (self.range * u32::from(probability)) >> 8;
        let above = u64::from(split + 1) << self.count;
        match self.value.checked_sub(above) {
            Some(value) => {
                self.value = value;
                self.normalise(self.range - split);
                true
            }
            None => {
                self.normalise(split + 1);
                false
            }
        }
    }

    #[inline(always)]
    fn normalise(&mut self, range: u32) {
        let shift = range.leading_zeros().wrapping_sub(24);
        self.count -= shift as i32;
        self.range = range.wrapping_shl(shift) - 1;
    }

    /// Reads a sign and returns `number` with it. Signs are unpredictable, so this uses no branch.
    /// Must not read the first bit of the data: a range of 255 would be halved incorrectly.
    #[inline(always)]
    pub fn sign(&mut self, number: i32) -> i32 {
        if self.count < 0 {
            self.fill();
        }
        let split = self.range >> 1;
        // All ones if the bit is set. It wraps if malformed data starts with a value beyond the range.
        let mask = (split as i32).wrapping_sub((self.value >> self.count) as i32) >> 31;
        self.value -= ((u64::from(split) + 1) & mask as u64) << self.count;
        // Either half of the range is normalised by a shift of one.
        self.range = self.range.wrapping_add(mask as u32) | 1;
        self.count -= 1;
        (number ^ mask) - mask
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

    /// Reads a bit with a probability of one half.
    #[inline(always)]
    pub fn flag(&mut self) -> bool {
        self.read(128)
    }

    /// Reads a number of `bits` bits, the highest first.
    pub fn number(&mut self, bits: u32) -> i32 {
        (0..bits).fold(0, |number, _| number << 1 | i32::from(self.flag()))
    }

    /// Reads a flag and, if it is set, a number of `bits` bits and its sign.
    pub fn optional(&mut self, bits: u32) -> Option<i32> {
        self.flag().then(|| {
            let number = self.number(bits);
            if self.flag() { -number } else { number }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The decoder of section 7.3, which shifts bit by bit.
    struct Reference<'a> {
        data: &'a [u8],
        value: u32,
        range: u32,
        shifted: u32,
    }

    impl<'a> Reference<'a> {
        fn new(data: &'a [u8]) -> Self {
            let mut reference = Self { data, value: 0, range: 255, shifted: 0 };
            reference.value = u32::from(reference.byte()) << 8;
            reference.value |= u32::from(reference.byte());
            reference
        }

        fn byte(&mut self) -> u8 {
            let Some((&byte, rest)) = self.data.split_first() else { return 0 };
            self.data = rest;
            byte
        }

        fn read(&mut self, probability: u8) -> bool {
            let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
            let bit = self.value >= split << 8;
            if bit {
                self.range -= split;
                self.value -= split << 8;
            } else {
                self.range = split;
            }
            while self.range < 128 {
                self.value <<= 1;
                self.range <<= 1;
                self.shifted += 1;
                if self.shifted == 8 {
                    self.shifted = 0;
                    self.value |= u32::from(self.byte());
                }
            }
            bit
        }
    }

    proptest! {
        #[test]
        fn bits_and_signs_of_any_data_equal_the_reference(
            data in prop::collection::vec(any::<u8>(), 0..60),
            reads in prop::collection::vec(prop::option::of(any::<u8>()), 1..400),
        ) {
            // No encoder writes 255 first: the value would be beyond the range.
            prop_assume!(data.first() != Some(&255));
            let (mut decoder, mut reference) = (BoolDecoder::new(&data), Reference::new(&data));
            prop_assert_eq!(decoder.flag(), reference.read(128));
            for probability in reads {
                match probability {
                    Some(probability) => prop_assert_eq!(decoder.read(probability), reference.read(probability)),
                    None => prop_assert_eq!(decoder.sign(7), if reference.read(128) { -7 } else { 7 }),
                }
            }
        }
    }
}

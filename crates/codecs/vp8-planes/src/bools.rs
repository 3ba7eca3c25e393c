/// Bits that were written by their probabilities (RFC 6386, section 7).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bools<'a> {
    data: &'a [u8],
    /// Bits of which `count` + 8 are valid.
    value: u64,
    count: i32,
    /// The range less one: 127 to 254.
    range: u32,
    /// Whether more has been wanted than there is.
    past_end: bool,
}

impl<'a> Bools<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, value: 0, count: -8, range: 254, past_end: false }
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

    /// The number or its negative, as a bit says that is as likely as not: without a branch, for
    /// nothing foretells it. Not for the first bit of all: a range of 255 would not be halved right.
    #[inline(always)]
    pub fn sign(&mut self, number: i32) -> i32 {
        if self.count < 0 {
            self.fill();
        }
        let split = self.range >> 1;
        // All ones if the bit is set. It wraps where data begins as no encoder's does, with a value beyond the range.
        let mask = (split as i32).wrapping_sub((self.value >> self.count) as i32) >> 31;
        self.value -= ((u64::from(split) + 1) & mask as u64) << self.count;
        // Either half is to be shifted by one.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As section 7.3 has it, bit by bit.
    struct Plain<'a> {
        data: &'a [u8],
        value: u32,
        range: u32,
        shifted: u32,
    }

    impl<'a> Plain<'a> {
        fn new(data: &'a [u8]) -> Self {
            let mut plain = Self { data, value: 0, range: 255, shifted: 0 };
            plain.value = u32::from(plain.byte()) << 8;
            plain.value |= u32::from(plain.byte());
            plain
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
        fn bits_and_signs_are_those_of_the_definition(
            data in prop::collection::vec(any::<u8>(), 0..60),
            asked in prop::collection::vec(prop::option::of(any::<u8>()), 1..400),
        ) {
            // No encoder's data begins with 255: the value would not lie within the range.
            prop_assume!(data.first() != Some(&255));
            let (mut bools, mut plain) = (Bools::new(&data), Plain::new(&data));
            prop_assert_eq!(bools.flag(), plain.read(128));
            for probability in asked {
                match probability {
                    Some(probability) => prop_assert_eq!(bools.read(probability), plain.read(probability)),
                    None => prop_assert_eq!(bools.sign(7), if plain.read(128) { -7 } else { 7 }),
                }
            }
        }
    }
}

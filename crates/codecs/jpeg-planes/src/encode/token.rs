/// A symbol to write and the bits after it: the index of the code (8 bits), the symbol (8), the bits (16).
#[derive(Debug, Clone, Copy)]
pub(super) struct Token(u32);

impl Token {
    /// The lower half of `symbol` is the number of `bits`.
    #[inline]
    pub fn new(table: usize, symbol: u8, bits: u16) -> Self {
        Self((table as u32) << 24 | u32::from(symbol) << 16 | u32::from(bits))
    }

    /// A coefficient after `zeros` zeros (T.81, F.1.2.2.1).
    #[inline]
    pub fn number(table: usize, zeros: u8, number: i16) -> Self {
        let size = 16 - number.unsigned_abs().leading_zeros();
        // A negative number is stored as the lowest bits of the number less one.
        let bits = number.wrapping_add(number >> 15) as u16 & ((1_u32 << size) - 1) as u16;
        Self::new(table, zeros << 4 | size as u8, bits)
    }

    /// The index of the code: 0 to 3.
    #[inline]
    pub fn table(self) -> usize {
        (self.0 >> 24 & 3) as usize
    }

    #[inline]
    pub fn symbol(self) -> u8 {
        (self.0 >> 16) as u8
    }

    #[inline]
    pub fn bits(self) -> u32 {
        self.0 & 0xffff
    }
}

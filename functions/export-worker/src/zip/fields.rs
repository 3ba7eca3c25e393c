//! Little-endian fields, and constants of several structures.

/// Sizes follow the content; names are in UTF-8.
pub const FLAGS: u16 = 1 << 3 | 1 << 11;
/// Deflate.
pub const METHOD: u16 = 8;
/// The version that readers need: with directories and deflate, or with the zip64 format.
pub const fn version(is_zip64: bool) -> u16 {
    if is_zip64 { 45 } else { 20 }
}
/// Header id of the zip64 extra field.
pub const ZIP64_EXTRA: u16 = 1;
/// A value that is in the zip64 extra field.
pub const IN_ZIP64: u32 = u32::MAX;

/// Bytes of a structure.
#[derive(Default)]
pub struct Fields(pub Vec<u8>);

impl Fields {
    /// Adds a number of two bytes.
    pub fn u16(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Adds a number of four bytes.
    pub fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Adds a number of eight bytes.
    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Adds bytes.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }
}

/// The length of a name. A name is much shorter than the format allows.
pub fn name_length(name: &str) -> u16 {
    u16::try_from(name.len()).unwrap_or(u16::MAX)
}

/// A number of four bytes, or the mark that it is in the zip64 extra field.
pub fn short(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(IN_ZIP64)
}

//! What stands around the content of an entry.

use super::{
    DosTime,
    blocks::stored_size,
    fields::{FLAGS, Fields, METHOD, ZIP64_EXTRA, name_length, short, version},
};

const LOCAL_HEADER: u32 = 0x0403_4b50;
const DATA_DESCRIPTOR: u32 = 0x0807_4b50;

/// What is known of an entry after its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// CRC-32 of the content.
    pub crc32: u32,
    /// Bytes of the content.
    pub size: u64,
    /// Bytes that it takes in the file.
    pub stored: u64,
}

/// Whether an entry whose content has up to `size` bytes needs sizes of eight bytes.
pub fn needs_zip64(size: u64) -> bool {
    stored_size(size) >= u64::from(u32::MAX)
}

/// The header before the content.
pub fn local_header(name: &str, modified: DosTime, is_zip64: bool) -> Vec<u8> {
    // In the header of a zip64 entry, the extra field announces that the data descriptor has sizes of eight bytes.
    let extra = if is_zip64 { Fields::default().u16(ZIP64_EXTRA).u16(16).u64(0).u64(0).0 } else { Vec::new() };
    // Sizes are 0 here, but those in the extra field are marked.
    let size = if is_zip64 { u32::MAX } else { 0 };
    Fields::default()
        .u32(LOCAL_HEADER)
        .u16(version(is_zip64))
        .u16(FLAGS)
        .u16(METHOD)
        .u16(modified.time())
        .u16(modified.date())
        .u32(0)
        .u32(size)
        .u32(size)
        .u16(name_length(name))
        .u16(if is_zip64 { 20 } else { 0 })
        .bytes(name.as_bytes())
        .bytes(&extra)
        .0
}

/// The data descriptor after the content.
pub fn data_descriptor(content: &Content, is_zip64: bool) -> Vec<u8> {
    let Content { crc32, size, stored } = *content;
    let fields = Fields::default().u32(DATA_DESCRIPTOR).u32(crc32);
    if is_zip64 { fields.u64(stored).u64(size).0 } else { fields.u32(short(stored)).u32(short(size)).0 }
}

//! The central directory at the end of the file.

use super::{
    Content, DosTime,
    fields::{FLAGS, Fields, IN_ZIP64, METHOD, ZIP64_EXTRA, name_length, short, version},
};

const DIRECTORY_HEADER: u32 = 0x0201_4b50;
const ZIP64_END: u32 = 0x0606_4b50;
const ZIP64_LOCATOR: u32 = 0x0706_4b50;
const END: u32 = 0x0605_4b50;
/// Made by a version of Unix, so that the attributes are those of Unix.
const MADE_BY: u16 = 3 << 8 | 45;
/// A regular file that its owner may read and write.
const ATTRIBUTES: u32 = 0o100_600 << 16;
/// Bytes of the fixed fields of the zip64 end after the field with this number.
const ZIP64_END_SIZE: u64 = 44;

/// An entry of the directory.
#[derive(Debug, Clone, Copy)]
pub struct DirectoryEntry<'a> {
    /// Its path.
    pub name: &'a str,
    /// Time of the last change.
    pub modified: DosTime,
    /// Whether its local header announces sizes of eight bytes.
    pub is_zip64: bool,
    /// Position of its local header.
    pub offset: u64,
    /// Its content.
    pub content: Content,
}

impl DirectoryEntry<'_> {
    /// The entry's bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        let Self { name, modified, is_zip64, offset, content: Content { crc32, size, stored } } = self;
        let is_far = offset >= u64::from(IN_ZIP64);
        let mut extra = Fields::default();
        if is_zip64 {
            extra = extra.u64(size).u64(stored);
        }
        if is_far {
            extra = extra.u64(offset);
        }
        let extra = extra.0;
        let length = u16::try_from(extra.len()).unwrap_or_default();
        let extra = match length {
            0 => Vec::new(),
            _ => Fields::default().u16(ZIP64_EXTRA).u16(length).bytes(&extra).0,
        };
        let sizes = if is_zip64 { (IN_ZIP64, IN_ZIP64) } else { (short(stored), short(size)) };
        Fields::default()
            .u32(DIRECTORY_HEADER)
            .u16(MADE_BY)
            .u16(version(is_zip64 || is_far))
            .u16(FLAGS)
            .u16(METHOD)
            .u16(modified.time())
            .u16(modified.date())
            .u32(crc32)
            .u32(sizes.0)
            .u32(sizes.1)
            .u16(name_length(name))
            .u16(u16::try_from(extra.len()).unwrap_or_default())
            // No comment, the first disk, no text.
            .u16(0)
            .u16(0)
            .u16(0)
            .u32(ATTRIBUTES)
            .u32(if is_far { IN_ZIP64 } else { short(offset) })
            .bytes(name.as_bytes())
            .bytes(&extra)
            .0
    }
}

/// The end of a file whose directory has `entries` and takes `size` bytes from `offset`.
pub fn end_of_directory(entries: u64, size: u64, offset: u64) -> Vec<u8> {
    let (short_entries, short_size, short_offset) =
        (u16::try_from(entries).unwrap_or(u16::MAX), short(size), short(offset));
    let is_zip64 = short_entries == u16::MAX || short_size == IN_ZIP64 || short_offset == IN_ZIP64;
    let mut end = Fields::default();
    if is_zip64 {
        let position = offset.saturating_add(size);
        end = end
            .u32(ZIP64_END)
            .u64(ZIP64_END_SIZE)
            .u16(MADE_BY)
            .u16(version(true))
            .u32(0)
            .u32(0)
            .u64(entries)
            .u64(entries)
            .u64(size)
            .u64(offset)
            .u32(ZIP64_LOCATOR)
            .u32(0)
            .u64(position)
            .u32(1);
    }
    end.u32(END).u16(0).u16(0).u16(short_entries).u16(short_entries).u32(short_size).u32(short_offset).u16(0).0
}

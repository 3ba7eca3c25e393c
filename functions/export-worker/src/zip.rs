//! The format of zip files (PKWARE, APPNOTE.TXT 6.3.10), written in one pass.
//!
//! Sizes and checksum of an entry follow its content in a data descriptor, because they are unknown before. Content is
//! stored as deflate blocks without compression: readers that stream find the end of such an entry, but not that of one
//! with method "stored" and a data descriptor. Pictures and sound are compressed already.

mod blocks;
mod directory;
mod dos_time;
mod fields;
mod local;

pub use blocks::{END_BLOCK, write_blocks};
pub use directory::{DirectoryEntry, end_of_directory};
pub use dos_time::DosTime;
pub use local::{Content, data_descriptor, local_header, needs_zip64};

#[cfg(test)]
mod tests;

//! A zip file that is written piece by piece, and whose writing can continue elsewhere.
//!
//! [`ArchiveState`] is all that is needed to continue after the bytes that were taken, beside the directory: its entries
//! are handed out as they are made, and come back at the end.

use crc32fast::Hasher;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::zip::{
    Content, DirectoryEntry, DosTime, END_BLOCK, data_descriptor, end_of_directory, local_header, needs_zip64,
    write_blocks,
};

/// The most bytes of an entry whose size is unknown before it is written.
pub const MAX_UNKNOWN_SIZE: u64 = 4_000_000_000;

/// State of a zip file between two pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveState {
    /// Bytes so far.
    written: u64,
    /// Finished entries.
    entries: u64,
    /// Bytes of their part of the directory.
    directory_size: u64,
    /// The entry that is being written.
    open: Option<OpenEntry>,
    /// Where the directory begins, once it does.
    directory_offset: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OpenEntry {
    name: String,
    modified: DosTime,
    is_zip64: bool,
    offset: u64,
    crc32: u32,
    size: u64,
    stored: u64,
}

/// A zip file that is being written.
#[derive(Debug, Default)]
pub struct Archive {
    state: ArchiveState,
    /// Bytes that were not taken yet.
    bytes: Vec<u8>,
    /// Entries of the directory that were not taken yet.
    directory: Vec<u8>,
}

impl Archive {
    /// Continues a file at `state`, whose last bytes `rest` were taken but not stored in the file.
    pub fn continue_at(state: ArchiveState, rest: Vec<u8>) -> Self {
        Self { state, bytes: rest, directory: Vec::new() }
    }

    /// The state after all bytes.
    pub fn state(&self) -> &ArchiveState {
        &self.state
    }

    /// Number of bytes that were not taken.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// All bytes of the file so far.
    pub fn written(&self) -> u64 {
        self.state.written
    }

    /// Number of finished entries.
    pub fn entries(&self) -> u64 {
        self.state.entries
    }

    /// Bytes of the content of the open entry.
    pub fn open_size(&self) -> u64 {
        self.state.open.as_ref().map_or(0, |open| open.size)
    }

    /// Takes the bytes since the last call.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Takes the entries of the directory since the last call. All of them, in this order, are to be given to
    /// [`Self::add_directory`].
    pub fn take_directory(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.directory)
    }

    /// Begins an entry with content of `size` bytes, or at most [`MAX_UNKNOWN_SIZE`]. The one before is finished.
    pub fn begin(&mut self, name: String, modified: Timestamp, size: Option<u64>) {
        let (modified, is_zip64) = (DosTime::of(modified), needs_zip64(size.unwrap_or_default()));
        let offset = self.state.written;
        self.add(&local_header(&name, modified, is_zip64));
        self.state.open = Some(OpenEntry { name, modified, is_zip64, offset, crc32: 0, size: 0, stored: 0 });
    }

    /// Adds content to the open entry.
    pub fn write(&mut self, content: &[u8]) {
        let Some(open) = &mut self.state.open else { return };
        let mut hasher = Hasher::new_with_initial_len(open.crc32, open.size);
        hasher.update(content);
        open.crc32 = hasher.finalize();
        open.size += content.len() as u64;
        let stored = write_blocks(content, &mut self.bytes);
        open.stored += stored;
        self.state.written += stored;
    }

    /// Finishes the open entry.
    pub fn end(&mut self) {
        let Some(OpenEntry { name, modified, is_zip64, offset, crc32, size, stored }) = self.state.open.take() else {
            return;
        };
        let content = Content { crc32, size, stored: stored + END_BLOCK.len() as u64 };
        self.add(&END_BLOCK);
        self.add(&data_descriptor(&content, is_zip64));
        let entry = DirectoryEntry { name: &name, modified, is_zip64, offset, content }.to_bytes();
        self.state.entries += 1;
        self.state.directory_size += entry.len() as u64;
        self.directory.extend(entry);
    }

    /// Adds a part of the directory, after all entries.
    pub fn add_directory(&mut self, entries: &[u8]) {
        self.state.directory_offset.get_or_insert(self.state.written);
        self.add(entries);
    }

    /// Ends the file, after the whole directory. Returns whether the directory is complete.
    pub fn finish(&mut self) -> bool {
        let ArchiveState { written, entries, directory_size, .. } = self.state;
        let offset = self.state.directory_offset.unwrap_or(written);
        self.add(&end_of_directory(entries, directory_size, offset));
        written.checked_sub(offset) == Some(directory_size)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.state.written += bytes.len() as u64;
    }
}

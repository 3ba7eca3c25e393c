//! Reads boxes (ISO/IEC 14496-12, 4.2).

use std::io::{Read, Seek};

use crate::{error::SoundError, source::Source};

/// The most boxes that are read. Each costs a read of the source, so a hostile file must not have more.
const MAX_BOXES: u32 = 4096;

#[derive(Debug, Clone, Copy)]
pub(super) struct Mp4Box {
    pub kind: [u8; 4],
    /// The range of its content, in bytes.
    pub start: u64,
    pub end: u64,
}

/// Reads a limited number of boxes.
pub(super) struct BoxReader<'s, S> {
    pub source: &'s mut Source<S>,
    boxes: u32,
}

impl<'s, S: Read + Seek> BoxReader<'s, S> {
    pub fn new(source: &'s mut Source<S>) -> Self {
        Self { source, boxes: 0 }
    }

    /// The box at `position` within a range that ends at `end`; `None` if fewer than 8 bytes are left.
    pub fn header(&mut self, position: u64, end: u64) -> Result<Option<Mp4Box>, SoundError> {
        self.boxes += 1;
        if self.boxes > MAX_BOXES {
            return Err(SoundError::corrupt("too many boxes"));
        }
        if end.saturating_sub(position) < 8 {
            return Ok(None);
        }
        let [a, b, c, d, kind @ ..] = self.source.array_at::<8>(position)?;
        let (header, length) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (8, end - position),
            1 => (16, u64::from_be_bytes(self.source.array_at(position + 8)?)),
            length => (8, u64::from(length)),
        };
        if length < header {
            return Err(SoundError::corrupt("a box is shorter than its header"));
        }
        Ok(Some(Mp4Box { kind, start: position + header, end: position.saturating_add(length) }))
    }

    /// The child at `position` of a box; `None` after the last one.
    pub fn child(&mut self, parent: Mp4Box, position: u64) -> Result<Option<Mp4Box>, SoundError> {
        let child = self.header(position, parent.end)?;
        if child.is_some_and(|child| child.end > parent.end) {
            return Err(SoundError::corrupt("a box is longer than its parent"));
        }
        Ok(child)
    }

    /// The first child of a kind, at or after `position`.
    pub fn find(&mut self, parent: Mp4Box, kind: &[u8; 4], mut position: u64) -> Result<Option<Mp4Box>, SoundError> {
        while let Some(child) = self.child(parent, position)? {
            if child.kind == *kind {
                return Ok(Some(child));
            }
            position = child.end;
        }
        Ok(None)
    }

    /// `N` bytes of the content, `offset` bytes after its start.
    pub fn field<const N: usize>(&mut self, leaf: Mp4Box, offset: u64) -> Result<[u8; N], SoundError> {
        if leaf.end - leaf.start < offset + N as u64 {
            return Err(SoundError::corrupt("a box is too short"));
        }
        self.source.array_at(leaf.start + offset)
    }

    pub fn u32(&mut self, leaf: Mp4Box, offset: u64) -> Result<u32, SoundError> {
        Ok(u32::from_be_bytes(self.field(leaf, offset)?))
    }

    /// The number after the creation and modification times.
    pub fn u32_after_times(&mut self, leaf: Mp4Box) -> Result<u32, SoundError> {
        let offset = if self.is_version_1(leaf)? { 20 } else { 12 };
        self.u32(leaf, offset)
    }

    /// Version 1 has 64-bit times, version 0 has 32-bit times.
    pub fn is_version_1(&mut self, leaf: Mp4Box) -> Result<bool, SoundError> {
        Ok(self.field::<1>(leaf, 0)? == [1])
    }
}

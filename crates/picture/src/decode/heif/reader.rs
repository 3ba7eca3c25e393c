//! Reads big-endian fields and boxes (ISO/IEC 14496-12, section 4.2).

use crate::PictureError;

/// A reader of a box's content; contains the bytes that are not read yet.
#[derive(Clone, Copy)]
pub(super) struct BoxReader<'a>(pub &'a [u8]);

/// The type and the content of a box.
pub(super) type TypedBox<'a> = ([u8; 4], &'a [u8]);

impl<'a> BoxReader<'a> {
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], PictureError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(short)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number of `bytes` bytes, at most 8. A number of 0 bytes is 0.
    pub fn number(&mut self, bytes: usize) -> Result<u64, PictureError> {
        Ok(self.take(bytes)?.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
    }

    pub fn u8(&mut self) -> Result<u8, PictureError> {
        Ok(self.take(1)?[0])
    }

    pub fn u16(&mut self) -> Result<u16, PictureError> {
        Ok(self.number(2)? as u16)
    }

    pub fn u32(&mut self) -> Result<u32, PictureError> {
        Ok(self.number(4)? as u32)
    }

    /// A type of four letters.
    pub fn fourcc(&mut self) -> Result<[u8; 4], PictureError> {
        self.0.split_first_chunk().map(|(fourcc, rest)| (self.0 = rest, *fourcc).1).ok_or_else(short)
    }

    /// The header of a "full box".
    pub fn version_and_flags(&mut self) -> Result<(u8, u32), PictureError> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0xff_ffff))
    }

    /// The next box, or `None` at the end.
    pub fn next_box(&mut self) -> Result<Option<TypedBox<'a>>, PictureError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (length, name) = (self.u32()?, self.fourcc()?);
        let content = match length {
            0 => self.take(self.0.len())?,
            1 => {
                let content = self.number(8)?.checked_sub(16).ok_or_else(short)?;
                self.take(usize::try_from(content).map_err(|_| short())?)?
            }
            _ => self.take((length as usize).checked_sub(8).ok_or_else(short)?)?,
        };
        Ok(Some((name, content)))
    }
}

fn short() -> PictureError {
    PictureError::corrupt("a box longer than its container")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn box_of_each_length_encoding_is_read() {
        let mut bytes = b"\0\0\0\x0aaaaaxy\0\0\0\x01bbbb\0\0\0\0\0\0\0\x11z\0\0\0\0ccccrest".to_vec();
        let mut reader = BoxReader(&bytes);
        assert_eq!(reader.next_box().unwrap(), Some((*b"aaaa", &b"xy"[..])));
        assert_eq!(reader.next_box().unwrap(), Some((*b"bbbb", &b"z"[..])));
        assert_eq!(reader.next_box().unwrap(), Some((*b"cccc", &b"rest"[..])));
        assert_eq!(reader.next_box().unwrap(), None);
        for length in [1, 7, 200] {
            bytes[3] = length;
            assert!(BoxReader(&bytes[..10]).next_box().is_err(), "{length}");
        }
    }
}

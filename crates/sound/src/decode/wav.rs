//! Whether a WAV file holds as much as its header says.

use std::io::{Read, Seek};

use crate::{SoundError, source::Source};

/// More chunks than that before the sound are a trap: each costs a read.
const MOST_CHUNKS: usize = 256;
/// What writers put where they could not know the length yet is near a power of two.
const MARKERS_FROM: u64 = 0x7fff_0000;

/// `Truncated` if the sound ends early. A header without a length, as writers leave it that cannot
/// go back (or that died), is for a decoder that ignores lengths; the one here knows but one way
/// to write "unknown".
pub(crate) fn check_length<S: Read + Seek>(source: &mut Source<S>, start: u64) -> Result<(), SoundError> {
    let [_, _, _, _, whole @ ..] = source.array_at::<8>(start)?;
    let mut position = start + 12;
    for _ in 0..MOST_CHUNKS {
        let [i, d, i2, d2, length @ ..] = source.array_at::<8>(position)?;
        let length = u64::from(u32::from_le_bytes(length));
        let content = position + 8;
        let there = source.length() - content;
        if [i, d, i2, d2] != *b"data" {
            position = content + length + length % 2;
            continue;
        }
        return match length {
            _ if length == u64::from(u32::MAX) && whole == [0xff; 4] => Ok(()),
            0 if there > 0 => Err(SoundError::other_decoder("a WAV without a length")),
            _ if length <= there => Ok(()),
            _ if length >= MARKERS_FROM => Err(SoundError::other_decoder("a WAV without a length")),
            _ => Err(SoundError::Truncated),
        };
    }
    Err(SoundError::corrupt("too many chunks"))
}

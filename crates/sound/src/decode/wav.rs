//! Checks the length of a WAV file's samples against its header.

use std::io::{Read, Seek};

use crate::{error::SoundError, source::Source};

/// The most chunks before the samples. Each costs a read of the source, so a hostile file must not have more.
const MAX_CHUNKS: usize = 256;
/// Lengths from here on are placeholders for an unknown length. Writers use values near a power of two.
const MIN_PLACEHOLDER: u64 = 0x7fff_0000;

/// Checks the length of the `data` chunk.
///
/// # Errors
/// `Truncated` if the samples end early. `NeedsOtherDecoder` for a placeholder length, as written to a pipe or
/// by an interrupted recorder: symphonia accepts only one such placeholder.
pub(crate) fn check_length<S: Read + Seek>(source: &mut Source<S>, start: u64) -> Result<(), SoundError> {
    let [_, _, _, _, riff_length @ ..] = source.array_at::<8>(start)?;
    let mut position = start + 12;
    for _ in 0..MAX_CHUNKS {
        let [a, b, c, d, length @ ..] = source.array_at::<8>(position)?;
        let length = u64::from(u32::from_le_bytes(length));
        let content = position + 8;
        let available = source.length() - content;
        if [a, b, c, d] != *b"data" {
            position = content + length + length % 2;
            continue;
        }
        return match length {
            _ if length == u64::from(u32::MAX) && riff_length == [0xff; 4] => Ok(()),
            0 if available > 0 => Err(SoundError::other_decoder("a WAV without a length")),
            _ if length <= available => Ok(()),
            _ if length >= MIN_PLACEHOLDER => Err(SoundError::other_decoder("a WAV without a length")),
            _ => Err(SoundError::Truncated),
        };
    }
    Err(SoundError::corrupt("too many chunks"))
}

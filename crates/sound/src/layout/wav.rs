//! Finds the samples of a WAV, whatever the sizes in its headers say.

use std::{
    io::{Read, Seek},
    ops::Range,
};

use crate::{error::SoundError, source::Source};

/// The most chunks before the samples. Each costs a read of the source, so a hostile file must not have more.
const MAX_CHUNKS: usize = 256;
/// The longest format, in bytes.
const MAX_FORMAT_BYTES: u64 = 4096;
/// The chunks that writers place before or after the samples.
const KNOWN_CHUNKS: [&[u8; 4]; 20] = [
    b"data", b"fmt ", b"LIST", b"fact", b"JUNK", b"junk", b"bext", b"cue ", b"id3 ", b"ID3 ", b"PEAK", b"smpl",
    b"inst", b"iXML", b"FLLR", b"PAD ", b"axml", b"chna", b"DISP", b"afsp",
];

/// The samples of a WAV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WavData {
    /// A header with the right sizes and nothing but the format. It fits into the bytes before the samples.
    pub header: Vec<u8>,
    /// The range of the samples, in bytes. It ends with the file if the declared size is unknown or too large, as in
    /// ffmpeg and Chromium.
    pub data: Range<u64>,
    /// Whether the file's own headers say the same.
    pub is_regular: bool,
}

/// Reads the chunks up to the samples.
///
/// # Errors
/// `Truncated` if the file ends before the samples, `Corrupt` if there is no format.
pub(super) fn read<S: Read + Seek>(source: &mut Source<S>, start: u64) -> Result<WavData, SoundError> {
    let end = source.length();
    let [magic @ .., _, _, _, _, _, _, _, _] = source.array_at::<12>(start)?;
    let mut is_regular = magic == *b"RIFF";
    let mut position = start + 12;
    let (mut format, mut long_size) = (None, None);
    for _ in 0..MAX_CHUNKS {
        let [a, b, c, d, size @ ..] = source.array_at::<8>(position)?;
        let size = u64::from(u32::from_le_bytes(size));
        let content = position + 8;
        match &[a, b, c, d] {
            b"data" => {
                let format: Vec<u8> = format.ok_or_else(|| SoundError::corrupt("a WAV without a format"))?;
                let available = end - content;
                // RF64 has the size in another chunk (EBU Tech 3306).
                let declared = if size == u32::MAX.into() { long_size.unwrap_or(size) } else { size };
                let is_usable = declared > 0 && declared <= available;
                is_regular &= is_usable || available == 0;
                let length = if is_usable { declared } else { available };
                return Ok(WavData { header: header(&format, length), data: content..content + length, is_regular });
            }
            b"fmt " if size <= MAX_FORMAT_BYTES => {
                let mut bytes = vec![0; size as usize];
                let read = source.read_at(content, &mut bytes)?;
                bytes.truncate(read);
                format.get_or_insert(bytes);
            }
            b"ds64" => long_size = Some(u64::from_le_bytes(source.array_at(content + 8)?)),
            _ => {}
        }
        let next = content + size;
        let is_padded = size % 2 == 0 || is_known(source, next + 1)? || !is_known(source, next)?;
        is_regular &= is_padded;
        position = next + if is_padded { size % 2 } else { 0 };
    }
    Err(SoundError::corrupt("too many chunks"))
}

/// Whether a known chunk starts at `position`.
fn is_known<S: Read + Seek>(source: &mut Source<S>, position: u64) -> Result<bool, SoundError> {
    let mut id = [0; 4];
    Ok(source.read_at(position, &mut id)? == id.len() && KNOWN_CHUNKS.contains(&&id))
}

/// A header for `length` bytes of samples.
fn header(format: &[u8], length: u64) -> Vec<u8> {
    // Uploads are smaller than 4 GiB.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let mut padded = format.to_vec();
    padded.resize(format.len().next_multiple_of(2), 0);
    let size = (4 + 8 + padded.len() as u32 + 8).saturating_add(length);
    let mut header =
        [b"RIFF", &size.to_le_bytes()[..], b"WAVEfmt ", &(padded.len() as u32).to_le_bytes(), &padded[..]].concat();
    header.extend(b"data");
    header.extend(length.to_le_bytes());
    header
}

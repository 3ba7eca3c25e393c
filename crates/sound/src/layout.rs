//! The layout of a file: its format, and which of its samples are played.

mod mp4;
mod ogg;
mod timeline;
mod wav;

use std::io::{Read, Seek};

use crate::{
    error::SoundError,
    format::{Container, FileFormat, SNIFFED_BYTES, frames, sniff},
    source::Source,
};
pub use mp4::SoundTrack;
pub use ogg::Links;
pub use timeline::Part;
pub(crate) use timeline::overlap;
pub use wav::WavData;

/// The most consecutive ID3 tags. Real files have one or two.
const MAX_TAGS: usize = 4;
/// The first frame of a stream of frames is searched in this many bytes.
const SEARCHED_BYTES: usize = 128 * 1024;

/// How another decoder reads a file, so that it plays the same samples as [`analyse`](crate::analyse) measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The format, recognised by content.
    pub format: FileFormat,
    /// The offset of the sound, in bytes: after any ID3 tags and after a frame without its beginning.
    pub start: u64,
    /// What the format needs beyond that.
    pub structure: Structure,
}

/// The structure of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Structure {
    /// Plays from start to end.
    Plain,
    /// The audio tracks of an MP4, in the file's order; at least one.
    Mp4(Vec<SoundTrack>),
    /// The links of an Ogg file.
    Ogg(Links),
    /// The samples of a WAV.
    Wav(WavData),
}

impl Layout {
    /// # Errors
    /// See [`layout`](crate::layout).
    pub(crate) fn read<S: Read + Seek>(source: &mut Source<S>) -> Result<Self, SoundError> {
        let (format, start) = recognise(source)?;
        let structure = match format {
            FileFormat::Supported(Container::Mp4) => mp4::sound_tracks(source).map(Structure::Mp4),
            FileFormat::Supported(Container::Ogg) => ogg::links(source, start).map(Structure::Ogg),
            FileFormat::Supported(Container::Wav) => wav::read(source, start).map(Structure::Wav),
            _ => Ok(Structure::Plain),
        };
        match structure {
            // Another decoder may be more tolerant.
            Err(SoundError::Corrupt(_)) => Ok(Self { format, start, structure: Structure::Plain }),
            structure => Ok(Self { format, start, structure: structure? }),
        }
    }
}

/// The file format and the offset of the sound, in bytes.
fn recognise<S: Read + Seek>(source: &mut Source<S>) -> Result<(FileFormat, u64), SoundError> {
    if source.length() == 0 {
        return Err(SoundError::Empty);
    }
    let mut start = 0;
    let mut sniffed = None;
    for _ in 0..=MAX_TAGS {
        let mut head = [0; SNIFFED_BYTES];
        let read = source.read_at(start, &mut head)?;
        sniffed = sniff(&head[..read]);
        match (&head[..read], sniffed) {
            // Where the first frame of a stream begins needs more bytes.
            (_, Some(FileFormat::Supported(Container::Mpeg | Container::Adts))) => break,
            (_, Some(format)) => return Ok((format, start)),
            // ID3v2 sizes have seven bits per byte. An optional footer is as long as the header.
            (&[b'I', b'D', b'3', _, _, flags, a, b, c, d, ..], _) if (a | b | c | d) < 0x80 => {
                let size = [a, b, c, d].into_iter().fold(0, |size, byte| size << 7 | u64::from(byte));
                start += 10 + size + if flags & 0x10 == 0 { 0 } else { 10 };
                if start >= source.length() {
                    return Err(SoundError::Truncated);
                }
            }
            _ => break,
        }
    }
    let mut bytes = vec![0; SEARCHED_BYTES];
    let read = source.read_at(start, &mut bytes)?;
    let is_whole = start + read as u64 == source.length();
    match (frames::find(&bytes[..read], is_whole), sniffed) {
        (Some((format, offset)), _) => Ok((format, start + offset as u64)),
        (None, Some(format)) => Ok((format, start)),
        // An MP3 need not start with a frame. After an ID3 tag, unknown content is an MP3.
        (None, None) if start > 0 => Ok((FileFormat::Supported(Container::Mpeg), start)),
        (None, None) => Err(SoundError::NotAudio),
    }
}

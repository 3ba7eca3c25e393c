//! Finds the links of a chained Ogg file (RFC 3533), and checks that the last page is complete.

use std::{
    io::{Read, Seek},
    ops::Range,
};

use crate::{error::SoundError, source::Source};

/// The longest page: a header, 255 lacing values, and 255 bytes for each (RFC 3533, 6).
const MAX_PAGE_BYTES: u64 = 27 + 255 + 255 * 255;
/// The start of each page, with the version.
const SIGNATURE: &[u8] = b"OggS\0";
/// A page header without its lacing values, in bytes.
const HEADER_BYTES: usize = 27;
/// The most parts with different formats. Each costs another decoder.
const MAX_PARTS: usize = 32;

/// What must be equal for one decoder to decode two links: the identification of each stream.
type Formats = Vec<Vec<u8>>;

/// The links of an Ogg file. Recordings may be chained, and then each link may have another format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// Links of equal formats in a row, as ranges of bytes.
    pub parts: Vec<Range<u64>>,
    /// Whether there is one link with one stream, in a codec that this crate decodes.
    pub(crate) is_decodable: bool,
    /// Whether the last page ends its stream. Only then may its last packet have padding, as in ffmpeg.
    pub(crate) has_end: bool,
}

/// Finds the links.
///
/// # Errors
/// `Truncated` if the last page is incomplete, which demuxers would silently ignore. `NeedsOtherDecoder` for too many
/// parts.
pub(super) fn links<S: Read + Seek>(source: &mut Source<S>, start: u64) -> Result<Links, SoundError> {
    let has_end = check_end(source)?;
    let end = source.length();
    let mut links = 0;
    let mut parts: Vec<(u64, Formats)> = Vec::new();
    // The start and formats of the link whose first pages are being read.
    let mut link: Option<(u64, Formats)> = None;
    let mut position = start;
    while let Some(page) = Page::next(source, position)? {
        position = page.end;
        if page.is_first {
            let (_, formats) = link.get_or_insert_with(|| (page.start, Vec::new()));
            // More streams in one link are handed on, and need not be told apart.
            if formats.len() < MAX_PARTS {
                formats.push(identification(source, &page)?);
            }
        } else if let Some((start, formats)) = link.take() {
            links += 1;
            if parts.last().is_none_or(|(_, previous)| *previous != formats) {
                parts.push((start, formats));
            }
        }
        if parts.len() > MAX_PARTS {
            return Err(SoundError::other_decoder("an Ogg file with too many formats"));
        }
    }
    let is_decodable =
        links == 1 && matches!(&parts[..], [(_, formats)] if matches!(&formats[..], [only] if is_known(only)));
    let ends = parts.iter().skip(1).map(|(start, _)| *start).chain([end]);
    let parts = parts.iter().zip(ends).map(|((start, _), end)| *start..end).collect();
    Ok(Links { parts, is_decodable, has_end })
}

fn is_known(identification: &[u8]) -> bool {
    [&b"OpusHead"[..], b"\x01vorbis", b"\x7fFLAC"].iter().any(|magic| identification.starts_with(magic))
}

/// A page.
struct Page {
    start: u64,
    content: u64,
    end: u64,
    /// Whether it is the first of its stream.
    is_first: bool,
}

impl Page {
    /// The next page at or after `position`.
    fn next<S: Read + Seek>(source: &mut Source<S>, position: u64) -> Result<Option<Self>, SoundError> {
        let mut head = [0; HEADER_BYTES + 255];
        let mut start = position;
        loop {
            let read = source.read_at(start, &mut head)?;
            if read < HEADER_BYTES {
                return Ok(None);
            }
            if head.starts_with(SIGNATURE) {
                let lacing = &head[HEADER_BYTES..read.min(HEADER_BYTES + usize::from(head[26]))];
                let content = start + (HEADER_BYTES + usize::from(head[26])) as u64;
                let end = content + lacing.iter().map(|&count| u64::from(count)).sum::<u64>();
                return Ok(Some(Self { start, content, end, is_first: head[5] & 2 != 0 }));
            }
            // Bytes that belong to no page. A signature may begin with the last of them.
            let next = head[..read].windows(SIGNATURE.len()).position(|window| window == SIGNATURE);
            start += next.unwrap_or(read + 1 - SIGNATURE.len()) as u64;
        }
    }
}

/// The start of the first packet, without fields that a decoder need not know.
fn identification<S: Read + Seek>(source: &mut Source<S>, page: &Page) -> Result<Vec<u8>, SoundError> {
    let mut packet = vec![0; usize::try_from(page.end - page.content).unwrap_or(80).min(80)];
    let read = source.read_at(page.content, &mut packet)?;
    packet.truncate(read);
    if packet.starts_with(b"OpusHead") && packet.len() >= 16 {
        // The encoder's delay and the rate of its input.
        packet[10..16].fill(0);
    } else if packet.starts_with(b"\x01vorbis") && packet.len() >= 28 {
        // The bit rates.
        packet[16..28].fill(0);
    } else if packet.starts_with(b"\x7fFLAC") && packet.len() >= 51 {
        // Sizes of blocks and frames, the number of samples and their checksum. Rate and channels are between them.
        packet[17..27].fill(0);
        packet[30..].fill(0);
    }
    Ok(packet)
}

/// Whether the last page, which must be complete, ends its stream.
fn check_end<S: Read + Seek>(source: &mut Source<S>) -> Result<bool, SoundError> {
    let from = source.length().saturating_sub(MAX_PAGE_BYTES);
    let mut end = vec![0; (source.length() - from) as usize];
    let read = source.read_at(from, &mut end)?;
    end.truncate(read);
    let Some(start) = end.windows(SIGNATURE.len()).rposition(|window| window == SIGNATURE) else { return Ok(false) };
    let page = &end[start..];
    let is_complete = page.get(26).is_some_and(|&count| {
        let lacing = page.get(27..27 + usize::from(count));
        lacing.is_some_and(|lacing| {
            page.len() >= 27 + lacing.len() + lacing.iter().map(|&n| usize::from(n)).sum::<usize>()
        })
    });
    if is_complete { Ok(page[5] & 4 != 0) } else { Err(SoundError::Truncated) }
}

//! Whether an Ogg file ends where its last page does.

use std::io::{Read, Seek};

use crate::{SoundError, source::Source};

/// The longest page: a header with 255 lacing values, and 255 bytes for each (RFC 3533, 6).
const LONGEST_PAGE: u64 = 27 + 255 + 255 * 255;

/// `Truncated` if the last page claims more bytes than there are. A demuxer just stops there.
pub(crate) fn check_end<S: Read + Seek>(source: &mut Source<S>) -> Result<(), SoundError> {
    let from = source.length().saturating_sub(LONGEST_PAGE);
    let mut end = vec![0; (source.length() - from) as usize];
    let read = source.read_at(from, &mut end)?;
    end.truncate(read);
    let Some(start) = end.windows(5).rposition(|window| window == b"OggS\0") else { return Ok(()) };
    let page = &end[start..];
    let complete = page.get(26).is_some_and(|&count| {
        let lacing = page.get(27..27 + usize::from(count));
        lacing.is_some_and(|lacing| {
            page.len() >= 27 + lacing.len() + lacing.iter().map(|&n| usize::from(n)).sum::<usize>()
        })
    });
    if complete { Ok(()) } else { Err(SoundError::Truncated) }
}

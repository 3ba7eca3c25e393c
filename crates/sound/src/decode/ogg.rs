//! Checks that the last page of an Ogg file is complete.

use std::io::{Read, Seek};

use crate::{error::SoundError, source::Source};

/// The longest page: a header, 255 lacing values, and 255 bytes for each (RFC 3533, 6).
const MAX_PAGE_BYTES: u64 = 27 + 255 + 255 * 255;

/// Returns `Truncated` if the last page is incomplete. The demuxer would silently ignore it.
pub(crate) fn check_end<S: Read + Seek>(source: &mut Source<S>) -> Result<(), SoundError> {
    let from = source.length().saturating_sub(MAX_PAGE_BYTES);
    let mut end = vec![0; (source.length() - from) as usize];
    let read = source.read_at(from, &mut end)?;
    end.truncate(read);
    let Some(start) = end.windows(5).rposition(|window| window == b"OggS\0") else { return Ok(()) };
    let page = &end[start..];
    let is_complete = page.get(26).is_some_and(|&count| {
        let lacing = page.get(27..27 + usize::from(count));
        lacing.is_some_and(|lacing| {
            page.len() >= 27 + lacing.len() + lacing.iter().map(|&n| usize::from(n)).sum::<usize>()
        })
    });
    if is_complete { Ok(()) } else { Err(SoundError::Truncated) }
}

//! The edit list of a track (`elst`): what of a recording is played after it was trimmed or cut.

use std::io::{Read, Seek};

use super::boxes::{BoxReader, Mp4Box};
use crate::{error::SoundError, layout::timeline::Part};

/// The most edits of a track that are read. Files with more are left to the other decoder.
const MAX_EDITS: u32 = 64;

/// An edit (ISO/IEC 14496-12, 8.6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    /// In units of the track; `None` for a pause.
    pub start: Option<u64>,
    /// In units of the movie; 0 means until the end, as in fragmented files.
    pub length: u64,
}

/// The edits, in order; `None` if there are too many.
pub(super) fn read<S: Read + Seek>(
    boxes: &mut BoxReader<'_, S>,
    list: Mp4Box,
) -> Result<Option<Vec<Edit>>, SoundError> {
    let is_version_1 = boxes.is_version_1(list)?;
    let count = boxes.u32(list, 4)?;
    if count > MAX_EDITS {
        return Ok(None);
    }
    let mut edits = Vec::new();
    for index in 0..u64::from(count) {
        let (length, start) = if is_version_1 {
            let offset = 8 + index * 20;
            (u64::from_be_bytes(boxes.field(list, offset)?), i64::from_be_bytes(boxes.field(list, offset + 8)?))
        } else {
            let offset = 8 + index * 12;
            (boxes.u32(list, offset)?.into(), i32::from_be_bytes(boxes.field(list, offset + 4)?).into())
        };
        edits.push(Edit { start: u64::try_from(start).ok(), length });
    }
    Ok(Some(edits))
}

/// The parts to play, by the units per second of the track and of the movie. Pauses are left out, as by ffmpeg and
/// Chromium.
pub(super) fn parts(edits: &[Edit], timescale: u32, movie_timescale: u32) -> Vec<Part> {
    let scale = f64::from(timescale.max(1));
    let part = |edit: &Edit| {
        let start_seconds = edit.start? as f64 / scale;
        let is_limited = edit.length > 0 && movie_timescale > 0;
        let end_seconds = is_limited.then(|| start_seconds + edit.length as f64 / f64::from(movie_timescale));
        Some(Part { start_seconds, end_seconds })
    };
    edits.iter().filter_map(part).collect()
}

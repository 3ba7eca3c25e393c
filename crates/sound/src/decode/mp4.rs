//! Metadata of an ISO base media file (M4A, MP4, MOV, 3GP) that the demuxer does not report: audio tracks,
//! their codecs and edit lists, and whether the file is complete.

use std::io::{Read, Seek};

use crate::{error::SoundError, source::Source};

/// The most boxes that are read. Each costs a read of the source, so a hostile file must not have more.
const MAX_BOXES: u32 = 4096;
/// The depth of nested boxes: moov, trak, mdia, minf, stbl.
const MAX_DEPTH: u32 = 5;

/// An audio track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SoundTrack {
    pub id: u32,
    /// The type of its first sample entry, such as `mp4a` or `samr`.
    pub entry: [u8; 4],
    /// The start of its only edit, in units of the track.
    pub edit_start: Option<u64>,
    /// The length of its only edit, in units of the movie.
    pub edit_length: Option<u64>,
    /// Units of the track per second.
    pub timescale: u32,
    /// Units of the movie per second.
    pub movie_timescale: u32,
}

impl SoundTrack {
    /// The part to play, as a range of frames at `rate_hz`. Without an end it lasts to the end of the track.
    pub fn edit(&self, rate_hz: u32) -> (u64, Option<u64>) {
        let frames = |units: u64, scale: u32| {
            let frames = u128::from(units) * u128::from(rate_hz) / u128::from(scale.max(1));
            u64::try_from(frames).unwrap_or(u64::MAX)
        };
        let Some(start) = self.edit_start else { return (0, None) };
        let start = frames(start, self.timescale);
        let length = self.edit_length.filter(|&length| length > 0);
        (start, length.map(|length| start.saturating_add(frames(length, self.movie_timescale))))
    }
}

#[derive(Debug, Clone, Copy)]
struct Mp4Box {
    kind: [u8; 4],
    /// The range of its content, in bytes.
    start: u64,
    end: u64,
}

/// Reads the audio tracks from the index (`moov`), which may be anywhere in the file.
///
/// # Errors
/// `Truncated` if the index is missing or a top-level box is incomplete; `Corrupt` if a box is invalid.
pub(crate) fn sound_tracks<S: Read + Seek>(source: &mut Source<S>) -> Result<Vec<SoundTrack>, SoundError> {
    let mut reader = BoxReader { source, boxes: 0, is_fragmented: false, movie_timescale: 0, tracks: Vec::new() };
    let end = reader.source.length();
    let (mut has_index, mut has_data) = (false, false);
    let mut position = 0;
    while position < end && !(has_index && (has_data || reader.is_fragmented)) {
        let Some(found) = reader.header(position, end)? else { break };
        if found.end > end {
            return Err(SoundError::Truncated);
        }
        match &found.kind {
            b"moov" => {
                reader.children(found, MAX_DEPTH, None)?;
                has_index = true;
            }
            b"mdat" => has_data = true,
            _ => {}
        }
        position = found.end;
    }
    if !has_index {
        // Recorders write the index last, so the recording was interrupted.
        return Err(SoundError::Truncated);
    }
    let movie_timescale = reader.movie_timescale;
    let sound_tracks = reader.tracks.into_iter().filter(|track| track.is_sound);
    Ok(sound_tracks.map(|track| SoundTrack { movie_timescale, ..track.sound }).collect())
}

#[derive(Debug, Default)]
struct Track {
    is_sound: bool,
    sound: SoundTrack,
}

/// Reads nested boxes and collects the tracks.
struct BoxReader<'s, S> {
    source: &'s mut Source<S>,
    /// The number of boxes read so far.
    boxes: u32,
    is_fragmented: bool,
    movie_timescale: u32,
    tracks: Vec<Track>,
}

impl<S: Read + Seek> BoxReader<'_, S> {
    /// The box at `position` within a range that ends at `end`; `None` if fewer than 8 bytes are left.
    fn header(&mut self, position: u64, end: u64) -> Result<Option<Mp4Box>, SoundError> {
        self.boxes += 1;
        if self.boxes > MAX_BOXES {
            return Err(SoundError::corrupt("too many boxes"));
        }
        if end - position < 8 {
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

    fn children(&mut self, parent: Mp4Box, depth: u32, track: Option<usize>) -> Result<(), SoundError> {
        let mut position = parent.start;
        while position < parent.end {
            let Some(child) = self.header(position, parent.end)? else { break };
            if child.end > parent.end {
                return Err(SoundError::corrupt("a box is longer than its parent"));
            }
            self.child(child, depth, track)?;
            position = child.end;
        }
        Ok(())
    }

    fn child(&mut self, child: Mp4Box, depth: u32, track: Option<usize>) -> Result<(), SoundError> {
        match (&child.kind, track) {
            (b"trak", None) if depth > 0 => {
                self.tracks.push(Track::default());
                self.children(child, depth - 1, Some(self.tracks.len() - 1))
            }
            (b"mdia" | b"minf" | b"stbl" | b"edts", Some(_)) if depth > 0 => self.children(child, depth - 1, track),
            (b"mvex", None) => {
                self.is_fragmented = true;
                Ok(())
            }
            (b"mvhd", None) => {
                self.movie_timescale = self.u32_after_times(child)?;
                Ok(())
            }
            (_, Some(index)) => self.track_field(child, index),
            _ => Ok(()),
        }
    }

    /// Reads a box about one track (ISO/IEC 14496-12, 8.3.2, 8.4.2, 8.4.3, 8.5.2, 8.6.6).
    fn track_field(&mut self, leaf: Mp4Box, index: usize) -> Result<(), SoundError> {
        match &leaf.kind {
            b"tkhd" => self.tracks[index].sound.id = self.u32_after_times(leaf)?,
            b"mdhd" => self.tracks[index].sound.timescale = self.u32_after_times(leaf)?,
            b"hdlr" => self.tracks[index].is_sound |= self.field(leaf, 8)? == *b"soun",
            b"stsd" => self.tracks[index].sound.entry = self.field(leaf, 12)?,
            b"elst" => {
                let (start, length) = self.edit(leaf)?;
                let sound = &mut self.tracks[index].sound;
                (sound.edit_start, sound.edit_length) = (start, length);
            }
            _ => {}
        }
        Ok(())
    }

    /// Start and length of the only edit in an edit list; `None` if there are several.
    fn edit(&mut self, list: Mp4Box) -> Result<(Option<u64>, Option<u64>), SoundError> {
        let is_version_1 = self.is_version_1(list)?;
        if u32::from_be_bytes(self.field(list, 4)?) != 1 {
            return Ok((None, None));
        }
        let (length, start) = if is_version_1 {
            (u64::from_be_bytes(self.field(list, 8)?), i64::from_be_bytes(self.field(list, 16)?))
        } else {
            let start = i32::from_be_bytes(self.field(list, 12)?);
            (u64::from(u32::from_be_bytes(self.field(list, 8)?)), i64::from(start))
        };
        Ok((u64::try_from(start).ok(), Some(length)))
    }

    /// The number after the creation and modification times.
    fn u32_after_times(&mut self, leaf: Mp4Box) -> Result<u32, SoundError> {
        let offset = if self.is_version_1(leaf)? { 20 } else { 12 };
        Ok(u32::from_be_bytes(self.field(leaf, offset)?))
    }

    /// Version 1 has 64-bit times, version 0 has 32-bit times.
    fn is_version_1(&mut self, leaf: Mp4Box) -> Result<bool, SoundError> {
        Ok(self.field::<1>(leaf, 0)? == [1])
    }

    fn field<const N: usize>(&mut self, leaf: Mp4Box, offset: u64) -> Result<[u8; N], SoundError> {
        if leaf.end - leaf.start < offset + N as u64 {
            return Err(SoundError::corrupt("a box is too short"));
        }
        self.source.array_at(leaf.start + offset)
    }
}

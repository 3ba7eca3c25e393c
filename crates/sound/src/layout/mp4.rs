//! Metadata of an ISO base media file (M4A, MP4, MOV, 3GP): audio tracks, their codecs and edit lists, and whether the
//! file is complete.

mod boxes;
mod edit_list;
mod gapless;
mod track;

use std::io::{Read, Seek};

use crate::{error::SoundError, source::Source};
use boxes::{BoxReader, Mp4Box};
use gapless::Gapless;
pub use track::SoundTrack;
use track::TrackFields;

/// The depth of nested boxes: moov, trak, mdia, minf, stbl.
const MAX_DEPTH: u32 = 5;

/// Reads the audio tracks from the index (`moov`), which may be anywhere in the file.
///
/// # Errors
/// `Truncated` if the index is missing, or index or samples are incomplete; `Corrupt` if a box is invalid;
/// `NoAudioTrack`.
pub(super) fn sound_tracks<S: Read + Seek>(source: &mut Source<S>) -> Result<Vec<SoundTrack>, SoundError> {
    let end = source.length();
    let mut movie =
        Movie { boxes: BoxReader::new(source), is_fragmented: false, timescale: 0, gapless: None, tracks: Vec::new() };
    let (mut has_index, mut has_data) = (false, false);
    let mut position = 0;
    while position < end && !(has_index && (has_data || movie.is_fragmented)) {
        let Some(found) = movie.boxes.header(position, end)? else { break };
        match &found.kind {
            b"moov" | b"mdat" if found.end > end => return Err(SoundError::Truncated),
            b"moov" => {
                movie.read_children(found, MAX_DEPTH, None)?;
                has_index = true;
            }
            b"mdat" => has_data = true,
            _ => {}
        }
        position = found.end;
    }
    // Recorders write the index last, so without it the recording was interrupted.
    if !has_index || !(has_data || movie.is_fragmented) {
        return Err(SoundError::Truncated);
    }
    let sound_tracks = movie.tracks.iter().filter(|track| track.is_sound);
    let sound_tracks: Vec<_> = sound_tracks.map(|track| track.sound_track(movie.timescale, movie.gapless)).collect();
    if sound_tracks.is_empty() { Err(SoundError::NoAudioTrack) } else { Ok(sound_tracks) }
}

/// The content of `moov`.
struct Movie<'s, S> {
    boxes: BoxReader<'s, S>,
    is_fragmented: bool,
    timescale: u32,
    gapless: Option<Gapless>,
    tracks: Vec<TrackFields>,
}

impl<S: Read + Seek> Movie<'_, S> {
    fn read_children(&mut self, parent: Mp4Box, depth: u32, track: Option<usize>) -> Result<(), SoundError> {
        let mut position = parent.start;
        while let Some(child) = self.boxes.child(parent, position)? {
            self.read_child(child, depth, track)?;
            position = child.end;
        }
        Ok(())
    }

    fn read_child(&mut self, child: Mp4Box, depth: u32, track: Option<usize>) -> Result<(), SoundError> {
        match (&child.kind, track) {
            (b"trak", None) if depth > 0 => {
                self.tracks.push(TrackFields::default());
                self.read_children(child, depth - 1, Some(self.tracks.len() - 1))?;
            }
            (b"mdia" | b"minf" | b"stbl" | b"edts", Some(_)) if depth > 0 => {
                self.read_children(child, depth - 1, track)?;
            }
            (b"mvex", None) => self.is_fragmented = true,
            (b"mvhd", None) => self.timescale = self.boxes.u32_after_times(child)?,
            (b"udta", _) => self.read_tags(child)?,
            (_, Some(index)) => self.read_track_field(child, index)?,
            _ => {}
        }
        Ok(())
    }

    /// Reads a box about one track (ISO/IEC 14496-12, 8.3.2, 8.4.2, 8.4.3, 8.5.2, 8.6.1.2, 8.6.6).
    fn read_track_field(&mut self, leaf: Mp4Box, index: usize) -> Result<(), SoundError> {
        let (boxes, track) = (&mut self.boxes, &mut self.tracks[index]);
        match &leaf.kind {
            b"tkhd" => track.id = boxes.u32_after_times(leaf)?,
            b"mdhd" => track.timescale = boxes.u32_after_times(leaf)?,
            b"hdlr" => track.is_sound |= boxes.field(leaf, 8)? == *b"soun",
            b"stsd" => {
                track.entry = boxes.field(leaf, 12)?;
                if track.entry == *b"Opus" {
                    track.opus_delay = opus_delay(boxes, leaf)?;
                }
            }
            b"stts" => track.length = length(boxes, leaf)?,
            b"elst" => track.edits = edit_list::read(boxes, leaf)?,
            _ => {}
        }
        Ok(())
    }

    /// Reads `iTunSMPB` from the tags. Damaged tags do not make a recording unplayable.
    fn read_tags(&mut self, tags: Mp4Box) -> Result<(), SoundError> {
        match gapless::read(&mut self.boxes, tags) {
            Ok(found) => self.gapless = self.gapless.or(found),
            Err(error @ SoundError::Source { .. }) => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }
}

/// The length of a track whose last packet is shorter than the others, in its units. Encoders mark padding so.
fn length<S: Read + Seek>(boxes: &mut BoxReader<'_, S>, times: Mp4Box) -> Result<Option<u64>, SoundError> {
    if boxes.u32(times, 4)? != 2 {
        return Ok(None);
    }
    let (count, duration) = (u64::from(boxes.u32(times, 8)?), u64::from(boxes.u32(times, 12)?));
    let (last_count, last_duration) = (boxes.u32(times, 16)?, u64::from(boxes.u32(times, 20)?));
    Ok((last_count == 1 && last_duration < duration).then_some(count * duration + last_duration))
}

/// The encoder's delay in the box `dOps` ("Encapsulation of Opus in ISO Base Media File Format", 4.3.2), which follows
/// the sample entry's fixed fields.
fn opus_delay<S: Read + Seek>(boxes: &mut BoxReader<'_, S>, descriptions: Mp4Box) -> Result<u16, SoundError> {
    const FIELDS: u64 = 8 + 8 + 28;
    let is_opus = boxes.field::<4>(descriptions, FIELDS + 4)? == *b"dOps";
    Ok(if is_opus { u16::from_be_bytes(boxes.field(descriptions, FIELDS + 10)?) } else { 0 })
}

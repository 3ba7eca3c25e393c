//! What an ISO base media file (M4A, MP4, MOV, 3GP) says of its tracks, as far as the demuxer
//! does not tell: whether there is sound at all, in which codec, how many samples at its
//! beginning are the encoder's, and whether the file is complete.

use std::io::{Read, Seek};

use crate::{SoundError, source::Source};

/// More boxes than that are a trap: each costs a read.
const MOST_BOXES: u32 = 4096;
/// Boxes in boxes: moov, trak, mdia, minf, stbl.
const DEEPEST: u32 = 5;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Movie {
    pub sounds: Vec<SoundTrack>,
}

/// A track of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SoundTrack {
    pub id: u32,
    /// The type of its first sample entry, as `mp4a` or `samr`.
    pub entry: [u8; 4],
    /// Where its one edit begins, in units of the track.
    pub edit_start: Option<u64>,
    /// How long its one edit is, in units of the movie.
    pub edit_length: Option<u64>,
    /// Units of the track in a second.
    pub timescale: u32,
    /// Units of the movie in a second.
    pub movie_timescale: u32,
}

impl SoundTrack {
    /// The part that is to be heard, as frames at `rate_hz`: from, to.
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
struct Atom {
    kind: [u8; 4],
    /// Where its content begins and ends.
    start: u64,
    end: u64,
}

/// Reads the index, wherever it stands. `Truncated` if it is missing, or if what it is about ends
/// too early.
pub(crate) fn inspect<S: Read + Seek>(source: &mut Source<S>) -> Result<Movie, SoundError> {
    let mut walk = Walk { source, boxes: 0, fragmented: false, movie_timescale: 0, tracks: Vec::new() };
    let end = walk.source.length();
    let (mut index, mut data) = (false, false);
    let mut position = 0;
    while position < end && !(index && (data || walk.fragmented)) {
        let Some(atom) = walk.atom(position, end)? else { break };
        if atom.end > end {
            return Err(SoundError::Truncated);
        }
        match &atom.kind {
            b"moov" => {
                walk.container(atom, DEEPEST, None)?;
                index = true;
            }
            b"mdat" => data = true,
            _ => {}
        }
        position = atom.end;
    }
    if !index {
        // A recorder writes the index when it is told to stop.
        return Err(SoundError::Truncated);
    }
    let movie_timescale = walk.movie_timescale;
    let sounds = walk.tracks.into_iter().filter(|track| track.is_sound);
    Ok(Movie { sounds: sounds.map(|track| SoundTrack { movie_timescale, ..track.sound }).collect() })
}

#[derive(Debug, Default)]
struct Track {
    is_sound: bool,
    sound: SoundTrack,
}

struct Walk<'s, S> {
    source: &'s mut Source<S>,
    boxes: u32,
    fragmented: bool,
    movie_timescale: u32,
    tracks: Vec<Track>,
}

impl<S: Read + Seek> Walk<'_, S> {
    /// The box at `position` of a stretch that ends at `end`; `None` where there is room for none.
    fn atom(&mut self, position: u64, end: u64) -> Result<Option<Atom>, SoundError> {
        self.boxes += 1;
        if self.boxes > MOST_BOXES {
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
        Ok(Some(Atom { kind, start: position + header, end: position.saturating_add(length) }))
    }

    fn container(&mut self, parent: Atom, depth: u32, track: Option<usize>) -> Result<(), SoundError> {
        let mut position = parent.start;
        while position < parent.end {
            let Some(atom) = self.atom(position, parent.end)? else { break };
            if atom.end > parent.end {
                return Err(SoundError::corrupt("a box is longer than the one around it"));
            }
            self.visit(atom, depth, track)?;
            position = atom.end;
        }
        Ok(())
    }

    fn visit(&mut self, atom: Atom, depth: u32, track: Option<usize>) -> Result<(), SoundError> {
        match (&atom.kind, track) {
            (b"trak", None) if depth > 0 => {
                self.tracks.push(Track::default());
                self.container(atom, depth - 1, Some(self.tracks.len() - 1))
            }
            (b"mdia" | b"minf" | b"stbl" | b"edts", Some(_)) if depth > 0 => self.container(atom, depth - 1, track),
            (b"mvex", None) => {
                self.fragmented = true;
                Ok(())
            }
            (b"mvhd", None) => {
                self.movie_timescale = self.after_times(atom)?;
                Ok(())
            }
            (_, Some(index)) => self.leaf(atom, index),
            _ => Ok(()),
        }
    }

    /// A box about one track (ISO/IEC 14496-12, 8.3.2, 8.4.2, 8.4.3, 8.5.2, 8.6.6).
    fn leaf(&mut self, atom: Atom, index: usize) -> Result<(), SoundError> {
        match &atom.kind {
            b"tkhd" => self.tracks[index].sound.id = self.after_times(atom)?,
            b"mdhd" => self.tracks[index].sound.timescale = self.after_times(atom)?,
            b"hdlr" => self.tracks[index].is_sound |= self.field(atom, 8)? == *b"soun",
            b"stsd" => self.tracks[index].sound.entry = self.field(atom, 12)?,
            b"elst" => {
                let (start, length) = self.edit(atom)?;
                let sound = &mut self.tracks[index].sound;
                (sound.edit_start, sound.edit_length) = (start, length);
            }
            _ => {}
        }
        Ok(())
    }

    /// Start and length of an edit list's only edit; nothing if there are more.
    fn edit(&mut self, atom: Atom) -> Result<(Option<u64>, Option<u64>), SoundError> {
        let wide = self.is_wide(atom)?;
        if u32::from_be_bytes(self.field(atom, 4)?) != 1 {
            return Ok((None, None));
        }
        let (length, start) = if wide {
            (u64::from_be_bytes(self.field(atom, 8)?), i64::from_be_bytes(self.field(atom, 16)?))
        } else {
            let start = i32::from_be_bytes(self.field(atom, 12)?);
            (u64::from(u32::from_be_bytes(self.field(atom, 8)?)), i64::from(start))
        };
        Ok((u64::try_from(start).ok(), Some(length)))
    }

    /// The number that follows the times of creation and change.
    fn after_times(&mut self, atom: Atom) -> Result<u32, SoundError> {
        let offset = if self.is_wide(atom)? { 20 } else { 12 };
        Ok(u32::from_be_bytes(self.field(atom, offset)?))
    }

    /// Version 1 has times of 64 bits.
    fn is_wide(&mut self, atom: Atom) -> Result<bool, SoundError> {
        Ok(self.field::<1>(atom, 0)? == [1])
    }

    fn field<const N: usize>(&mut self, atom: Atom, offset: u64) -> Result<[u8; N], SoundError> {
        if atom.end - atom.start < offset + N as u64 {
            return Err(SoundError::corrupt("a box is too short"));
        }
        self.source.array_at(atom.start + offset)
    }
}

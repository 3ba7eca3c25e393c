//! An audio track and the parts of it that are played.

use super::{
    edit_list::{self, Edit},
    gapless::Gapless,
};
use crate::layout::timeline::{Part, is_ascending};

/// The clock of Opus, in Hz.
const OPUS_HZ: f64 = 48_000.0;

/// An audio track of an MP4.
#[derive(Debug, Clone, PartialEq)]
pub struct SoundTrack {
    pub(crate) id: u32,
    /// The type of its first sample entry, such as `mp4a` or `samr`.
    pub(crate) entry: [u8; 4],
    /// The parts that are played, in order; `None` for an edit list that repeats or reorders parts, which the other
    /// decoder must apply itself.
    pub parts: Option<Vec<Part>>,
}

/// The fields of a track's boxes.
#[derive(Debug)]
pub(super) struct TrackFields {
    pub is_sound: bool,
    pub id: u32,
    pub entry: [u8; 4],
    /// `None` if there are too many.
    pub edits: Option<Vec<Edit>>,
    /// In units of the track, if its last packet is shorter than the others.
    pub length: Option<u64>,
    /// Units of the track per second.
    pub timescale: u32,
    /// The delay of Opus, in frames at 48 kHz.
    pub opus_delay: u16,
}

impl Default for TrackFields {
    fn default() -> Self {
        Self {
            is_sound: false,
            id: 0,
            entry: [0; 4],
            edits: Some(Vec::new()),
            length: None,
            timescale: 0,
            opus_delay: 0,
        }
    }
}

impl TrackFields {
    pub fn sound_track(&self, movie_timescale: u32, gapless: Option<Gapless>) -> SoundTrack {
        SoundTrack { id: self.id, entry: self.entry, parts: self.parts(movie_timescale, gapless) }
    }

    /// The parts to play: the edit list, else what an encoder has noted. The delay of Opus and padding are left out.
    fn parts(&self, movie_timescale: u32, gapless: Option<Gapless>) -> Option<Vec<Part>> {
        let scale = f64::from(self.timescale.max(1));
        let length = self.length.map(|length| length as f64 / scale);
        let mut parts = edit_list::parts(self.edits.as_ref()?, self.timescale, movie_timescale);
        if parts.is_empty() {
            parts.push(match gapless {
                Some(Gapless { delay, length }) if self.entry == *b"mp4a" => {
                    Part { start_seconds: delay as f64 / scale, end_seconds: Some((delay + length) as f64 / scale) }
                }
                _ => Part::ALL,
            });
        }
        for part in &mut parts {
            part.end_seconds = [part.end_seconds, length].into_iter().flatten().reduce(f64::min);
            part.start_seconds = part.start_seconds.max(f64::from(self.opus_delay) / OPUS_HZ);
        }
        is_ascending(&parts).then_some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(edits: &[(i64, u64)], length: Option<u64>, gapless: Option<Gapless>) -> Option<Vec<(f64, Option<f64>)>> {
        let edits = edits.iter().map(|&(start, length)| Edit { start: u64::try_from(start).ok(), length }).collect();
        let fields =
            TrackFields { entry: *b"mp4a", edits: Some(edits), length, timescale: 1000, ..TrackFields::default() };
        let parts = fields.parts(100, gapless)?;
        Some(parts.iter().map(|part| (part.start_seconds, part.end_seconds)).collect())
    }

    #[test]
    fn edits_become_parts() {
        assert_eq!(parts(&[], None, None), Some(vec![(0.0, None)]));
        assert_eq!(parts(&[(48, 300)], None, None), Some(vec![(0.048, Some(3.048))]));
        assert_eq!(parts(&[(48, 0)], None, None), Some(vec![(0.048, None)]), "fragmented");
        assert_eq!(parts(&[(-1, 50), (48, 300)], None, None), Some(vec![(0.048, Some(3.048))]), "a pause first");
        assert_eq!(parts(&[(-1, 50)], None, None), Some(vec![(0.0, None)]), "only a pause");
        let cut = parts(&[(0, 100), (2000, 100)], None, None);
        assert_eq!(cut, Some(vec![(0.0, Some(1.0)), (2.0, Some(3.0))]), "the middle is cut");
    }

    #[test]
    fn parts_end_with_the_track() {
        assert_eq!(parts(&[(0, 600)], Some(5500), None), Some(vec![(0.0, Some(5.5))]));
        assert_eq!(parts(&[], Some(5500), None), Some(vec![(0.0, Some(5.5))]));
    }

    #[test]
    fn gapless_tag_counts_only_without_edits() {
        let gapless = Some(Gapless { delay: 48, length: 1000 });
        assert_eq!(parts(&[], None, gapless), Some(vec![(0.048, Some(1.048))]));
        assert_eq!(parts(&[(-1, 50)], None, gapless), Some(vec![(0.048, Some(1.048))]));
        assert_eq!(parts(&[(20, 50)], None, gapless), Some(vec![(0.02, Some(0.52))]));
    }

    #[test]
    fn reordered_or_repeated_parts_are_left_to_the_other_decoder() {
        assert_eq!(parts(&[(2000, 100), (0, 100)], None, None), None);
        assert_eq!(parts(&[(0, 100), (0, 100)], None, None), None);
        assert_eq!(parts(&[(0, 0), (2000, 100)], None, None), None);
    }

    #[test]
    fn opus_delay_is_never_played() {
        let fields = TrackFields { timescale: 48_000, opus_delay: 312, ..TrackFields::default() };
        assert_eq!(fields.parts(48_000, None), Some(vec![Part { start_seconds: 0.0065, end_seconds: None }]));
        let from_start = Some(vec![Edit { start: Some(0), length: 48_000 }]);
        let fields = TrackFields { edits: from_start, ..fields };
        assert_eq!(fields.parts(48_000, None), Some(vec![Part { start_seconds: 0.0065, end_seconds: Some(1.0) }]));
    }
}

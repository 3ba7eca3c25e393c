//! The parts of a track that are played.

use std::ops::Range;

/// A part of a track, in seconds from the track's first sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The start.
    pub start_seconds: f64,
    /// The end; `None` for the end of the track.
    pub end_seconds: Option<f64>,
}

impl Part {
    /// The whole track.
    pub(crate) const ALL: Self = Self { start_seconds: 0.0, end_seconds: None };

    /// The part in frames at `rate_hz`.
    pub(crate) fn frames(&self, rate_hz: u32) -> Range<u64> {
        // The casts saturate.
        let frames = |seconds: f64| (seconds * f64::from(rate_hz)).round() as u64;
        frames(self.start_seconds)..self.end_seconds.map_or(u64::MAX, frames)
    }
}

/// Whether each part starts where the one before ends, or later.
pub(crate) fn is_ascending(parts: &[Part]) -> bool {
    parts.windows(2).all(|pair| pair[0].end_seconds.is_some_and(|end| end <= pair[1].start_seconds))
}

/// The indices of `length` frames, the first of which is frame `position` of the track, that lie within `part`.
pub(crate) fn overlap(part: &Range<u64>, position: u64, length: usize) -> Range<usize> {
    let index = |frame: u64| usize::try_from(frame.saturating_sub(position)).unwrap_or(length).min(length);
    index(part.start)..index(part.end).max(index(part.start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_to_the_frame() {
        let part = Part { start_seconds: 2112.0 / 44_100.0, end_seconds: Some(2112.0 / 44_100.0 + 3.0) };
        assert_eq!(part.frames(44_100), 2112..134_412);
        assert_eq!(Part::ALL.frames(48_000), 0..u64::MAX);
        assert_eq!(overlap(&(2112..134_412), 0, 1024), 1024..1024);
        assert_eq!(overlap(&(2112..134_412), 2048, 1024), 64..1024);
        assert_eq!(overlap(&(2112..134_412), 3072, 1024), 0..1024);
        assert_eq!(overlap(&(2112..134_412), 134_144, 1024), 0..268);
        assert_eq!(overlap(&(2112..134_412), 135_168, 1024), 0..0);
        assert_eq!(overlap(&(10..20), 0, 1024), 10..20);
    }

    #[test]
    fn overlapping_or_reordered_parts_are_not_ascending() {
        let part = |start_seconds, end_seconds| Part { start_seconds, end_seconds };
        assert!(is_ascending(&[part(1.0, Some(2.0)), part(2.0, Some(3.0)), part(5.0, None)]));
        assert!(!is_ascending(&[part(1.0, Some(2.5)), part(2.0, Some(3.0))]));
        assert!(!is_ascending(&[part(4.0, Some(5.0)), part(2.0, Some(3.0))]));
        assert!(!is_ascending(&[part(1.0, None), part(2.0, Some(3.0))]));
    }
}

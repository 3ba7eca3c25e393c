//! Detects silent stretches.

use serde::Serialize;

use super::loudness::energy;

/// The threshold of silence: 10 LU above the absolute gate of R 128, so that a phone's microphone noise in a quiet
/// room counts as silence.
pub const SILENCE_BELOW_LUFS: f64 = -60.0;
/// The shortest stretch that is listed. Breathing pauses are shorter.
pub const LISTED_SECONDS: f64 = 0.5;

/// A silent stretch, in seconds from the start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Silence {
    /// The start.
    pub start_seconds: f64,
    /// The end.
    pub end_seconds: f64,
}

/// The silence of a recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Silences {
    /// Seconds before the first sound, in steps of 10 ms; the whole duration if there is no sound.
    pub leading_seconds: f64,
    /// Seconds after the last sound; the whole duration if there is no sound.
    pub trailing_seconds: f64,
    /// All stretches of at least half a second (`LISTED_SECONDS`) in order, including the leading and trailing
    /// ones.
    pub stretches: Vec<Silence>,
}

/// Detects silence from energies of 10 ms each.
#[derive(Debug, Clone)]
pub(crate) struct SilenceDetector {
    rate_hz: f64,
    threshold: f64,
    /// The first frame of the current silence.
    since: Option<u64>,
    frames: u64,
    found: Silences,
}

impl SilenceDetector {
    pub fn new(rate_hz: u32) -> Self {
        let threshold = energy(SILENCE_BELOW_LUFS);
        Self { rate_hz: f64::from(rate_hz), threshold, since: None, frames: 0, found: Silences::default() }
    }

    /// Adds `frames` frames with a mean square of `energy`.
    pub fn push(&mut self, energy: f64, frames: u64) {
        if energy < self.threshold {
            self.since.get_or_insert(self.frames);
        } else {
            self.end_silence();
        }
        self.frames += frames;
    }

    pub fn finish(mut self) -> Silences {
        let trailing = self.since.map_or(0, |since| self.frames - since);
        self.found.trailing_seconds = trailing as f64 / self.rate_hz;
        self.end_silence();
        self.found
    }

    fn end_silence(&mut self) {
        let Some(since) = self.since.take() else { return };
        let start_seconds = since as f64 / self.rate_hz;
        let end_seconds = self.frames as f64 / self.rate_hz;
        if since == 0 {
            self.found.leading_seconds = end_seconds;
        }
        if end_seconds - start_seconds >= LISTED_SECONDS {
            self.found.stretches.push(Silence { start_seconds, end_seconds });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silences(parts: &[(f64, usize)]) -> Silences {
        let mut detector = SilenceDetector::new(1000);
        for &(lufs, times) in parts {
            (0..times).for_each(|_| detector.push(energy(lufs), 10));
        }
        detector.finish()
    }

    #[test]
    fn silence_of_half_a_second_is_listed() {
        let found = silences(&[(-70.0, 20), (-20.0, 1), (-70.0, 49), (-20.0, 1), (-70.0, 50), (-20.0, 1), (-61.0, 3)]);
        assert_eq!((found.leading_seconds, found.trailing_seconds), (0.2, 0.03));
        assert_eq!(found.stretches, [Silence { start_seconds: 0.71, end_seconds: 1.21 }]);
    }

    #[test]
    fn silent_recording_is_leading_and_trailing_silence() {
        let found = silences(&[(-90.0, 100)]);
        assert_eq!((found.leading_seconds, found.trailing_seconds), (1.0, 1.0));
        assert_eq!(found.stretches.len(), 1);
        assert_eq!(silences(&[]), Silences::default());
    }
}

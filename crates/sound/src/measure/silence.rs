//! Where nothing is to be heard.

use serde::Serialize;

use super::loudness::energy;

/// What is quieter is silence: 10 LU above the gate that R 128 draws below everything, so that
/// the hiss of a phone's microphone in a quiet room is silence too.
pub const SILENCE_BELOW_LUFS: f64 = -60.0;
/// A pause has to last this long to be listed. Breathing between sentences is shorter.
pub const LISTED_SECONDS: f64 = 0.5;

/// A stretch without anything to be heard, in seconds from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Silence {
    /// Where it begins.
    pub start_seconds: f64,
    /// Where it ends.
    pub end_seconds: f64,
}

/// All silence of a recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Silences {
    /// Seconds until something is to be heard, to 10 ms; the whole duration if nothing ever is.
    pub leading_seconds: f64,
    /// Seconds from the last sound to the end; the whole duration if there is no sound.
    pub trailing_seconds: f64,
    /// Every stretch of at least half a second (`LISTED_SECONDS`), the leading and trailing ones
    /// included, in order.
    pub stretches: Vec<Silence>,
}

/// Takes the energies of ever the next 10 ms.
#[derive(Debug, Clone)]
pub(crate) struct SilenceMap {
    rate_hz: f64,
    threshold: f64,
    /// The frame at which the current silence began.
    since: Option<u64>,
    frames: u64,
    found: Silences,
}

impl SilenceMap {
    pub fn new(rate_hz: u32) -> Self {
        let threshold = energy(SILENCE_BELOW_LUFS);
        Self { rate_hz: f64::from(rate_hz), threshold, since: None, frames: 0, found: Silences::default() }
    }

    /// Adds a stretch of `frames` frames with a mean square of `energy`.
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
        let mut map = SilenceMap::new(1000);
        for &(lufs, times) in parts {
            (0..times).for_each(|_| map.push(energy(lufs), 10));
        }
        map.finish()
    }

    #[test]
    fn lists_what_is_long_enough() {
        let found = silences(&[(-70.0, 20), (-20.0, 1), (-70.0, 49), (-20.0, 1), (-70.0, 50), (-20.0, 1), (-61.0, 3)]);
        assert_eq!((found.leading_seconds, found.trailing_seconds), (0.2, 0.03));
        assert_eq!(found.stretches, [Silence { start_seconds: 0.71, end_seconds: 1.21 }]);
    }

    #[test]
    fn all_silent_is_leading_and_trailing() {
        let found = silences(&[(-90.0, 100)]);
        assert_eq!((found.leading_seconds, found.trailing_seconds), (1.0, 1.0));
        assert_eq!(found.stretches.len(), 1);
        assert_eq!(silences(&[]), Silences::default());
    }
}

//! Short sample recordings with different durations.

use std::f64::consts::TAU;

use stack::wav;

/// Number of recordings.
pub const SOUNDS: usize = 6;
/// Content type.
pub const CONTENT_TYPE: &str = "audio/wav";

const RATE_HZ: u32 = 16_000;

/// Duration of a recording in milliseconds. All are different, so that items can be identified by it.
pub fn duration_ms(sound: usize) -> u64 {
    1_000 + 150 * sound as u64
}

/// A recording as WAV: an amplitude-modulated tone with a different pitch each.
pub fn recording(sound: usize) -> Vec<u8> {
    let frames = duration_ms(sound) * u64::from(RATE_HZ) / 1_000;
    let pitch_hz = 120.0 + 35.0 * sound as f64;
    wav::encode(
        RATE_HZ,
        (0..frames).map(|frame| {
            let t = frame as f64 / f64::from(RATE_HZ);
            (3_000.0 * (TAU * 1.3 * t).sin() * (TAU * pitch_hz * t).sin()) as i16
        }),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn recordings_are_distinct() {
        let recordings: BTreeSet<_> = (0..SOUNDS).map(recording).collect();
        assert_eq!(recordings.len(), SOUNDS);
        // The header and two bytes per sample.
        assert_eq!(recording(0).len(), 44 + 2 * RATE_HZ as usize);
    }
}

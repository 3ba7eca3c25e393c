//! How loud a rendition is to be.

use crate::Measured;

/// What listeners hear from a story in stereo, in LUFS: as in podcasts.
pub const STEREO_LUFS: f64 = -16.0;
/// In mono. Two loudspeakers play it, which makes it 3 dB louder than its one channel measures.
pub const MONO_LUFS: f64 = -19.0;
/// What a rendition's true peak must not exceed, in dB relative to full scale.
pub const MAX_DBTP: f64 = -1.0;

/// Encoders at these bit rates move peaks by up to this much, in dB.
const ENCODER_DB: f64 = 1.0;
/// What is quieter than this is a room, not a voice: more gain would play its hiss, in dB.
const MAX_GAIN_DB: f64 = 40.0;
/// How far a limiter may hold single peaks down, in dB. Beyond that, whatever is next to a peak would
/// be heard to duck, and the whole stays quieter instead.
const MAX_LIMITING_DB: f64 = 12.0;

/// What is to be done to a recording's level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The same for every sample, in dB.
    pub gain_db: f64,
    /// Where single peaks are to be held down afterwards, in dB relative to full scale (true peak).
    pub limit_dbtp: Option<f64>,
}

/// The gain that brings a recording of 1 or 2 channels to [`MONO_LUFS`] or [`STEREO_LUFS`].
///
/// It is linear: quiet and loud passages keep their distance. Only if peaks would then stand above
/// [`MAX_DBTP`] (less what encoders add), those are to be limited. What has no loudness (silence, or a
/// sound of less than 400 ms) is made no louder.
pub fn level(measured: &Measured, channels: usize) -> Level {
    let target = if channels == 1 { MONO_LUFS } else { STEREO_LUFS };
    let ceiling = MAX_DBTP - ENCODER_DB;
    let wanted = measured.loudness.integrated_lufs.map_or(0.0, |lufs| (target - lufs).min(MAX_GAIN_DB));
    let Some(peak) = measured.true_peak_dbtp else { return Level { gain_db: wanted, limit_dbtp: None } };
    let most = ceiling - peak;
    // A sound too short to have a loudness is turned down rather than limited.
    let limiting = if measured.loudness.integrated_lufs.is_some() { MAX_LIMITING_DB } else { 0.0 };
    let gain_db = wanted.min(most + limiting);
    Level { gain_db, limit_dbtp: (gain_db > most + f64::EPSILON).then_some(ceiling) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Loudness, Meter};

    fn measured(lufs: Option<f64>, peak: Option<f64>) -> Measured {
        let loudness = Loudness { integrated_lufs: lufs, ..Loudness::default() };
        Measured { loudness, true_peak_dbtp: peak, ..Meter::new(48_000, &[1.0], 2).finish() }
    }

    #[test]
    fn gain_is_linear_while_there_is_room() {
        assert_eq!(level(&measured(Some(-30.0), Some(-17.0)), 2), Level { gain_db: 14.0, limit_dbtp: None });
        assert_eq!(level(&measured(Some(-30.0), Some(-17.0)), 1), Level { gain_db: 11.0, limit_dbtp: None });
        assert_eq!(level(&measured(Some(-6.0), Some(1.0)), 2), Level { gain_db: -10.0, limit_dbtp: None });
    }

    #[test]
    fn only_what_would_stand_out_is_limited() {
        assert_eq!(level(&measured(Some(-30.0), Some(-15.0)), 2), Level { gain_db: 14.0, limit_dbtp: Some(-2.0) });
        // A single bang in a whisper: the whisper stays one.
        assert_eq!(level(&measured(Some(-50.0), Some(-1.0)), 2), Level { gain_db: 11.0, limit_dbtp: Some(-2.0) });
    }

    #[test]
    fn silence_stays_silent() {
        assert_eq!(level(&measured(None, None), 2), Level { gain_db: 0.0, limit_dbtp: None });
        assert_eq!(level(&measured(None, Some(-60.0)), 1), Level { gain_db: 0.0, limit_dbtp: None });
        assert_eq!(level(&measured(None, Some(3.0)), 1), Level { gain_db: -5.0, limit_dbtp: None });
        assert_eq!(level(&measured(Some(-69.0), Some(-60.0)), 2), Level { gain_db: 40.0, limit_dbtp: None });
    }

    proptest! {
        #[test]
        fn peaks_stay_below_the_ceiling_or_are_limited(
            lufs in prop::option::of(-70.0..10.0_f64), peak in prop::option::of(-90.0..36.0_f64), channels in 1..=2_usize
        ) {
            let Level { gain_db, limit_dbtp } = level(&measured(lufs, peak), channels);
            prop_assert!(gain_db.is_finite() && gain_db <= MAX_GAIN_DB);
            if let Some(peak) = peak {
                prop_assert_eq!(peak + gain_db > -2.0 + 1e-9, limit_dbtp.is_some());
                prop_assert!(peak + gain_db <= -2.0 + MAX_LIMITING_DB + 1e-9);
            }
        }
    }
}

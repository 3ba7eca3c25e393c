//! The level of a rendition.

use crate::measure::Measured;

/// The target loudness of a stereo rendition, in LUFS, as usual for podcasts.
pub const STEREO_LUFS: f64 = -16.0;
/// The target loudness of a mono rendition, in LUFS. Two loudspeakers play the one channel, which is 3 dB louder.
pub const MONO_LUFS: f64 = -19.0;
/// The highest true peak of a rendition, in dB relative to full scale.
pub const MAX_DBTP: f64 = -1.0;

/// The most by which encoders raise peaks at our bit rates, in dB.
const ENCODER_DB: f64 = 1.0;
/// The highest gain, in dB. A recording that needs more contains only background noise.
const MAX_GAIN_DB: f64 = 40.0;
/// The most by which a limiter may lower single peaks, in dB. Beyond that, the sound around a peak would be
/// audibly lowered, so the gain is reduced instead.
const MAX_LIMITING_DB: f64 = 12.0;

/// The change of a recording's level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The gain of all samples, in dB.
    pub gain_db: f64,
    /// The limiter's true-peak ceiling after the gain, in dB relative to full scale; `None` for no limiter.
    pub limit_dbtp: Option<f64>,
}

/// The gain that brings a recording of 1 or 2 channels to [`MONO_LUFS`] or [`STEREO_LUFS`].
///
/// The gain is constant, so loudness differences within the recording remain. Peaks that would exceed
/// [`MAX_DBTP`], less a reserve for encoders, are limited. A recording without loudness (silence, or shorter
/// than 400 ms) is never made louder.
pub fn level(measured: &Measured, channels: usize) -> Level {
    let target = if channels == 1 { MONO_LUFS } else { STEREO_LUFS };
    let ceiling = MAX_DBTP - ENCODER_DB;
    let target_gain = measured.loudness.integrated_lufs.map_or(0.0, |lufs| (target - lufs).min(MAX_GAIN_DB));
    let Some(peak) = measured.true_peak_dbtp else { return Level { gain_db: target_gain, limit_dbtp: None } };
    let headroom = ceiling - peak;
    // A recording too short to have a loudness is turned down instead of limited.
    let limiting = if measured.loudness.integrated_lufs.is_some() { MAX_LIMITING_DB } else { 0.0 };
    let gain_db = target_gain.min(headroom + limiting);
    Level { gain_db, limit_dbtp: (gain_db > headroom + f64::EPSILON).then_some(ceiling) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measure::{Loudness, Meter};

    fn measured(lufs: Option<f64>, peak: Option<f64>) -> Measured {
        let loudness = Loudness { integrated_lufs: lufs, ..Loudness::default() };
        Measured { loudness, true_peak_dbtp: peak, ..Meter::new(48_000, &[1.0], 2).finish() }
    }

    #[test]
    fn recording_with_headroom_gets_gain_without_limiter() {
        assert_eq!(level(&measured(Some(-30.0), Some(-17.0)), 2), Level { gain_db: 14.0, limit_dbtp: None });
        assert_eq!(level(&measured(Some(-30.0), Some(-17.0)), 1), Level { gain_db: 11.0, limit_dbtp: None });
        assert_eq!(level(&measured(Some(-6.0), Some(1.0)), 2), Level { gain_db: -10.0, limit_dbtp: None });
    }

    #[test]
    fn peak_above_ceiling_is_limited_up_to_the_maximum() {
        assert_eq!(level(&measured(Some(-30.0), Some(-15.0)), 2), Level { gain_db: 14.0, limit_dbtp: Some(-2.0) });
        // A very loud peak in a quiet recording reduces the gain.
        assert_eq!(level(&measured(Some(-50.0), Some(-1.0)), 2), Level { gain_db: 11.0, limit_dbtp: Some(-2.0) });
    }

    #[test]
    fn recording_without_loudness_is_not_made_louder() {
        assert_eq!(level(&measured(None, None), 2), Level { gain_db: 0.0, limit_dbtp: None });
        assert_eq!(level(&measured(None, Some(-60.0)), 1), Level { gain_db: 0.0, limit_dbtp: None });
        assert_eq!(level(&measured(None, Some(3.0)), 1), Level { gain_db: -5.0, limit_dbtp: None });
        assert_eq!(level(&measured(Some(-69.0), Some(-60.0)), 2), Level { gain_db: 40.0, limit_dbtp: None });
    }

    proptest! {
        #[test]
        fn peak_stays_below_ceiling_or_is_limited(
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

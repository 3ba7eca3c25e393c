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

/// Renditions are lowered this much below [`MAX_DBTP`], in dB, because decoders differ.
const MARGIN_DB: f64 = 0.1;
/// A larger difference from the intended loudness is corrected, in LU.
const MAX_DIFFERENCE_LU: f64 = 0.8;

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
    let target = target_lufs(channels);
    let ceiling = MAX_DBTP - ENCODER_DB;
    let target_gain = measured.loudness.integrated_lufs.map_or(0.0, |lufs| (target - lufs).min(MAX_GAIN_DB));
    let Some(peak) = measured.true_peak_dbtp else { return Level { gain_db: target_gain, limit_dbtp: None } };
    let headroom = ceiling - peak;
    // A recording too short to have a loudness is turned down instead of limited.
    let limiting = if measured.loudness.integrated_lufs.is_some() { MAX_LIMITING_DB } else { 0.0 };
    let gain_db = target_gain.min(headroom + limiting);
    Level { gain_db, limit_dbtp: (gain_db > headroom + f64::EPSILON).then_some(ceiling) }
}

/// The target loudness of a rendition with this many channels, in LUFS.
pub fn target_lufs(channels: usize) -> f64 {
    if channels == 1 { MONO_LUFS } else { STEREO_LUFS }
}

/// The level for another attempt at a rendition, if the last one, made with `last`, exceeds [`MAX_DBTP`] or misses the
/// loudness. `source` is the recording, `rendition` the last rendition, and `attempt` counts from 0.
///
/// Encoders move peaks and remove noise, by an amount that is known only afterwards. The ceiling is lowered first, and
/// the gain as well if that did not suffice. The loudness is corrected once.
pub fn corrected(source: &Measured, channels: usize, last: Level, rendition: &Measured, attempt: u32) -> Option<Level> {
    let first = level(source, channels);
    let excess = rendition.true_peak_dbtp.map_or(0.0, |peak| peak - (MAX_DBTP - MARGIN_DB / 2.0)).max(0.0);
    let difference = match (source.loudness.integrated_lufs, rendition.loudness.integrated_lufs) {
        (Some(before), Some(after)) if attempt == 0 => before + first.gain_db - after,
        _ => 0.0,
    };
    let has_loudness = source.loudness.integrated_lufs.is_some();
    let is_off = difference.abs() > MAX_DIFFERENCE_LU;
    if excess == 0.0 && !is_off {
        return None;
    }
    let lowered = if excess > 0.0 { excess + MARGIN_DB } else { 0.0 };
    let mut gain_db = last.gain_db;
    if is_off {
        gain_db += difference;
    }
    if !has_loudness || attempt > 1 {
        gain_db -= lowered;
    }
    let peak = source.true_peak_dbtp.unwrap_or(f64::NEG_INFINITY);
    let highest = MAX_DBTP - ENCODER_DB;
    // Without a limiter, a ceiling above the peak would change nothing.
    let unlimited = if lowered > 0.0 { highest.min(peak + last.gain_db) } else { highest };
    let ceiling = last.limit_dbtp.unwrap_or(unlimited) - lowered;
    // As for the first attempt, a limiter may lower peaks by no more than this.
    gain_db = gain_db.min(ceiling + MAX_LIMITING_DB - peak);
    let limit_dbtp = (has_loudness && peak + gain_db > ceiling + f64::EPSILON).then_some(ceiling);
    let next = Level { gain_db, limit_dbtp };
    (next != last).then_some(next)
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

    #[test]
    fn rendition_within_both_limits_is_kept() {
        let source = measured(Some(-30.0), Some(-17.0));
        let last = level(&source, 2);
        assert_eq!(corrected(&source, 2, last, &measured(Some(-16.3), Some(-1.2)), 0), None);
        assert_eq!(corrected(&source, 2, last, &measured(Some(-18.0), Some(-1.2)), 1), None, "corrected before");
    }

    #[test]
    fn excess_peak_lowers_the_ceiling_then_the_gain() {
        let source = measured(Some(-30.0), Some(-17.0));
        let rendition = measured(Some(-16.0), Some(0.5));
        let first = corrected(&source, 2, level(&source, 2), &rendition, 0).expect("a correction");
        assert_eq!(first.gain_db, 14.0);
        // The recording peaks at −3 dB after the gain.
        let ceiling = first.limit_dbtp.expect("a limiter");
        assert!((ceiling + 3.0 + 1.65).abs() < 1e-9, "{ceiling}");
        let third = corrected(&source, 2, first, &rendition, 2).expect("a correction");
        assert!(third.gain_db < first.gain_db && third.limit_dbtp < first.limit_dbtp, "{third:?}");
    }

    #[test]
    fn excess_peak_of_recording_without_loudness_lowers_the_gain() {
        let source = measured(None, Some(0.0));
        let last = level(&source, 1);
        let next = corrected(&source, 1, last, &measured(None, Some(0.2)), 0).expect("a correction");
        assert!((next.gain_db - (last.gain_db - 1.35)).abs() < 1e-9, "{next:?}");
        assert_eq!(next.limit_dbtp, None);
    }

    #[test]
    fn quiet_rendition_is_raised_under_the_ceiling() {
        let source = measured(Some(-30.0), Some(-17.0));
        let next = corrected(&source, 2, level(&source, 2), &measured(Some(-17.5), Some(-4.0)), 0);
        assert_eq!(next, Some(Level { gain_db: 15.5, limit_dbtp: Some(-2.0) }));
        // More limiting than allowed.
        let source = measured(Some(-50.0), Some(-1.0));
        assert_eq!(corrected(&source, 2, level(&source, 2), &measured(Some(-41.0), Some(-4.0)), 0), None);
    }

    proptest! {
        #[test]
        fn corrections_end_below_the_maximum(
            lufs in prop::option::of(-60.0..0.0_f64), peak in -60.0..12.0_f64, overshoot in 0.0..6.0_f64,
            channels in 1..=2_usize
        ) {
            // An encoder that always adds the same to the peak.
            let source = measured(lufs, Some(peak));
            let mut last = level(&source, channels);
            let rendered = |level: Level| {
                let peak = level.limit_dbtp.unwrap_or(f64::INFINITY).min(peak + level.gain_db) + overshoot;
                measured(lufs.map(|lufs| lufs + level.gain_db), Some(peak))
            };
            let mut attempt = 0;
            while let Some(next) = corrected(&source, channels, last, &rendered(last), attempt) {
                prop_assert!(next.gain_db <= last.gain_db + 1e-9);
                (last, attempt) = (next, attempt + 1);
                prop_assert!(attempt < 4, "{:?}", last);
            }
            prop_assert!(rendered(last).true_peak_dbtp.is_some_and(|peak| peak <= MAX_DBTP));
        }

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

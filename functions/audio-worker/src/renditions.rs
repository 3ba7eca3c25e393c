//! Makes renditions and measures each, until they keep the true peak and the loudness.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Instant,
};

use function_kit::failure::Failure;
use sound::{Level, Limits, Measured, PcmAnalysis, SoundError, analyse, corrected, target_lufs};
use tracing::warn;

use crate::{
    ffmpeg::{Ffmpeg, FfmpegError, RENDITIONS, RenderSettings, Rendition},
    recording::Recording,
};

/// The most corrections of one rendition.
const MAX_CORRECTIONS: u32 = 5;
/// Renditions are as long as the recording, but for what resampling adds, in seconds.
const MAX_LENGTH_DIFFERENCE: f64 = 0.02;
/// A loudness further below the target counts as limited, in LU.
const MAX_DIFFERENCE_LU: f64 = 1.0;

/// The renditions of a recording, in the order of [`RENDITIONS`].
pub struct Renditions {
    pub files: Vec<PathBuf>,
    /// The gain over the original, in dB: that of the first rendition.
    pub gain_db: f64,
    /// Whether a limiter reduced peaks, or the gain was too small for the target.
    pub is_limited: bool,
}

/// A rendition and its measures.
struct Made {
    file: PathBuf,
    seconds: f64,
    measured: Measured,
}

/// Makes all renditions.
///
/// If their length differs from the analysis, `sound` and ffmpeg decode the recording differently. Then ffmpeg measures it
/// again, so that everything shown agrees with what is played.
pub fn render(recording: &mut Recording, ffmpeg: &Ffmpeg, folder: &Path) -> Result<Renditions, FfmpegError> {
    let all = RENDITIONS.each_ref();
    let started = Instant::now();
    let mut made = make(recording, ffmpeg, folder, recording.level(), &all)?;
    let seconds = recording.seconds().max(RenderSettings::MIN_SECONDS);
    if recording.is_measured_by_sound && made.iter().any(|made| (made.seconds - seconds).abs() > MAX_LENGTH_DIFFERENCE)
    {
        warn!("sound and ffmpeg decode this recording differently");
        recording.measure_with(ffmpeg)?;
        made = make(recording, ffmpeg, folder, recording.level(), &all)?;
    }
    let cost = started.elapsed();
    let mut levels = vec![recording.level(); all.len()];
    for (index, made) in made.iter_mut().enumerate() {
        for attempt in 0..MAX_CORRECTIONS {
            let channels = recording.played_channels();
            let Some(next) = corrected(&recording.played, channels, levels[index], &made.measured, attempt) else {
                break;
            };
            // A rendition that is a little too loud is better than none.
            if ffmpeg.deadline.saturating_duration_since(Instant::now()) < cost {
                warn!(true_peak_dbtp = made.measured.true_peak_dbtp, "no time to correct a rendition");
                break;
            }
            levels[index] = next;
            if let Some(again) = make(recording, ffmpeg, folder, next, &all[index..=index])?.pop() {
                *made = again;
            }
        }
    }
    let target = target_lufs(recording.played_channels());
    let is_limited = levels.iter().any(|level| is_limited(&recording.played, *level, target));
    Ok(Renditions { files: made.into_iter().map(|made| made.file).collect(), gain_db: levels[0].gain_db, is_limited })
}

fn is_limited(source: &Measured, level: Level, target: f64) -> bool {
    let miss = source.loudness.integrated_lufs.map_or(0.0, |lufs| target - lufs - level.gain_db);
    level.limit_dbtp.is_some() || miss > MAX_DIFFERENCE_LU
}

/// Makes renditions with one level, and measures them.
fn make(
    recording: &Recording,
    ffmpeg: &Ffmpeg,
    folder: &Path,
    level: Level,
    renditions: &[&Rendition],
) -> Result<Vec<Made>, FfmpegError> {
    let files = ffmpeg.render(&recording.input, &recording.settings(level), renditions, folder)?;
    files.into_iter().map(measure).collect()
}

/// Measures a rendition. Its formats are those that `sound` decodes.
fn measure(file: PathBuf) -> Result<Made, FfmpegError> {
    let defaults = Limits::default();
    // Encoders add up to a packet. The waveform is not used.
    let limits = Limits { max_seconds: defaults.max_seconds + 1, max_points: 2, ..defaults };
    let analysis = analyse(File::open(&file)?, &limits).map_err(|error| {
        FfmpegError::Failed(match error {
            SoundError::Source { .. } => Failure::transient("read a rendition", error),
            error => Failure::bug("measure a rendition", error),
        })
    })?;
    Ok(Made { file, seconds: analysis.duration_seconds, measured: PcmAnalysis::from(analysis).measured })
}

#[cfg(test)]
mod tests {
    use sound::{Loudness, Meter};

    use super::*;

    #[test]
    fn rendition_is_limited_by_a_limiter_or_too_little_gain() {
        let loudness = Loudness { integrated_lufs: Some(-30.0), ..Loudness::default() };
        let source = Measured { loudness, ..Meter::new(48_000, &[1.0], 2).finish() };
        let level = |gain_db, limit_dbtp| Level { gain_db, limit_dbtp };
        assert!(!is_limited(&source, level(14.0, None), -16.0));
        assert!(!is_limited(&source, level(13.2, None), -16.0));
        assert!(is_limited(&source, level(14.0, Some(-2.0)), -16.0));
        assert!(is_limited(&source, level(12.0, None), -16.0));
    }
}

//! Runs ffmpeg, which decodes formats that `sound` does not, and encodes renditions.
//!
//! ffmpeg is C code that reads untrusted input. The arguments name the input format: a guessed format could be a
//! playlist that opens other files. ffmpeg may open files and pipes only, and decoders of sound only. It gets no
//! environment, which contains credentials, cannot read that of this process, opens no sockets, and is killed at the
//! deadline.

mod containment;
mod decoders;
mod input;
mod process;
mod rendering;
mod streams;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Instant,
};

use function_kit::failure::Failure;
use sound::{Limits, PcmAnalysis, SoundError, analyse_pcm};

pub use containment::protect_this_process;
pub use input::{Input, demuxer, repair};
use process::{Exit, Process};
pub use rendering::{RENDITIONS, RenderSettings, Rendition};
pub use streams::AudioTrack;
use streams::audio_tracks;

/// The program and its deadline.
#[derive(Debug)]
pub struct Ffmpeg {
    pub program: PathBuf,
    pub deadline: Instant,
}

/// A failed run of ffmpeg.
#[derive(Debug, thiserror::Error)]
pub enum FfmpegError {
    /// ffmpeg could not process the recording.
    #[error("ffmpeg rejected the recording")]
    Rejected,
    /// The deadline passed.
    #[error("ffmpeg timed out")]
    TimedOut,
    /// The decoded samples could not be measured.
    #[error(transparent)]
    Measure(SoundError),
    /// Not caused by the recording: the program is missing, or the disk is full.
    #[error(transparent)]
    Failed(Failure),
}

impl From<io::Error> for FfmpegError {
    fn from(error: io::Error) -> Self {
        Self::Failed(Failure::bug("run ffmpeg", error))
    }
}

impl Ffmpeg {
    /// The audio tracks, in order.
    pub fn audio_tracks(&self, input: &Input) -> Result<Vec<AudioTrack>, FfmpegError> {
        // Without an output, ffmpeg prints the input's streams and exits with an error.
        let exit = self.run(&input.arguments("info"))?;
        Ok(audio_tracks(&exit.stderr))
    }

    /// Decodes and measures the recording, unchanged or mixed to stereo.
    pub fn measure(&self, input: &Input, as_stereo: bool, limits: &Limits) -> Result<PcmAnalysis, FfmpegError> {
        let mut process = Process::start(&self.program, &input.decode_arguments(as_stereo), self.deadline)?;
        // `analyse_pcm` drops the pipe. An ffmpeg that still writes then ends.
        let measured = analyse_pcm(process.output(), limits);
        let exit = process.finish()?;
        match measured {
            _ if exit.timed_out => Err(FfmpegError::TimedOut),
            _ if exit.was_killed => Err(killed(&exit)),
            Ok(analysis) if exit.is_success => Ok(analysis),
            Ok(_) | Err(SoundError::NoSamples) if !exit.is_success => Err(FfmpegError::Rejected),
            Ok(analysis) => Ok(analysis),
            Err(error) => Err(FfmpegError::Measure(error)),
        }
    }

    /// Makes renditions with one level. Returns their files in `folder`, in order.
    ///
    /// One process decodes, exactly as for [`measure`](Self::measure), and another one encodes.
    pub fn render(
        &self,
        input: &Input,
        settings: &RenderSettings,
        renditions: &[&Rendition],
        folder: &Path,
    ) -> Result<Vec<PathBuf>, FfmpegError> {
        let files: Vec<_> = renditions.iter().map(|rendition| folder.join(rendition.file_name)).collect();
        let as_stereo = settings.channels > 2;
        let mut decoder = Process::start(&self.program, &input.decode_arguments(as_stereo), self.deadline)?;
        let encoding = settings.arguments(renditions, &files);
        let encoder = Process::start_with_input(&self.program, &encoding, self.deadline, decoder.pipe())?;
        let (encoded, decoded) = (encoder.finish()?, decoder.finish()?);
        if encoded.timed_out || decoded.timed_out {
            return Err(FfmpegError::TimedOut);
        }
        if encoded.is_disk_full() {
            return Err(FfmpegError::Failed(Failure::transient("encode", "the disk is full")));
        }
        // The death of one process makes the other one fail.
        if let Some(exit) = [&encoded, &decoded].into_iter().find(|exit| exit.was_killed) {
            return Err(killed(exit));
        }
        for exit in [&encoded, &decoded] {
            if !exit.is_success {
                tracing::warn!(status = exit.status, stderr = exit.first_line(), "ffmpeg failed");
                return Err(FfmpegError::Rejected);
            }
        }
        let is_complete = files.iter().all(|file| file.metadata().is_ok_and(|metadata| metadata.len() > 0));
        if is_complete { Ok(files) } else { Err(FfmpegError::Rejected) }
    }

    /// Runs ffmpeg without reading its standard output.
    fn run(&self, arguments: &[OsString]) -> Result<Exit, FfmpegError> {
        let exit = Process::start(&self.program, arguments, self.deadline)?.finish()?;
        match exit {
            Exit { timed_out: true, .. } => Err(FfmpegError::TimedOut),
            Exit { was_killed: true, .. } => Err(killed(&exit)),
            exit => Ok(exit),
        }
    }
}

/// The failure of a process that a signal ended. The same recording may succeed later.
fn killed(exit: &Exit) -> FfmpegError {
    FfmpegError::Failed(Failure::transient("run ffmpeg", exit.status.clone()))
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt, time::Duration};

    use sound::{FileFormat, Layout, Level, OtherFormat, Structure};

    use super::*;

    fn input() -> Input {
        let layout = Layout { format: FileFormat::Other(OtherFormat::Amr), start: 0, structure: Structure::Plain };
        Input::new("/tmp/x".into(), 1, "amr", &layout)
    }

    #[test]
    fn death_by_a_signal_is_transient() {
        // A script as the program: ffmpeg itself is not at hand everywhere.
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("ffmpeg");
        std::fs::write(&program, "#!/bin/sh\nkill -KILL $$\n").expect("a script");
        std::fs::set_permissions(&program, Permissions::from_mode(0o700)).expect("executable");
        let ffmpeg = Ffmpeg { program, deadline: Instant::now() + Duration::from_secs(60) };
        let settings = RenderSettings { level: Level { gain_db: 0.0, limit_dbtp: None }, rate_hz: 48_000, channels: 1 };
        for error in [
            ffmpeg.audio_tracks(&input()).expect_err("killed"),
            ffmpeg.measure(&input(), false, &Limits::default()).expect_err("killed"),
            ffmpeg.render(&input(), &settings, &RENDITIONS.each_ref(), folder.path()).expect_err("killed"),
        ] {
            let FfmpegError::Failed(failure) = error else { panic!("{error:?}") };
            assert_eq!(failure.kind, function_kit::failure::Kind::Transient);
        }
    }

    #[test]
    fn missing_program_is_a_bug() {
        let ffmpeg = Ffmpeg { program: "/nowhere/ffmpeg".into(), deadline: Instant::now() };
        let Err(FfmpegError::Failed(failure)) = ffmpeg.audio_tracks(&input()) else { panic!("no failure") };
        assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
    }
}

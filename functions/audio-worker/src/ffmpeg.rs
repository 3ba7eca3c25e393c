//! Runs ffmpeg, which decodes formats that `sound` does not, and encodes renditions.
//!
//! ffmpeg is C code that reads untrusted input. The arguments name the input format: a guessed format could be a
//! playlist that opens other files. ffmpeg may open files and pipes only. It gets no environment, which contains
//! credentials, and is killed at the deadline.

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
        if exit.timed_out { Err(FfmpegError::TimedOut) } else { Ok(exit) }
    }
}

#[cfg(test)]
mod tests {
    use sound::{FileFormat, Layout, OtherFormat, Structure};

    use super::*;

    #[test]
    fn missing_program_is_a_bug() {
        let ffmpeg = Ffmpeg { program: "/nowhere/ffmpeg".into(), deadline: Instant::now() };
        let layout = Layout { format: FileFormat::Other(OtherFormat::Amr), start: 0, structure: Structure::Plain };
        let input = Input::new("/tmp/x".into(), 1, "amr", &layout);
        let Err(FfmpegError::Failed(failure)) = ffmpeg.audio_tracks(&input) else { panic!("no failure") };
        assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
    }
}

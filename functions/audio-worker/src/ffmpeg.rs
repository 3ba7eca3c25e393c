//! Runs ffmpeg, which decodes formats that `sound` does not, and encodes renditions.
//!
//! ffmpeg is C code that reads untrusted input. The arguments name the input format: a guessed format could be a
//! playlist that opens other files. ffmpeg may open files and pipes only. It gets no environment, which contains
//! credentials, and is killed at the deadline.

mod process;
mod rendering;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Instant,
};

use function_kit::failure::Failure;
use sound::{Container, FileFormat, Limits, OtherFormat, PcmAnalysis, SoundError, analyse_pcm};

use process::{Exit, Process};
pub use rendering::{RENDITIONS, RenderSettings};

/// The program and its deadline.
#[derive(Debug)]
pub struct Ffmpeg {
    pub program: PathBuf,
    pub deadline: Instant,
}

/// An input file.
#[derive(Debug)]
pub struct Input {
    pub path: PathBuf,
    /// ffmpeg's name of the format, recognised by content.
    pub demuxer: &'static str,
    /// Whether the codec is Opus. It is decoded with libopus, the reference: ffmpeg's own decoder is off by some dB
    /// for SILK and hybrid frames.
    pub is_opus: bool,
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

/// ffmpeg's name of a format; `None` for formats in which phones and browsers do not record. Each omitted format
/// reduces the attack surface.
pub fn demuxer(format: FileFormat) -> Option<&'static str> {
    Some(match format {
        FileFormat::Supported(Container::Wav) | FileFormat::Other(OtherFormat::LargeWav) => "wav",
        FileFormat::Supported(Container::Flac) => "flac",
        FileFormat::Supported(Container::Ogg) => "ogg",
        FileFormat::Supported(Container::Mp4) => "mov",
        FileFormat::Supported(Container::Mpeg) | FileFormat::Other(OtherFormat::MpegLayer2) => "mp3",
        FileFormat::Supported(Container::Adts) => "aac",
        FileFormat::Other(OtherFormat::Amr) => "amr",
        FileFormat::Other(OtherFormat::Matroska) => "matroska",
        FileFormat::Other(OtherFormat::Aiff) => "aiff",
        FileFormat::Other(OtherFormat::Caf) => "caf",
        FileFormat::Other(OtherFormat::Named(_)) => return None,
    })
}

impl Ffmpeg {
    /// The codec of the first audio track, by ffmpeg's name; `None` without an audio track.
    pub fn codec(&self, input: &Input) -> Result<Option<String>, FfmpegError> {
        // Without an output, ffmpeg prints the input's streams and exits with an error.
        let exit = self.run(&input.arguments("info"))?;
        Ok(codec(&exit.stderr))
    }

    /// Decodes and measures the first audio track, unchanged or mixed to stereo.
    pub fn measure(&self, input: &Input, as_stereo: bool, limits: &Limits) -> Result<PcmAnalysis, FfmpegError> {
        let mut arguments = input.arguments("error");
        arguments.extend(["-map", "0:a:0"].map(Into::into));
        if as_stereo {
            arguments.extend(["-ac", "2"].map(Into::into));
        }
        arguments.extend(["-f", "wav", "-c:a", "pcm_f32le", "-bitexact", "pipe:1"].map(Into::into));
        let mut process = Process::start(&self.program, &arguments, self.deadline)?;
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

    /// Makes all renditions in one run. Returns their files in `folder`, in the order of [`RENDITIONS`].
    pub fn render(&self, input: &Input, settings: &RenderSettings, folder: &Path) -> Result<Vec<PathBuf>, FfmpegError> {
        let files: Vec<_> = RENDITIONS.iter().map(|rendition| folder.join(rendition.file_name)).collect();
        let mut arguments = input.arguments("error");
        arguments.extend(settings.arguments(&files));
        let exit = self.run(&arguments)?;
        if exit.is_disk_full() {
            return Err(FfmpegError::Failed(Failure::transient("encode", "the disk is full")));
        }
        if !exit.is_success {
            tracing::warn!(status = exit.status, stderr = exit.first_line(), "ffmpeg failed");
            return Err(FfmpegError::Rejected);
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

impl Input {
    /// The arguments before the outputs.
    fn arguments(&self, log_level: &str) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        arguments.extend(["-nostdin", "-hide_banner", "-nostats", "-y", "-v", log_level].map(Into::into));
        arguments.extend(["-protocol_whitelist", "file,pipe", "-threads", "1", "-f", self.demuxer].map(Into::into));
        if self.is_opus {
            arguments.extend(["-c:a", "libopus"].map(Into::into));
        }
        // Decodes only audio: no video, subtitles or data.
        arguments.extend(["-vn", "-sn", "-dn", "-i"].map(Into::into));
        arguments.push(self.path.clone().into());
        arguments
    }
}

/// Parses `  Stream #0:1[0x2](und): Audio: aac (HE-AAC) (mp4a / 0x6134706D), 48000 Hz, …`.
fn codec(stderr: &str) -> Option<String> {
    let stream = stderr.lines().find_map(|line| {
        let line = line.trim_start();
        line.starts_with("Stream #0:").then(|| line.split_once(": Audio: "))?
    });
    let description = stream?.1;
    let name: String = description.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    Some(match &name[..] {
        "aac" if description.starts_with("aac (HE-AAC") => "he_aac".to_owned(),
        "aac" => "aac_lc".to_owned(),
        name if name.starts_with("pcm_") => "pcm".to_owned(),
        _ => name,
    })
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt, time::Duration};

    use sound::Level;

    use super::*;

    #[test]
    fn codec_is_parsed_from_the_stream_line() {
        let stderr = "Input #0, mov, from 'x':\n  Duration: 00:00:01.00\n  Stream #0:0[0x1](und): Video: h264, yuv420p\n  \
            Stream #0:1[0x2](und): Audio: aac (HE-AACv2) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp\n";
        assert_eq!(codec(stderr).as_deref(), Some("he_aac"));
        let line = |rest: &str| codec(&format!("  Stream #0:0: Audio: {rest}"));
        assert_eq!(line("amr_nb (amrnb) (samr / 0x726D6173), 8000 Hz, mono").as_deref(), Some("amr_nb"));
        assert_eq!(line("aac (LC), 24000 Hz").as_deref(), Some("aac_lc"));
        assert_eq!(line("pcm_s24be, 48000 Hz").as_deref(), Some("pcm"));
        assert_eq!(codec("  Stream #0:0: Video: h264\nAt least one output file must be specified"), None);
        // A metadata tag, not a stream.
        assert_eq!(codec("    title : Stream #0: Audio: mp3"), None);
    }

    #[test]
    fn arguments_name_the_input_format() {
        let input = Input { path: "/tmp/x".into(), demuxer: "mov", is_opus: false };
        let arguments = input.arguments("error");
        let at = |text: &str| arguments.iter().position(|argument| argument == text).expect("an argument");
        assert!(at("mov") == at("-f") + 1 && at("-f") < at("-i"));
        assert_eq!(arguments[at("-protocol_whitelist") + 1], "file,pipe");
        assert_eq!(demuxer(FileFormat::Other(OtherFormat::Named("WavPack"))), None);
    }

    #[test]
    fn death_by_a_signal_is_transient() {
        // A script as the program: ffmpeg itself is not at hand everywhere.
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("ffmpeg");
        std::fs::write(&program, "#!/bin/sh\nkill -KILL $$\n").expect("a script");
        std::fs::set_permissions(&program, Permissions::from_mode(0o700)).expect("executable");
        let ffmpeg = Ffmpeg { program, deadline: Instant::now() + Duration::from_secs(60) };
        let input = Input { path: "/tmp/x".into(), demuxer: "mov", is_opus: false };
        let settings = RenderSettings { level: Level { gain_db: 0.0, limit_dbtp: None }, rate_hz: 48_000, channels: 1 };
        for error in [
            ffmpeg.codec(&input).expect_err("killed"),
            ffmpeg.measure(&input, false, &Limits::default()).expect_err("killed"),
            ffmpeg.render(&input, &settings, folder.path()).expect_err("killed"),
        ] {
            let FfmpegError::Failed(failure) = error else { panic!("{error:?}") };
            assert_eq!(failure.kind, function_kit::failure::Kind::Transient);
        }
    }

    #[test]
    fn missing_program_is_a_bug() {
        let ffmpeg = Ffmpeg { program: "/nowhere/ffmpeg".into(), deadline: Instant::now() };
        let input = Input { path: "/tmp/x".into(), demuxer: "mov", is_opus: false };
        let Err(FfmpegError::Failed(failure)) = ffmpeg.codec(&input) else { panic!("no failure") };
        assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
    }
}

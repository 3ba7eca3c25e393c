//! ffmpeg as a child process: it decodes what `sound` does not, and encodes.
//!
//! It reads strangers' bytes in C. So it is told which format they are in, and guesses none: a text
//! that is a playlist would have it open other files. It may open files only, and it sees nothing of
//! this function's environment, which holds credentials. It ends when the time is up.

mod process;
mod rendering;

use std::{
    io,
    path::{Path, PathBuf},
    time::Instant,
};

use function_kit::failure::Failure;
use sound::{Container, Decoded, Foreign, Limits, Recognised, SoundError, analyse_pcm};

use process::Run;
pub use rendering::{RENDITIONS, Rendering};

/// The program, and until when it may run.
#[derive(Debug)]
pub struct Ffmpeg {
    pub program: PathBuf,
    pub deadline: Instant,
}

/// A recording that it is to read.
#[derive(Debug)]
pub struct Input {
    pub path: PathBuf,
    /// By content, as ffmpeg calls it.
    pub demuxer: &'static str,
    /// Whether it is Opus. ffmpeg's own decoder is some dB off for SILK and hybrid frames; libopus,
    /// the reference, is in it, too.
    pub is_opus: bool,
}

/// What ffmpeg could not do.
#[derive(Debug)]
pub enum Undone {
    /// It gave up on the recording.
    Refused,
    /// The time is up.
    TooSlow,
    /// What was decoded cannot be measured.
    Measuring(SoundError),
    /// It is not there, or the disk is full: not the recording's fault.
    Failed(Failure),
}

impl Undone {
    fn bug(error: io::Error) -> Self {
        Self::Failed(Failure::bug("run ffmpeg", error))
    }
}

/// What ffmpeg calls a format, if it is one that phones and browsers record in. Each that is not here
/// is one less that strangers can attack.
pub fn demuxer(recognised: Recognised) -> Option<&'static str> {
    Some(match recognised {
        Recognised::Known(Container::Wav) | Recognised::Foreign(Foreign::LargeWav) => "wav",
        Recognised::Known(Container::Flac) => "flac",
        Recognised::Known(Container::Ogg) => "ogg",
        Recognised::Known(Container::Mp4) => "mov",
        Recognised::Known(Container::Mpeg) | Recognised::Foreign(Foreign::MpegLayer2) => "mp3",
        Recognised::Known(Container::Adts) => "aac",
        Recognised::Foreign(Foreign::Amr) => "amr",
        Recognised::Foreign(Foreign::Matroska) => "matroska",
        Recognised::Foreign(Foreign::Aiff) => "aiff",
        Recognised::Foreign(Foreign::Caf) => "caf",
        Recognised::Foreign(Foreign::Other(_)) => return None,
    })
}

impl Ffmpeg {
    /// How the first track of sound is encoded, in ffmpeg's words; `None` if there is no sound.
    pub fn codec(&self, input: &Input) -> Result<Option<String>, Undone> {
        // Without an output it says what it finds, and that there is no output.
        let run = Run::start(self, &input.arguments("info")).map_err(Undone::bug)?;
        let ended = run.finish().map_err(Undone::bug)?;
        if ended.is_late { Err(Undone::TooSlow) } else { Ok(codec(&ended.said)) }
    }

    /// Decodes and measures the first track of sound; as it is, or mixed down to stereo.
    pub fn measure(&self, input: &Input, as_stereo: bool, limits: &Limits) -> Result<Decoded, Undone> {
        let mut arguments = input.arguments("error");
        arguments.extend(["-map", "0:a:0"].map(Into::into));
        if as_stereo {
            arguments.extend(["-ac", "2"].map(Into::into));
        }
        arguments.extend(["-f", "wav", "-c:a", "pcm_f32le", "-bitexact", "pipe:1"].map(Into::into));
        let mut run = Run::start(self, &arguments).map_err(Undone::bug)?;
        // The pipe is closed when this is done with it: then also ffmpeg is, if it was not.
        let measured = analyse_pcm(run.output(), limits);
        let ended = run.finish().map_err(Undone::bug)?;
        match measured {
            _ if ended.is_late => Err(Undone::TooSlow),
            Ok(decoded) if ended.is_well => Ok(decoded),
            Ok(_) | Err(SoundError::NoSamples) if !ended.is_well => Err(Undone::Refused),
            Ok(decoded) => Ok(decoded),
            Err(error) => Err(Undone::Measuring(error)),
        }
    }

    /// Makes all renditions in one run; their files, in the order of [`RENDITIONS`].
    pub fn render(&self, input: &Input, rendering: &Rendering, folder: &Path) -> Result<Vec<PathBuf>, Undone> {
        let files: Vec<_> = RENDITIONS.iter().map(|rendition| folder.join(rendition.file_name)).collect();
        let mut arguments = input.arguments("error");
        arguments.extend(rendering.arguments(&files));
        let run = Run::start(self, &arguments).map_err(Undone::bug)?;
        let ended = run.finish().map_err(Undone::bug)?;
        if ended.is_late {
            Err(Undone::TooSlow)
        } else if ended.is_disk_full() {
            Err(Undone::Failed(Failure::transient("encode", "the disk is full")))
        } else if !ended.is_well {
            tracing::warn!(status = ended.status, said = ended.first_line(), "ffmpeg gave up");
            Err(Undone::Refused)
        } else if files.iter().all(|file| file.metadata().is_ok_and(|metadata| metadata.len() > 0)) {
            Ok(files)
        } else {
            Err(Undone::Refused)
        }
    }
}

impl Input {
    /// What stands in front of the outputs.
    fn arguments(&self, log_level: &str) -> Vec<std::ffi::OsString> {
        let mut arguments: Vec<std::ffi::OsString> = Vec::new();
        arguments.extend(["-nostdin", "-hide_banner", "-nostats", "-y", "-v", log_level].map(Into::into));
        arguments.extend(["-protocol_whitelist", "file,pipe", "-threads", "1", "-f", self.demuxer].map(Into::into));
        if self.is_opus {
            arguments.extend(["-c:a", "libopus"].map(Into::into));
        }
        // Nothing but sound is decoded: no pictures, no subtitles, no data.
        arguments.extend(["-vn", "-sn", "-dn", "-i"].map(Into::into));
        arguments.push(self.path.clone().into());
        arguments
    }
}

/// From `  Stream #0:1[0x2](und): Audio: aac (HE-AAC) (mp4a / 0x6134706D), 48000 Hz, …`.
fn codec(said: &str) -> Option<String> {
    let stream = said.lines().find_map(|line| {
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
    use super::*;

    #[test]
    fn reads_which_codec_it_is() {
        let said = "Input #0, mov, from 'x':\n  Duration: 00:00:01.00\n  Stream #0:0[0x1](und): Video: h264, yuv420p\n  \
            Stream #0:1[0x2](und): Audio: aac (HE-AACv2) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp\n";
        assert_eq!(codec(said).as_deref(), Some("he_aac"));
        let line = |rest: &str| codec(&format!("  Stream #0:0: Audio: {rest}"));
        assert_eq!(line("amr_nb (amrnb) (samr / 0x726D6173), 8000 Hz, mono").as_deref(), Some("amr_nb"));
        assert_eq!(line("aac (LC), 24000 Hz").as_deref(), Some("aac_lc"));
        assert_eq!(line("pcm_s24be, 48000 Hz").as_deref(), Some("pcm"));
        assert_eq!(codec("  Stream #0:0: Video: h264\nAt least one output file must be specified"), None);
        // A tag is not a stream.
        assert_eq!(codec("    title : Stream #0: Audio: mp3"), None);
    }

    #[test]
    fn no_format_is_guessed() {
        let input = Input { path: "/tmp/x".into(), demuxer: "mov", is_opus: false };
        let arguments = input.arguments("error");
        let at = |text: &str| arguments.iter().position(|argument| argument == text).expect("an argument");
        assert!(at("mov") == at("-f") + 1 && at("-f") < at("-i"));
        assert_eq!(arguments[at("-protocol_whitelist") + 1], "file,pipe");
        assert_eq!(demuxer(Recognised::Foreign(Foreign::Other("WavPack"))), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_a_bug() {
        let ffmpeg = Ffmpeg { program: "/nowhere/ffmpeg".into(), deadline: Instant::now() };
        let input = Input { path: "/tmp/x".into(), demuxer: "mov", is_opus: false };
        let Err(Undone::Failed(failure)) = ffmpeg.codec(&input) else { panic!("it ran") };
        assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
    }
}

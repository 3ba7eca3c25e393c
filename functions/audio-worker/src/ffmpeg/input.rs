//! An input file and the arguments with which ffmpeg plays it as `sound` does.

use std::{ffi::OsString, ops::Range, path::PathBuf};

use sound::{Container, FileFormat, Layout, Links, OtherFormat, Part, Structure, WavData};

use super::decoders::decoders;

/// The most packets that may be damaged, as a share of all. Half a recording is not a recording.
const MAX_DAMAGED: &str = "0.5";

/// An input file.
#[derive(Debug)]
pub struct Input {
    pub path: PathBuf,
    /// ffmpeg's name of the format, recognised by content.
    pub demuxer: &'static str,
    /// Whether the codec is Opus. It is decoded with libopus, the reference: ffmpeg's own decoder is off by some dB
    /// for SILK and hybrid frames.
    pub is_opus: bool,
    /// The index of the track among the audio tracks.
    pub track: usize,
    /// The recordings in the file, as ranges of bytes; none for the whole file.
    pub ranges: Vec<Range<u64>>,
    /// The parts to play of each audio track of an MP4; `None` if ffmpeg applies the edit list itself.
    pub tracks: Vec<Option<Vec<Part>>>,
}

/// ffmpeg's name of a format; `None` for formats in which phones and browsers do not record. Each omitted format
/// reduces the attack surface.
pub fn demuxer(format: FileFormat) -> Option<&'static str> {
    Some(match format {
        FileFormat::Supported(Container::Wav) => "wav",
        FileFormat::Supported(Container::Flac) => "flac",
        FileFormat::Supported(Container::Ogg) => "ogg",
        FileFormat::Supported(Container::Mp4) => "mov",
        FileFormat::Supported(Container::Mpeg)
        | FileFormat::Other(OtherFormat::MpegLayer1 | OtherFormat::MpegLayer2) => "mp3",
        FileFormat::Supported(Container::Adts) => "aac",
        FileFormat::Other(OtherFormat::Amr) => "amr",
        FileFormat::Other(OtherFormat::Matroska) => "matroska",
        FileFormat::Other(OtherFormat::Aiff) => "aiff",
        FileFormat::Other(OtherFormat::Caf) => "caf",
        FileFormat::Other(OtherFormat::Named(_)) => return None,
    })
}

/// The bytes to write into a WAV whose headers are wrong, and their offset, so that ffmpeg reads what `sound` reads.
pub fn repair(layout: &Layout) -> Option<(u64, &[u8])> {
    match &layout.structure {
        Structure::Wav(WavData { header, data, is_regular: false }) => {
            data.start.checked_sub(header.len() as u64).map(|start| (start, &header[..]))
        }
        _ => None,
    }
}

impl Input {
    /// The file of `size` bytes at `path`.
    pub fn new(path: PathBuf, size: u64, demuxer: &'static str, layout: &Layout) -> Self {
        let tracks = match &layout.structure {
            Structure::Mp4(tracks) => tracks.iter().map(|track| track.parts.clone()).collect(),
            _ => Vec::new(),
        };
        let ranges = match &layout.structure {
            Structure::Ogg(Links { parts, .. }) if parts.len() > 1 => parts.clone(),
            Structure::Wav(WavData { data, .. }) => {
                repair(layout).map(|(start, _)| start..data.end).into_iter().collect()
            }
            // A stream of frames that begins after tags, or within a frame.
            Structure::Plain if matches!(demuxer, "mp3" | "aac") && layout.start > 0 => {
                std::iter::once(layout.start..size).collect()
            }
            _ => Vec::new(),
        };
        Self { path, demuxer, is_opus: false, track: 0, ranges, tracks }
    }

    /// The arguments before the outputs.
    pub(super) fn arguments(&self, log_level: &str) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        arguments.extend(["-nostdin", "-hide_banner", "-nostats", "-y", "-v", log_level].map(Into::into));
        arguments.extend(["-max_error_rate", MAX_DAMAGED].map(Into::into));
        for url in self.urls() {
            arguments.extend(["-protocol_whitelist", "file,pipe,subfile", "-threads", "1"].map(Into::into));
            arguments.extend(["-f", self.demuxer, "-codec_whitelist"].map(Into::into));
            arguments.push(decoders(self.demuxer).into());
            if self.is_opus {
                arguments.extend(["-c:a", "libopus"].map(Into::into));
            }
            if self.parts().is_some() {
                // The filters cut the parts, to the sample. ffmpeg's own way is a packet inexact.
                arguments.extend(["-ignore_editlist", "1", "-flags2", "skip_manual"].map(Into::into));
            }
            // Reads only audio: no video, subtitles or data.
            arguments.extend(["-vn", "-sn", "-dn", "-i"].map(Into::into));
            arguments.push(url);
        }
        arguments
    }

    /// The arguments that decode the recording to a WAV on the standard output, unchanged or mixed to stereo. Its samples
    /// have no time stamps, so those of the recording may jump.
    pub(super) fn decode_arguments(&self, as_stereo: bool) -> Vec<OsString> {
        let mut arguments = self.arguments("error");
        arguments.extend(["-filter_complex".into(), self.filters(as_stereo).into()]);
        arguments.extend(["-map", "[out]", "-f", "wav", "-c:a", "pcm_f32le", "-bitexact", "pipe:1"].map(Into::into));
        arguments
    }

    fn urls(&self) -> Vec<OsString> {
        if self.ranges.is_empty() {
            return vec![self.path.clone().into()];
        }
        let url = |range: &Range<u64>| {
            let mut url = OsString::from(format!("subfile,,start,{},end,{},,:", range.start, range.end));
            url.push(&self.path);
            url
        };
        self.ranges.iter().map(url).collect()
    }

    fn parts(&self) -> Option<&[Part]> {
        self.tracks.get(self.track)?.as_deref()
    }

    fn filters(&self, as_stereo: bool) -> String {
        let track = self.track;
        let recordings = match (self.ranges.len(), self.parts()) {
            (0 | 1, None) => format!("[0:a:{track}]anull"),
            (0 | 1, Some(parts)) => cut(track, parts),
            (count, _) => join(count),
        };
        let mix = if as_stereo { ",aformat=channel_layouts=stereo" } else { "" };
        format!("{recordings}{mix}[out]")
    }
}

/// Filters that leave only the parts, which are in order.
fn cut(track: usize, parts: &[Part]) -> String {
    // The count of samples is the time, as for `sound`.
    let counted = format!("[0:a:{track}]asetpts=N/SR/TB");
    let trim = |part: &Part| {
        let end = part.end_seconds.map(|end| format!(":end={end:.6}")).unwrap_or_default();
        format!("atrim=start={:.6}{end},asetpts=PTS-STARTPTS", part.start_seconds)
    };
    if let [part] = parts {
        return format!("{counted},{}", trim(part));
    }
    let labels = |prefix: &str| (0..parts.len()).map(|index| format!("[{prefix}{index}]")).collect::<String>();
    let trims: String =
        parts.iter().enumerate().map(|(index, part)| format!(";[p{index}]{}[q{index}]", trim(part))).collect();
    let count = parts.len();
    format!("{counted},asplit={count}{}{trims};{}concat=n={count}:v=0:a=1", labels("p"), labels("q"))
}

/// Filters that join recordings of different formats. One encoder needs one format.
fn join(count: usize) -> String {
    let unified: String = (0..count)
        .map(|index| format!("[{index}:a:0]aformat=sample_rates=48000:channel_layouts=stereo[c{index}];"))
        .collect();
    let labels: String = (0..count).map(|index| format!("[c{index}]")).collect();
    format!("{unified}{labels}concat=n={count}:v=0:a=1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(demuxer: &'static str) -> Input {
        Input { path: "/tmp/x".into(), demuxer, is_opus: false, track: 0, ranges: Vec::new(), tracks: Vec::new() }
    }

    fn part(start_seconds: f64, end_seconds: Option<f64>) -> Part {
        Part { start_seconds, end_seconds }
    }

    #[test]
    fn arguments_name_the_input_format() {
        let arguments = input("mov").arguments("error");
        let at = |text: &str| arguments.iter().position(|argument| argument == text).expect("an argument");
        assert!(at("mov") == at("-f") + 1 && at("-f") < at("-i"));
        assert_eq!(arguments[at("-protocol_whitelist") + 1], "file,pipe,subfile");
        assert!(at("-codec_whitelist") < at("-i") && arguments[at("-codec_whitelist") + 1] == *decoders("mov"));
        assert_eq!(demuxer(FileFormat::Other(OtherFormat::Named("WavPack"))), None);
    }

    #[test]
    fn parts_replace_the_edit_list_of_ffmpeg() {
        assert_eq!(input("mov").filters(false), "[0:a:0]anull[out]");
        let with = |parts| Input { tracks: vec![parts], ..input("mov") };
        let one = with(Some(vec![part(0.0478911, Some(3.0))]));
        assert_eq!(
            one.filters(true),
            "[0:a:0]asetpts=N/SR/TB,atrim=start=0.047891:end=3.000000,asetpts=PTS-STARTPTS,aformat=channel_layouts=stereo[out]"
        );
        let two = with(Some(vec![part(0.0, Some(1.0)), part(2.0, None)]));
        assert_eq!(
            two.filters(false),
            "[0:a:0]asetpts=N/SR/TB,asplit=2[p0][p1];[p0]atrim=start=0.000000:end=1.000000,asetpts=PTS-STARTPTS[q0];\
            [p1]atrim=start=2.000000,asetpts=PTS-STARTPTS[q1];[q0][q1]concat=n=2:v=0:a=1[out]"
        );
        let ignores = |input: &Input| input.arguments("error").iter().any(|argument| argument == "-ignore_editlist");
        assert!(ignores(&one) && !ignores(&with(None)));
    }

    #[test]
    fn recordings_in_one_file_are_joined() {
        let chain = Input { ranges: vec![0..100, 100..300], ..input("ogg") };
        let arguments = chain.arguments("error");
        let urls: Vec<_> = arguments
            .iter()
            .filter(|argument| argument.to_str().is_some_and(|text| text.starts_with("subfile")))
            .collect();
        assert_eq!(urls, ["subfile,,start,0,end,100,,:/tmp/x", "subfile,,start,100,end,300,,:/tmp/x"]);
        assert!(chain.filters(false).ends_with("[c0][c1]concat=n=2:v=0:a=1[out]"));
    }
}

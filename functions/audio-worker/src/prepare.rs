//! From an original to all that is played and drawn of it.

use std::{fs::File, io, path::PathBuf, sync::Arc};

use derivatives::{Content, Rendered, content_hash};
use domain::media::{self, Derivatives, MAX_PAUSES, MediaId, Reason, Sequencer, Visibility, sound_key};
use function_kit::failure::Failure;
use sound::{Decoded, Level, Limits, Measured, SoundError, analyse, level, recognise};
use tempfile::TempDir;
use tracing::info;

use crate::{
    ffmpeg::{Ffmpeg, Input, RENDITIONS, Rendering, Undone, demuxer},
    reason::reason,
    spool::{Broken, Fetch, Spool},
    temp_dir,
};

/// What is to be prepared, and with what.
pub struct Order {
    pub id: MediaId,
    pub sequencer: Sequencer,
    pub visibility: Visibility,
    /// In bytes.
    pub size: u64,
    pub fetch: Fetch,
    pub ffmpeg: Ffmpeg,
}

/// Why nothing came of it.
#[derive(Debug)]
pub enum Stopped {
    /// Nothing ever will.
    Never(Reason),
    /// The original has gone or changed.
    Gone,
    /// Trying again may help, or somebody must look.
    Failed(Failure),
}

/// Analyses a recording and renders it. Blocks: for the network, for ffmpeg, and while computing.
pub fn prepare(order: Order) -> Result<Rendered, Stopped> {
    let Order { id, sequencer, visibility, size, fetch, ffmpeg } = order;
    let folder = Arc::new(temp_dir::create().map_err(disk)?);
    let spool = Spool::new(fetch, size, folder.path().join("original")).map_err(disk)?;
    let recording = Recording::read(&spool, &ffmpeg)?;
    let Recording { input, codec, decoded, level } = &recording;
    let rendering = Rendering { level: *level, rate_hz: decoded.rate_hz, channels: decoded.channels };
    let rendered = ffmpeg.render(input, &rendering, folder.path()).map_err(undone)?;
    info!(
        media_id = %id, codec, frames = decoded.measured.frames, gain_db = level.gain_db,
        limited = level.limit_dbtp.is_some(), "rendered"
    );
    let shelf = Shelf { id, sequencer, visibility, folder, files: Vec::new() };
    shelve(shelf, &recording, &rendering, rendered).map_err(disk)
}

/// A recording, as it was found.
struct Recording {
    input: Input,
    codec: String,
    decoded: Decoded,
    level: Level,
}

impl Recording {
    /// Decodes and measures it, by ffmpeg what `sound` does not decode.
    fn read(spool: &Spool, ffmpeg: &Ffmpeg) -> Result<Self, Stopped> {
        let limits = Limits::default();
        let stopped = |error| not_analysed(spool, error);
        let demuxer = demuxer(recognise(spool.reader()).map_err(stopped)?);
        let demuxer = demuxer.ok_or(Stopped::Never(Reason::UnsupportedFormat))?;
        let analysis = match analyse(spool.reader(), &limits) {
            Ok(analysis) => Some(analysis),
            Err(SoundError::NeedsOtherDecoder(_)) => None,
            Err(error) => return Err(stopped(error)),
        };
        // ffmpeg seeks as it likes.
        let path = spool.complete().map_err(|error| not_read(spool, error))?;
        let mut input = Input { path, demuxer, is_opus: false };
        let (codec, decoded) = match analysis {
            Some(analysis) => (analysis.codec.code().to_owned(), analysis.into()),
            None => {
                let codec = ffmpeg.codec(&input).map_err(undone)?.ok_or(Stopped::Never(Reason::NoSound))?;
                input.is_opus = codec == "opus";
                let decoded = ffmpeg.measure(&input, false, &limits).map_err(undone)?;
                (codec, decoded)
            }
        };
        input.is_opus = codec == "opus";
        // What is heard in stereo is as loud as its mixture, not as its six channels.
        let level = match decoded.channels {
            0..=2 => level(&decoded.measured, decoded.channels),
            _ => level(&ffmpeg.measure(&input, true, &limits).map_err(undone)?.measured, 2),
        };
        Ok(Self { input, codec, decoded, level })
    }
}

/// Where files are put that are to be stored.
struct Shelf {
    id: MediaId,
    sequencer: Sequencer,
    visibility: Visibility,
    folder: Arc<TempDir>,
    files: Vec<derivatives::File>,
}

impl Shelf {
    fn add(&mut self, bytes: Vec<u8>, extension: &str, content_type: &str) -> io::Result<media::File> {
        let (hash, size) = (content_hash(&bytes[..])?, bytes.len() as u64);
        Ok(self.keep(&hash, size, extension, content_type, Content::Bytes(bytes)))
    }

    fn add_file(&mut self, path: PathBuf, extension: &str, content_type: &str) -> io::Result<media::File> {
        let file = File::open(&path)?;
        let size = file.metadata()?.len();
        let hash = content_hash(file)?;
        let content = Content::Disk { path, folder: Arc::<TempDir>::clone(&self.folder) };
        Ok(self.keep(&hash, size, extension, content_type, content))
    }

    fn keep(&mut self, hash: &str, size: u64, extension: &str, content_type: &str, content: Content) -> media::File {
        let key = sound_key(self.id, &self.sequencer, self.visibility, hash, extension);
        self.files.push(derivatives::File { key: key.clone(), content_type: content_type.to_owned(), content });
        media::File { key, size }
    }
}

fn shelve(
    mut shelf: Shelf,
    recording: &Recording,
    rendering: &Rendering,
    rendered: Vec<PathBuf>,
) -> io::Result<Rendered> {
    let Recording { codec, decoded: Decoded { rate_hz, channels, measured }, level, .. } = recording;
    let (mut json, mut binary) = (Vec::new(), Vec::new());
    measured.waveform.write_json(&mut json)?;
    measured.waveform.write_binary(&mut binary)?;
    let waveform = media::Waveform {
        preview: measured.waveform.preview_base64(),
        json: shelf.add(json, "json", "application/json")?,
        binary: shelf.add(binary, "dat", "application/octet-stream")?,
    };
    let mut renditions = Vec::new();
    for (rendition, path) in RENDITIONS.iter().zip(rendered) {
        // Of the type alone: players that choose have the codec from the API.
        let content_type = rendition.content_type.split(';').next().unwrap_or_default();
        renditions.push(media::Rendition {
            file: shelf.add_file(path, rendition.extension, content_type)?,
            content_type: rendition.content_type.to_owned(),
            channels: rendering.channels(),
            rate_hz: rendering.rate_hz(rendition),
        });
    }
    let sound = media::Sound {
        duration_ms: milliseconds(measured.frames as f64 / f64::from(*rate_hz)),
        codec: codec.clone(),
        rate_hz: *rate_hz,
        channels: u32::try_from(*channels).unwrap_or(u32::MAX),
        loudness: media::Loudness {
            integrated_lufs: measured.loudness.integrated_lufs.map(hundredths),
            range_lu: measured.loudness.range_lu.map(hundredths),
            true_peak_dbtp: measured.true_peak_dbtp.map(hundredths),
            gain_db: hundredths(level.gain_db),
            limited: level.limit_dbtp.is_some(),
        },
        silence: silence(measured),
        waveform,
        renditions,
    };
    Ok(Rendered { derived: Derivatives::Sound(Box::new(sound)), files: shelf.files })
}

fn silence(measured: &Measured) -> media::Silence {
    let found = &measured.silences;
    let mut pauses: Vec<_> = found
        .stretches
        .iter()
        .map(|stretch| media::Pause {
            start_ms: milliseconds(stretch.start_seconds),
            end_ms: milliseconds(stretch.end_seconds),
        })
        .collect();
    pauses.sort_by_key(|pause| std::cmp::Reverse(pause.end_ms - pause.start_ms));
    pauses.truncate(MAX_PAUSES);
    pauses.sort_by_key(|pause| pause.start_ms);
    media::Silence {
        leading_ms: milliseconds(found.leading_seconds),
        trailing_ms: milliseconds(found.trailing_seconds),
        pauses,
    }
}

fn milliseconds(seconds: f64) -> u64 {
    // A cast saturates; lengths are bounded by the limits anyway.
    (seconds * 1000.0).round() as u64
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn not_analysed(spool: &Spool, error: SoundError) -> Stopped {
    match reason(&error) {
        Some(reason) => {
            info!(%error, "not a recording that can be heard");
            Stopped::Never(reason)
        }
        None => not_read(spool, error),
    }
}

fn not_read(spool: &Spool, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Stopped {
    match spool.take_broken() {
        Some(Broken::Gone) => Stopped::Gone,
        Some(Broken::Failed(failure)) => Stopped::Failed(failure),
        None => Stopped::Failed(Failure::transient("keep the original on disk", error)),
    }
}

fn undone(undone: Undone) -> Stopped {
    match undone {
        Undone::Refused => Stopped::Never(Reason::Corrupt),
        Undone::TooSlow => Stopped::Never(Reason::TooLong),
        Undone::Measuring(error) => match reason(&error) {
            Some(reason) => Stopped::Never(reason),
            None => Stopped::Failed(Failure::transient("read what was decoded", error)),
        },
        Undone::Failed(failure) => Stopped::Failed(failure),
    }
}

fn disk(error: io::Error) -> Stopped {
    Stopped::Failed(Failure::transient("use the disk", error))
}

//! Analyses an original and makes all its derivatives.

use std::{error::Error, fs::File, io, path::PathBuf, sync::Arc};

use derivatives::{Content, Rendered, content_hash};
use domain::media::{self, Derivatives, MAX_PAUSES, MediaId, Reason, Sequencer, Visibility, sound_key};
use function_kit::failure::Failure;
use sound::{Level, Limits, Measured, PcmAnalysis, SoundError, analyse, level, recognise};
use tempfile::TempDir;
use tracing::info;

use crate::{
    content_type::content_type,
    ffmpeg::{Ffmpeg, FfmpegError, Input, RENDITIONS, RenderSettings, demuxer},
    lazy_download::{FetchError, LazyDownload, Source},
    reason::reason,
    temp_dir,
};

/// A recording to prepare.
pub struct PrepareRequest {
    pub id: MediaId,
    pub sequencer: Sequencer,
    pub visibility: Visibility,
    /// In bytes.
    pub size: u64,
    pub source: Source,
    pub ffmpeg: Ffmpeg,
}

/// A recording that could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The recording cannot be rendered. A retry does not help.
    #[error("the recording cannot be rendered: {0:?}")]
    Permanent(Reason),
    /// The original was deleted or replaced.
    #[error("the original was deleted or replaced")]
    Gone,
    /// Not caused by the recording.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<FetchError> for PrepareError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Gone => Self::Gone,
            FetchError::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<FfmpegError> for PrepareError {
    fn from(error: FfmpegError) -> Self {
        match error {
            FfmpegError::Rejected => Self::Permanent(Reason::Corrupt),
            FfmpegError::TimedOut => Self::Permanent(Reason::TooLong),
            FfmpegError::Measure(error) => match reason(&error) {
                Some(reason) => Self::Permanent(reason),
                None => Self::Failed(Failure::transient("read the decoded samples", error)),
            },
            FfmpegError::Failed(failure) => Self::Failed(failure),
        }
    }
}

/// Errors of the local disk.
impl From<io::Error> for PrepareError {
    fn from(error: io::Error) -> Self {
        Self::Failed(Failure::transient("use the disk", error))
    }
}

/// Analyses a recording and renders it. Blocks the thread.
pub fn prepare(request: PrepareRequest) -> Result<Rendered, PrepareError> {
    let PrepareRequest { id, sequencer, visibility, size, source, ffmpeg } = request;
    let temp_dir = Arc::new(temp_dir::create()?);
    let download = LazyDownload::new(source, size, temp_dir.path().join("original"))?;
    let recording = Recording::read(&download, &ffmpeg)?;
    let Recording { input, codec, analysis, level, .. } = &recording;
    let settings = RenderSettings { level: *level, rate_hz: analysis.rate_hz, channels: analysis.channels };
    let renditions = ffmpeg.render(input, &settings, temp_dir.path())?;
    info!(
        media_id = %id, codec, frames = analysis.measured.frames, gain_db = level.gain_db,
        limited = level.limit_dbtp.is_some(), "rendered"
    );
    let output = Output { id, sequencer, visibility, temp_dir, files: Vec::new() };
    Ok(output.collect(&recording, &settings, renditions)?)
}

/// An analysed recording.
struct Recording {
    /// By its bytes.
    content_type: Option<&'static str>,
    input: Input,
    codec: String,
    analysis: PcmAnalysis,
    level: Level,
}

impl Recording {
    /// Decodes and measures the original. ffmpeg decodes what `sound` does not.
    fn read(download: &LazyDownload, ffmpeg: &Ffmpeg) -> Result<Self, PrepareError> {
        let limits = Limits::default();
        let sound_error = |error| from_sound(download, error);
        let format = recognise(download.reader()).map_err(sound_error)?;
        let content_type = content_type(format);
        let demuxer = demuxer(format).ok_or(PrepareError::Permanent(Reason::UnsupportedFormat))?;
        let analysis = match analyse(download.reader(), &limits) {
            Ok(analysis) => Some(analysis),
            Err(SoundError::NeedsOtherDecoder(_)) => None,
            Err(error) => return Err(sound_error(error)),
        };
        // ffmpeg may read any part of the file.
        let path = download.download_all().map_err(|error| from_download(download, error))?;
        let mut input = Input { path, demuxer, is_opus: false };
        let (codec, analysis) = match analysis {
            Some(analysis) => (analysis.codec.code().to_owned(), analysis.into()),
            None => {
                let codec = ffmpeg.codec(&input)?.ok_or(PrepareError::Permanent(Reason::NoSound))?;
                input.is_opus = codec == "opus";
                let analysis = ffmpeg.measure(&input, false, &limits)?;
                (codec, analysis)
            }
        };
        input.is_opus = codec == "opus";
        // The loudness of more than two channels is that of their stereo mix, which is what listeners hear.
        let level = match analysis.channels {
            0..=2 => level(&analysis.measured, analysis.channels),
            _ => level(&ffmpeg.measure(&input, true, &limits)?.measured, 2),
        };
        Ok(Self { content_type, input, codec, analysis, level })
    }
}

/// Collects the files to store.
struct Output {
    id: MediaId,
    sequencer: Sequencer,
    visibility: Visibility,
    temp_dir: Arc<TempDir>,
    files: Vec<derivatives::File>,
}

impl Output {
    fn collect(
        mut self,
        recording: &Recording,
        settings: &RenderSettings,
        renditions: Vec<PathBuf>,
    ) -> io::Result<Rendered> {
        let Recording { codec, analysis: PcmAnalysis { rate_hz, channels, measured }, level, .. } = recording;
        let (mut json, mut binary) = (Vec::new(), Vec::new());
        measured.waveform.write_json(&mut json)?;
        measured.waveform.write_binary(&mut binary)?;
        let waveform = media::Waveform {
            preview: measured.waveform.preview_base64(),
            json: self.add_bytes(json, "json", "application/json")?,
            binary: self.add_bytes(binary, "dat", "application/octet-stream")?,
        };
        let mut media_renditions = Vec::new();
        for (rendition, path) in RENDITIONS.iter().zip(renditions) {
            // Without the codec: players get it from the API.
            let content_type = rendition.content_type.split(';').next().unwrap_or_default();
            media_renditions.push(media::Rendition {
                file: self.add_file(path, rendition.extension, content_type)?,
                content_type: rendition.content_type.to_owned(),
                channels: settings.output_channels(),
                rate_hz: settings.output_rate_hz(rendition),
            });
        }
        let sound = media::Sound {
            duration_ms: milliseconds(measured.frames as f64 / f64::from(*rate_hz)),
            codec: codec.clone(),
            rate_hz: *rate_hz,
            channels: u32::try_from(*channels).unwrap_or(u32::MAX),
            loudness: media::Loudness {
                integrated_lufs: measured.loudness.integrated_lufs.map(round_to_hundredths),
                range_lu: measured.loudness.range_lu.map(round_to_hundredths),
                true_peak_dbtp: measured.true_peak_dbtp.map(round_to_hundredths),
                gain_db: round_to_hundredths(level.gain_db),
                limited: level.limit_dbtp.is_some(),
            },
            silence: silence(measured),
            waveform,
            renditions: media_renditions,
        };
        let detected_type = recording.content_type;
        Ok(Rendered { derived: Derivatives::Sound(Box::new(sound)), detected_type, files: self.files })
    }

    fn add_bytes(&mut self, bytes: Vec<u8>, extension: &str, content_type: &str) -> io::Result<media::File> {
        let (hash, size) = (content_hash(&bytes[..])?, bytes.len() as u64);
        Ok(self.push(&hash, size, extension, content_type, Content::Bytes(bytes)))
    }

    fn add_file(&mut self, path: PathBuf, extension: &str, content_type: &str) -> io::Result<media::File> {
        let file = File::open(&path)?;
        let size = file.metadata()?.len();
        let hash = content_hash(file)?;
        let content = Content::Disk { path, folder: Arc::<TempDir>::clone(&self.temp_dir) };
        Ok(self.push(&hash, size, extension, content_type, content))
    }

    fn push(&mut self, hash: &str, size: u64, extension: &str, content_type: &str, content: Content) -> media::File {
        let key = sound_key(self.id, &self.sequencer, self.visibility, hash, extension);
        self.files.push(derivatives::File { key: key.clone(), content_type: content_type.to_owned(), content });
        media::File { key, size }
    }
}

fn silence(measured: &Measured) -> media::Silence {
    let silences = &measured.silences;
    let mut pauses: Vec<_> = silences
        .stretches
        .iter()
        .map(|stretch| media::Pause {
            start_ms: milliseconds(stretch.start_seconds),
            end_ms: milliseconds(stretch.end_seconds),
        })
        .collect();
    // Only the longest pauses, in time order.
    pauses.sort_by_key(|pause| std::cmp::Reverse(pause.end_ms - pause.start_ms));
    pauses.truncate(MAX_PAUSES);
    pauses.sort_by_key(|pause| pause.start_ms);
    media::Silence {
        leading_ms: milliseconds(silences.leading_seconds),
        trailing_ms: milliseconds(silences.trailing_seconds),
        pauses,
    }
}

fn milliseconds(seconds: f64) -> u64 {
    // The cast saturates, but the limits prevent that.
    (seconds * 1000.0).round() as u64
}

fn round_to_hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// An error of the analysis: a property of the recording, or a failed read.
fn from_sound(download: &LazyDownload, error: SoundError) -> PrepareError {
    match reason(&error) {
        Some(reason) => {
            info!(%error, "the recording cannot be analysed");
            PrepareError::Permanent(reason)
        }
        None => from_download(download, error),
    }
}

/// A failed read: by the download, or else by the disk.
fn from_download(download: &LazyDownload, error: impl Into<Box<dyn Error + Send + Sync>>) -> PrepareError {
    match download.take_error() {
        Some(error) => error.into(),
        None => PrepareError::Failed(Failure::transient("keep the original on disk", error)),
    }
}

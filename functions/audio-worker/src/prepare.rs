//! Analyses an original and makes all its derivatives.

use std::{fs::File, io, path::PathBuf, sync::Arc};

use derivatives::{Content, Rendered, content_hash};
use domain::media::{self, Derivatives, MAX_PAUSES, MediaId, Sequencer, Visibility, sound_key};
use sound::{Measured, PcmAnalysis};
use tempfile::TempDir;
use tracing::info;

use crate::{
    error::PrepareError,
    ffmpeg::{Ffmpeg, RENDITIONS},
    lazy_download::{LazyDownload, Source},
    recording::Recording,
    renditions::{Renditions, render},
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

/// Analyses a recording and renders it. Blocks the thread.
pub fn prepare(request: PrepareRequest) -> Result<Rendered, PrepareError> {
    let PrepareRequest { id, sequencer, visibility, size, source, ffmpeg } = request;
    let temp_dir = Arc::new(temp_dir::create()?);
    let download = LazyDownload::new(source, size, temp_dir.path().join("original"))?;
    let mut recording = Recording::read(&download, &ffmpeg)?;
    let renditions = render(&mut recording, &ffmpeg, temp_dir.path())?;
    info!(
        media_id = %id, codec = recording.codec, frames = recording.analysis.measured.frames,
        gain_db = renditions.gain_db, limited = renditions.is_limited, "rendered"
    );
    let output = Output { id, sequencer, visibility, temp_dir, files: Vec::new() };
    Ok(output.collect(&recording, renditions)?)
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
    fn collect(mut self, recording: &Recording, made: Renditions) -> io::Result<Rendered> {
        let Recording { codec, analysis: PcmAnalysis { rate_hz, channels, measured }, .. } = recording;
        let settings = recording.settings(recording.level());
        let (mut json, mut binary) = (Vec::new(), Vec::new());
        measured.waveform.write_json(&mut json)?;
        measured.waveform.write_binary(&mut binary)?;
        let waveform = media::Waveform {
            preview: measured.waveform.preview_base64(),
            json: self.add_bytes(json, "json", "application/json")?,
            binary: self.add_bytes(binary, "dat", "application/octet-stream")?,
        };
        let mut media_renditions = Vec::new();
        for (rendition, path) in RENDITIONS.iter().zip(made.files) {
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
                gain_db: round_to_hundredths(made.gain_db),
                limited: made.is_limited,
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

//! A recording, decoded and measured.

use std::{fs::OpenOptions, os::unix::fs::FileExt};

use domain::media::Reason;
use sound::{Level, Limits, Measured, PcmAnalysis, SoundError, analyse_with, layout, level};
use tracing::info;

use crate::{
    content_type::content_type,
    error::{PrepareError, from_download, from_sound},
    ffmpeg::{Ffmpeg, FfmpegError, Input, RenderSettings, demuxer, repair},
    lazy_download::LazyDownload,
};

/// An analysed recording.
pub struct Recording {
    /// The content type, by the bytes.
    pub content_type: Option<&'static str>,
    pub input: Input,
    pub codec: String,
    /// The recording itself.
    pub analysis: PcmAnalysis,
    /// What listeners hear: the recording, or its stereo mix if it has more channels.
    pub played: Measured,
    /// Whether `sound` decoded the recording; else ffmpeg did.
    pub is_measured_by_sound: bool,
}

impl Recording {
    /// Decodes and measures the original. ffmpeg decodes what `sound` does not.
    pub fn read(download: &LazyDownload, ffmpeg: &Ffmpeg) -> Result<Self, PrepareError> {
        let sound_error = |error| from_sound(download, error);
        let layout = layout(download.reader()).map_err(sound_error)?;
        let demuxer = demuxer(layout.format).ok_or(PrepareError::Permanent(Reason::UnsupportedFormat))?;
        let analysis = match analyse_with(download.reader(), &layout, &Limits::default()) {
            Ok(analysis) => Some(analysis),
            Err(SoundError::NeedsOtherDecoder(reason)) => {
                info!(reason, "ffmpeg decodes the recording");
                None
            }
            Err(error) => return Err(sound_error(error)),
        };
        // ffmpeg may read any part of the file.
        let path = download.download_all().map_err(|error| from_download(download, error))?;
        if let Some((offset, header)) = repair(&layout) {
            OpenOptions::new().write(true).open(&path)?.write_all_at(header, offset)?;
        }
        let size = path.metadata()?.len();
        let input = Input::new(path, size, demuxer, &layout);
        let recording = match analysis {
            Some(analysis) => {
                let codec = analysis.codec.code().to_owned();
                let input = Input { is_opus: codec == "opus", ..input };
                Self::new(input, codec, analysis.into(), true, ffmpeg)?
            }
            None => Self::decoded_by(ffmpeg, input)?,
        };
        Ok(Self { content_type: content_type(layout.format), ..recording })
    }

    /// The recording in the first track that ffmpeg decodes.
    fn decoded_by(ffmpeg: &Ffmpeg, mut input: Input) -> Result<Self, PrepareError> {
        let tracks = ffmpeg.audio_tracks(&input)?;
        let is_silent = tracks.is_empty();
        let found = tracks.into_iter().enumerate().find(|(_, track)| track.is_decodable);
        let reason = if is_silent { Reason::NoSound } else { Reason::UnsupportedFormat };
        let (index, track) = found.ok_or(PrepareError::Permanent(reason))?;
        input.track = index;
        input.is_opus = track.codec == "opus";
        let analysis = ffmpeg.measure(&input, false, &Limits::default())?;
        Ok(Self::new(input, track.codec, analysis, false, ffmpeg)?)
    }

    fn new(
        input: Input,
        codec: String,
        analysis: PcmAnalysis,
        is_measured_by_sound: bool,
        ffmpeg: &Ffmpeg,
    ) -> Result<Self, FfmpegError> {
        // The loudness of more than two channels is that of their stereo mix.
        let played = match analysis.channels {
            0..=2 => analysis.measured.clone(),
            _ => ffmpeg.measure(&input, true, &Limits::default())?.measured,
        };
        Ok(Self { content_type: None, input, codec, analysis, played, is_measured_by_sound })
    }

    /// Measures the recording again, as ffmpeg decodes it.
    pub fn measure_with(&mut self, ffmpeg: &Ffmpeg) -> Result<(), FfmpegError> {
        self.analysis = ffmpeg.measure(&self.input, false, &Limits::default())?;
        self.is_measured_by_sound = false;
        if self.analysis.channels <= 2 {
            self.played = self.analysis.measured.clone();
        }
        Ok(())
    }

    /// The duration, in seconds.
    pub fn seconds(&self) -> f64 {
        self.analysis.measured.frames as f64 / f64::from(self.analysis.rate_hz)
    }

    /// The channels of the renditions.
    pub fn played_channels(&self) -> usize {
        self.analysis.channels.min(2)
    }

    /// The level of the first renditions.
    pub fn level(&self) -> Level {
        level(&self.played, self.played_channels())
    }

    pub fn settings(&self, level: Level) -> RenderSettings {
        RenderSettings { level, rate_hz: self.analysis.rate_hz, channels: self.analysis.channels }
    }
}

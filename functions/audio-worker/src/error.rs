//! Why a recording cannot be prepared.

use std::{error::Error, io};

use domain::media::Reason;
use function_kit::failure::Failure;
use sound::SoundError;
use tracing::info;

use crate::{
    ffmpeg::FfmpegError,
    lazy_download::{FetchError, LazyDownload},
    reason::reason,
};

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

/// An error of the analysis: a property of the recording, or a failed read.
pub fn from_sound(download: &LazyDownload, error: SoundError) -> PrepareError {
    match reason(&error) {
        Some(reason) => {
            info!(%error, "the recording cannot be analysed");
            PrepareError::Permanent(reason)
        }
        None => from_download(download, error),
    }
}

/// A failed read: by the download, or else by the disk.
pub fn from_download(download: &LazyDownload, error: impl Into<Box<dyn Error + Send + Sync>>) -> PrepareError {
    match download.take_error() {
        Some(error) => error.into(),
        None => PrepareError::Failed(Failure::transient("keep the original on disk", error)),
    }
}

//! Maps errors of symphonia and of I/O to [`SoundError`].

use std::io::{Error, ErrorKind};

use symphonia::core::errors::Error as SymphoniaError;

use crate::error::SoundError;

pub(super) fn from_symphonia(error: &SymphoniaError) -> SoundError {
    match error {
        SymphoniaError::IoError(error) => from_io(error),
        SymphoniaError::Unsupported(feature) => SoundError::other_decoder(feature),
        SymphoniaError::ResetRequired => SoundError::other_decoder("several recordings in one file"),
        other => SoundError::corrupt(other),
    }
}

/// An I/O error of a decoder. Errors of the source itself are recorded in [`crate::source::Failure`].
pub(super) fn from_io(error: &Error) -> SoundError {
    match error.kind() {
        ErrorKind::UnexpectedEof => SoundError::Truncated,
        _ => SoundError::corrupt(error),
    }
}

//! Maps errors of symphonia and of I/O to [`SoundError`].

use std::io::{Error, ErrorKind};

use symphonia::core::errors::Error as SymphoniaError;

use crate::error::SoundError;

/// Only the end of the file is certain. Whatever else symphonia refuses, another decoder may accept.
pub(super) fn from_symphonia(error: &SymphoniaError) -> SoundError {
    match error {
        SymphoniaError::IoError(error) => from_io(error),
        SymphoniaError::ResetRequired => SoundError::other_decoder("several recordings in one file"),
        other => SoundError::other_decoder(other),
    }
}

/// An I/O error of a decoder. Errors of the source itself are recorded in [`crate::source::Failure`].
pub(super) fn from_io(error: &Error) -> SoundError {
    match error.kind() {
        ErrorKind::UnexpectedEof => SoundError::Truncated,
        _ => SoundError::other_decoder(error),
    }
}

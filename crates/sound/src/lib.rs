#![doc = include_str!("../README.md")]

mod analysis;
mod decode;
mod error;
mod format;
mod level;
mod limits;
mod measure;
mod pcm;
mod source;
mod waveform;

use std::{
    io::{Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
};

pub use analysis::{Analysis, PcmAnalysis};
pub use error::SoundError;
pub use format::{Codec, Container, FileFormat, OtherFormat};
pub use level::{Level, MAX_DBTP, MONO_LUFS, STEREO_LUFS, level};
pub use limits::Limits;
pub use measure::{Clipping, LISTED_SECONDS, Loudness, Measured, Meter, SILENCE_BELOW_LUFS, Silence, Silences};
pub use pcm::analyse_pcm;
pub use waveform::{PREVIEW_POINTS, Waveform};

/// Decodes and measures the recording in `source`.
///
/// Reads `source` from front to back, at most 32 KiB at a time. It seeks only to the index of an MP4 that has
/// it at the end, and to the last page of an Ogg file.
///
/// # Errors
/// See [`SoundError`]. All errors but `Source` depend on the recording and `limits`, so a retry does not help.
/// After `NeedsOtherDecoder` another decoder may succeed.
pub fn analyse<S: Read + Seek + Send + Sync>(source: S, limits: &Limits) -> Result<Analysis, SoundError> {
    // The input is untrusted. A panic in a third-party decoder would kill the worker on each retry of the
    // same recording. The decoder's state is dropped here, so it is safe to unwind.
    catch_unwind(AssertUnwindSafe(|| decode::analyse(source, limits)))
        .unwrap_or_else(|_| Err(SoundError::corrupt("the decoder panicked")))
}

/// Recognises the file format of `source` by its first bytes after any ID3 tags.
///
/// # Errors
/// `Empty`, `NotAudio`, `Truncated` (only a tag), `Source`.
pub fn recognise<S: Read + Seek>(source: S) -> Result<FileFormat, SoundError> {
    decode::recognise(source)
}

#![doc = include_str!("../README.md")]

mod analysis;
mod decode;
mod error;
mod format;
mod layout;
mod limits;
mod measure;
mod pcm;
mod source;
mod target_level;
mod waveform_format;

use std::{
    io::{Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
};

pub use analysis::{Analysis, PcmAnalysis};
pub use error::SoundError;
pub use format::{Codec, Container, FileFormat, OtherFormat};
pub use layout::{Layout, Links, Part, SoundTrack, Structure, WavData};
pub use limits::Limits;
pub use measure::{Clipping, LISTED_SECONDS, Loudness, Measured, Meter, SILENCE_BELOW_LUFS, Silence, Silences};
pub use pcm::analyse_pcm;
pub use target_level::{Level, MAX_DBTP, MONO_LUFS, STEREO_LUFS, corrected, level, target_lufs};
pub use waveform_format::{PREVIEW_POINTS, Waveform};

use source::Source;

/// Decodes and measures the recording in `source`.
///
/// Reads `source` from front to back, at most 32 KiB at a time. Before, it reads the index of an MP4, the page headers
/// of an Ogg file and the chunk headers of a WAV.
///
/// # Errors
/// See [`SoundError`]. All errors but `Source` depend on the recording and `limits`, so a retry does not help.
/// After `NeedsOtherDecoder` another decoder may succeed.
pub fn analyse<S: Read + Seek + Send + Sync>(mut source: S, limits: &Limits) -> Result<Analysis, SoundError> {
    let layout = layout(&mut source)?;
    analyse_with(source, &layout, limits)
}

/// Like [`analyse`], with a layout that has been read before.
///
/// # Errors
/// As [`analyse`].
pub fn analyse_with<S: Read + Seek + Send + Sync>(
    source: S,
    layout: &Layout,
    limits: &Limits,
) -> Result<Analysis, SoundError> {
    let source = Source::new(source)?;
    // The input is untrusted. A panic in a third-party decoder would kill the worker on each retry of the
    // same recording. The decoder's state is dropped here, so it is safe to unwind.
    catch_unwind(AssertUnwindSafe(|| decode::analyse(source, layout, limits)))
        .unwrap_or_else(|_| Err(SoundError::other_decoder("a recording at which the decoder panicked")))
}

/// Recognises the file format by content, and reads which samples are played.
///
/// # Errors
/// `Empty`, `NotAudio`, `NoAudioTrack` (MP4), `Truncated` (only a tag, or without the sound's end), `NeedsOtherDecoder`
/// (too many formats in a chain), `Source`.
pub fn layout<S: Read + Seek>(source: S) -> Result<Layout, SoundError> {
    Layout::read(&mut Source::new(source)?)
}

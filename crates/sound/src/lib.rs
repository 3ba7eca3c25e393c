//! Sound: a recording in, everything that is to be known of it out, in one pass. No I/O.
//!
//! [`analyse`] reads a recording as somebody uploaded it, which may be anything at all, decodes it
//! once, and returns its true duration, its loudness (BS.1770, EBU R 128), its true peak, what is
//! clipped, where it is silent, and a waveform to draw. Memory does not grow with the length, but
//! for a few hundred kB per hour.
//!
//! The steps, each in a module of its own: `format` recognises the bytes, `decode` turns them into
//! samples, `measure` measures these, `waveform` writes what is to be drawn. What another program
//! has to decode is measured by [`analyse_pcm`]. [`level`] says how loud to play it.

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

pub use analysis::Analysis;
pub use error::SoundError;
pub use format::{Codec, Container, Foreign, Recognised};
pub use level::{Level, MAX_DBTP, MONO_LUFS, STEREO_LUFS, level};
pub use limits::Limits;
pub use measure::{Clipping, LISTED_SECONDS, Loudness, Measured, Meter, SILENCE_BELOW_LUFS, Silence, Silences};
pub use pcm::{Decoded, analyse_pcm};
pub use waveform::{PREVIEW_POINTS, Waveform};

/// Decodes the recording in `source` and measures it.
///
/// `source` is read from front to back, in pieces of at most 32 KiB, with few jumps: to the index
/// of an MP4 where that stands at the end, and to the last page of an Ogg file.
///
/// # Errors
/// See [`SoundError`]: each of them but `Source` is a property of the recording (and `limits`), and
/// trying again changes nothing. After `NeedsOtherDecoder` another decoder may succeed.
pub fn analyse<S: Read + Seek + Send + Sync>(source: S, limits: &Limits) -> Result<Analysis, SoundError> {
    // The decoders are other people's code, fed with strangers' bytes: a panic in one must not
    // turn a recording into a message that kills its worker again and again. What was torn down
    // half-way is dropped here.
    catch_unwind(AssertUnwindSafe(|| decode::analyse(source, limits)))
        .unwrap_or_else(|_| Err(SoundError::corrupt("the decoder panicked")))
}

/// What the recording in `source` is, by its first bytes after any tags.
///
/// # Errors
/// `Empty`, `NotAudio`, `Truncated` (nothing but a tag), `Source`.
pub fn recognise<S: Read + Seek>(source: S) -> Result<Recognised, SoundError> {
    decode::recognise(source)
}

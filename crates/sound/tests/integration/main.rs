//! Tests of the public API: comparison with ffmpeg for each format, test signals of the standards, hostile
//! files.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod bad_input;
mod cases;
mod chunking;
mod ebu;
mod edits;
mod malformed;
mod ogg;
mod pcm;
mod reference;
mod signals;
mod streams;
mod truncation;
mod wav_sizes;
mod waveform;
mod wrong_headers;

//! Tests of the public API: comparison with ffmpeg for each format, test signals of the standards, hostile
//! files.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod bad_input;
mod chunking;
mod ebu;
mod malformed;
mod pcm;
mod reference;
mod signals;
mod truncation;
mod waveform;
mod wrong_headers;

//! The crate from outside: every format against what ffmpeg measures, the standard's test signals,
//! hostile files.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail by panicking, too")]

mod bad_input;
mod chunking;
mod ebu;
mod ffmpeg;
mod fuzz;
mod lies;
mod pcm;
mod synth;
mod truncation;
mod waveform;

//! `cargo xtask bench`: how fast it is. Benchmarks are no tests: nothing fails because a shared
//! machine is slow.

mod sound;
mod stream;

use anyhow::Result;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// The graph's changes: from Neptune's stream to the bus, and from there to many phones.
    Stream,
    /// The analysis of a recording, against ffmpeg.
    Sound,
}

/// Measures and tells.
pub fn run(what: What) -> Result<()> {
    match what {
        What::Stream => stream::run(),
        What::Sound => sound::run(),
    }
}

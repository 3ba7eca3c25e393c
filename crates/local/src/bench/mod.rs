//! `cargo xtask bench`: how fast it is. Benchmarks are no tests: nothing fails because a shared
//! machine is slow.

mod picture;
mod sound;
mod stream;

use anyhow::Result;

/// What can be measured.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Bench {
    /// The graph's changes: from Neptune's stream to the bus, and from there to many phones.
    Stream,
    /// The analysis of a recording, against ffmpeg.
    Sound,
    /// Thumbnails: crates/picture against sharp (npm) and pyvips (PyPI), on real photographs.
    ///
    /// Installs both, pinned, and makes its photographs from a Debian package, all of it below
    /// target/bench. Needs Node.js with npm, and apt-get.
    Picture(picture::Arguments),
}

/// Measures and tells.
pub fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Stream => stream::run(),
        Bench::Sound => sound::run(),
        Bench::Picture(arguments) => picture::run(arguments),
    }
}

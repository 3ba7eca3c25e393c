//! `cargo xtask bench`: how fast the parts are, against what others would take in their place.

pub mod picture;

use anyhow::Result;
use clap::Subcommand;

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
pub enum Bench {
    /// Thumbnails: crates/picture against sharp (npm) and pyvips (PyPI), on real photographs.
    ///
    /// Installs both, pinned, and makes its photographs from a Debian package, all of it below
    /// target/bench. Needs Node.js with npm, and apt-get.
    Picture(picture::Arguments),
}

/// Measures, prints, and writes `target/bench/<name>.json`.
pub fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Picture(arguments) => picture::run(arguments),
    }
}

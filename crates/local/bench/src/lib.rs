//! `cargo xtask bench`: how fast it is. Benchmarks are no tests: nothing fails because a shared
//! machine is slow.

mod load;
mod picture;
mod programs;
mod search;
mod sound;
mod startup;

use anyhow::Result;

/// What can be measured.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Bench {
    /// What a request costs media-api, from the event to the answer.
    Api,
    /// The graph's changes: from Neptune's stream to the bus, and from there to many phones.
    Stream,
    /// From a commit in the graph to who finds it.
    Search,
    /// What one machine's stack holds: photographs, reads and changes, and what each process takes. Linux only.
    Load(load::Arguments),
    /// The analysis of a recording, against ffmpeg.
    Sound,
    /// What every function takes to start, next to one that does nothing. Linux only.
    Startup(startup::Arguments),
    /// Thumbnails: crates/picture against sharp (npm) and pyvips (PyPI), on real photographs.
    ///
    /// Installs both, pinned, and makes its photographs from a Debian package, all of it below
    /// target/bench. Needs Node.js with npm, and apt-get.
    Picture(picture::Arguments),
}

/// Measures and tells.
pub fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Api => programs::run("api", &[("media-api", "media_requests")]),
        Bench::Stream => programs::run("stream", &[("stream-poller", "stream"), ("push-fanout", "followers")]),
        Bench::Search => search::run(),
        Bench::Load(arguments) => load::run(arguments),
        Bench::Sound => sound::run(),
        Bench::Startup(arguments) => startup::run(arguments),
        Bench::Picture(arguments) => picture::run(arguments),
    }
}

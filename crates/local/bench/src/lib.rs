//! `cargo xtask bench`: benchmarks. They do not fail because of slow results.

mod load;
mod picture;
mod programs;
mod search;
mod sound;
mod startup;

use anyhow::Result;

/// What to measure.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Bench {
    /// Time that media-api and inbox-api need for a request, from the event to the response.
    Api,
    /// Graph changes: from Neptune's stream to the topic, and fan-out of one change to many phones.
    Stream,
    /// Time from a commit in the graph until the search finds it; bulk requests, a rebuild and searches of a large index.
    Search(search::Arguments),
    /// Throughput of one stack on this machine: uploads, reads and graph changes; CPU and memory by process. Linux
    /// only.
    Load(load::Arguments),
    /// The analysis of a recording, compared with ffmpeg.
    Sound,
    /// Startup costs of every function, compared with a function that does nothing. Linux only.
    Startup(startup::Arguments),
    /// Thumbnails: crates/picture compared with sharp (npm) and pyvips (PyPI), on real photographs.
    ///
    /// Installs pinned versions of both and creates the photographs from a Debian package, all below target/bench.
    /// Needs Node.js with npm, and apt-get.
    Picture(picture::Arguments),
}

/// Runs a benchmark and prints its results.
pub fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Api => programs::run("api", &[("media-api", "media_requests"), ("inbox-api", "inbox_requests")]),
        Bench::Stream => programs::run("stream", &[("stream-poller", "stream"), ("push-fanout", "followers")]),
        Bench::Search(arguments) => search::run(arguments),
        Bench::Load(arguments) => load::run(arguments),
        Bench::Sound => sound::run(),
        Bench::Startup(arguments) => startup::run(arguments),
        Bench::Picture(arguments) => picture::run(arguments),
    }
}

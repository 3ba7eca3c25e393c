//! `cargo xtask bench`: how fast it is. Benchmarks are no tests: nothing fails because a shared
//! machine is slow.

mod functions;
mod sound;

use anyhow::Result;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// What a request costs media-api, from the event to the answer.
    Api,
    /// The graph's changes: from Neptune's stream to the bus, and from there to many phones.
    Stream,
    /// The analysis of a recording, against ffmpeg.
    Sound,
}

/// Measures and tells.
pub fn run(what: What) -> Result<()> {
    match what {
        What::Api => functions::run("api", &[("media-api", "api")]),
        What::Stream => functions::run("stream", &[("stream-poller", "stream"), ("push-fanout", "followers")]),
        What::Sound => sound::run(),
    }
}

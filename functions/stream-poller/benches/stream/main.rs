//! How fast the poller is, against the emulator of Neptune Streams and a bus that takes everything.
//!
//! `cargo xtask bench stream` runs it and keeps the figures. Each row is one line of JSON. What is
//! measured runs in a process of its own, which is this program with arguments; the emulator has
//! the other one.

mod fold;
mod idle;
mod poll;
#[path = "../../tests/poller/table.rs"]
#[expect(dead_code, reason = "the tests look closer")]
mod table;
mod world;

use std::{
    env,
    error::Error,
    process::{Command, Stdio},
};

use neptune::{NeptuneEmulator, Options};

/// Records that are read: some twenty pages of 10 MB.
const RECORDS: u64 = 1_000_000;

/// The best of so many: what else the machine does only ever slows it down.
const ROUNDS: u32 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fold", endpoint] => fold::measure(endpoint),
        ["poll", endpoint] => poll::measure(endpoint),
        ["idle", endpoint] => idle::measure(endpoint),
        // `cargo bench` says `--bench`.
        _ => all(),
    }
}

fn all() -> Result<(), Box<dyn Error>> {
    let emulator = NeptuneEmulator::start(Options::default())?;
    world::block_on(world::fill(&emulator.client(), RECORDS))?;
    for what in ["fold", "poll"] {
        measure(what, &emulator.endpoint())?;
    }
    drop(emulator);
    measure("idle", &NeptuneEmulator::start(Options::default())?.endpoint())
}

fn measure(what: &str, endpoint: &str) -> Result<(), Box<dyn Error>> {
    let status = Command::new(env::current_exe()?).args([what, endpoint]).stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{what}: {status}").into()) }
}

//! Measures the speed of the poller with the Neptune emulator and a bus that accepts everything.
//!
//! `cargo xtask bench stream` runs it and stores the figures. Each row is one line of JSON. Each measurement runs in
//! its own process (this program with arguments), and the emulator in the parent process.

mod fold;
mod idle;
mod poll;
mod size;
mod support;

use std::{
    env,
    error::Error,
    process::{Command, Stdio},
};

use neptune::{NeptuneEmulator, Options};

use self::size::RECORDS;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fold", endpoint] => fold::measure(endpoint),
        ["poll", endpoint] => poll::measure(endpoint),
        ["idle", endpoint] => idle::measure(endpoint),
        // `cargo bench` passes `--bench`.
        _ => all(),
    }
}

fn all() -> Result<(), Box<dyn Error>> {
    let emulator = NeptuneEmulator::start(Options::default())?;
    support::block_on(support::fill(&emulator.client(), RECORDS))?;
    for name in ["fold", "poll"] {
        measure(name, &emulator.endpoint())?;
    }
    drop(emulator);
    measure("idle", &NeptuneEmulator::start(Options::default())?.endpoint())
}

fn measure(name: &str, endpoint: &str) -> Result<(), Box<dyn Error>> {
    let status = Command::new(env::current_exe()?).args([name, endpoint]).stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}").into()) }
}

//! Throughput of one stack on this machine: uploads of photographs, reads, and graph changes, sequentially, with the
//! CPU and memory of each process.
//!
//! Driver, emulators and functions share the machine. The results show bottlenecks and memory growth; they say nothing
//! about AWS.

mod changes;
mod photographs;
pub(crate) mod processes;
mod reads;
mod result;

use std::time::Duration;

use anyhow::Result;
use stack::{Stack, functions, search_server::Engine, tools};

use super::programs::{self, Row};
use processes::{Phase, Sampler};

/// The name of the stack.
const STACK: &str = "bench";

/// Options of `cargo xtask bench load`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Use the functions as last built.
    #[arg(long)]
    as_built: bool,
    /// Duration of each kind of load, in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// Runs the benchmark and writes the results to `target/bench/load.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    tools::install()?;
    if !arguments.as_built {
        functions::build(functions::BuildProfile::Release)?;
    }
    let stack = Stack::start(STACK, Engine::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(&stack, Duration::from_secs(arguments.seconds)));
    stack.stop()?;
    programs::report("load", &measured?)
}

async fn measure(stack: &Stack, duration: Duration) -> Result<Vec<Row>> {
    let sampler = Sampler::start(stack.processes());
    let mut rows = Vec::new();
    let mut phases = Vec::new();
    let phase = Phase::begin("photographs");
    rows.push(photographs::run(stack, duration).await?);
    phases.push(phase.end());
    let readers = reads::prepare(stack).await?;
    for kind in reads::KINDS {
        let phase = Phase::begin(kind.name);
        rows.push(reads::run(stack, &readers, &kind, duration).await?);
        phases.push(phase.end());
    }
    let phase = Phase::begin("changes");
    rows.push(changes::run(stack, duration).await?);
    phases.push(phase.end());
    let samples = sampler.stop()?;
    rows.extend(phases.iter().map(|phase| samples.cpu_usage(phase)).collect::<Result<Vec<_>>>()?);
    rows.extend(samples.memory()?);
    Ok(rows)
}

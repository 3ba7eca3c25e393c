//! What one machine's stack holds: photographs, changes of the graph, and reads, one kind after the
//! other, with what each process takes meanwhile.
//!
//! Driver, emulators and functions share the machine, so these are figures of the whole, and a way to
//! see what grows; no figures of AWS.

mod changes;
mod photographs;
mod processes;
mod reads;

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use stack::{Stack, functions, tools};

use super::programs::{self, Row};
use processes::{Phase, Sampler};

/// The stack that is measured.
const STACK: &str = "bench";

/// How it is measured.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Measure the functions as they were last built.
    #[arg(long)]
    as_built: bool,
    /// How long each kind of load lasts, in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// Measures, prints a table, and writes the same figures to `target/bench/load.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    tools::install()?;
    if !arguments.as_built {
        functions::build(functions::BuildProfile::Release)?;
    }
    let stack = Stack::start(STACK)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(&stack, Duration::from_secs(arguments.seconds)));
    stack.stop()?;
    programs::keep("load", &measured?)
}

async fn measure(stack: &Stack, time: Duration) -> Result<Vec<Row>> {
    let sampler = Sampler::start(stack.processes());
    let mut rows = Vec::new();
    let mut phases = Vec::new();
    let phase = Phase::begin("photographs");
    rows.push(photographs::run(stack, time).await?);
    phases.push(phase.end());
    let readers = reads::prepare(stack).await?;
    for kind in reads::KINDS {
        let phase = Phase::begin(kind.name);
        rows.push(reads::run(stack, &readers, &kind, time).await?);
        phases.push(phase.end());
    }
    let phase = Phase::begin("changes");
    rows.push(changes::run(stack, time).await?);
    phases.push(phase.end());
    let seen = sampler.stop()?;
    rows.extend(phases.iter().map(|phase| seen.shares(phase)).collect::<Result<Vec<_>>>()?);
    rows.extend(seen.memory()?);
    Ok(rows)
}

/// What came of a kind of load: how many in which time, and how long each took.
fn row(name: &str, per: (&str, f64), mut times: Vec<Duration>, more: Value) -> Result<Row> {
    times.sort_unstable();
    let at = |share: f64| {
        let place = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(place).map(|time| time.as_secs_f64() * 1_000.0)
    };
    let mut row = json!({
        "row": name, "count": times.len(),
        (per.0): per.1, "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99),
    });
    let fields = row.as_object_mut().context("a row is an object")?;
    fields.extend(more.as_object().cloned().unwrap_or_default());
    Ok(fields.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_times_that_so_many_stay_below() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        let row = row("reads", ("per_second", 2.5), times, json!({"clients": 3})).expect("a row");
        assert_eq!((&row["p50_ms"], &row["p95_ms"], &row["p99_ms"]), (&json!(51.0), &json!(96.0), &json!(100.0)));
        assert_eq!((&row["count"], &row["per_second"], &row["clients"]), (&json!(100), &json!(2.5), &json!(3)));
    }
}

//! Startup costs of every function, compared with a function that does nothing.
//!
//! Processes start as in Lambda, with the address of a Runtime API in the environment. A function is ready at its request
//! for the first event. The CPU time until then is read from `/proc` (Linux only). Functions alternate, so that other
//! load on the machine affects all.

mod call;
mod process;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use stack::{functions, paths, tools};

use self::{call::Server, process::StartCost};

/// The function to compare with.
const BASELINE: &str = "noop-function";

/// Options of `cargo xtask bench startup`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Starts of each function.
    #[arg(long, default_value_t = 25)]
    repetitions: usize,
    /// Also measure an earlier build: a folder with `<name>/bootstrap`.
    #[arg(long, value_name = "FOLDER")]
    before: Option<PathBuf>,
    /// Use the functions as last built.
    #[arg(long)]
    as_built: bool,
}

/// A measured program.
struct Candidate {
    name: String,
    program: PathBuf,
    starts: Vec<StartCost>,
    first_calls: Vec<Duration>,
}

/// Prints the results as a table and writes them to `target/bench/startup.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    tools::install()?;
    if !arguments.as_built {
        functions::build(functions::BuildProfile::Release)?;
        functions::build_binary(BASELINE)?;
    }
    let mut candidates = candidates(&paths::root().join("target/lambda"), "")?;
    ensure!(candidates.iter().any(|candidate| candidate.name == BASELINE), "{BASELINE} is not built");
    if let Some(folder) = &arguments.before {
        candidates.extend(candidates_before(folder)?);
    }
    let server = Server::start()?;
    for round in 0..arguments.repetitions {
        println!("▸ round {} of {}", round + 1, arguments.repetitions);
        for candidate in &mut candidates {
            let context = || format!("cannot start {}", candidate.program.display());
            candidate.starts.push(process::start(&candidate.program, &[]).with_context(context)?.cost);
            candidate.first_calls.extend(server.first_call(&candidate.name, &candidate.program).with_context(context)?);
        }
    }
    let rows = rows(&candidates)?;
    println!("\n{}", table(&rows));
    let file = paths::root().join("target/bench/startup.json");
    fs::create_dir_all(file.parent().context("the file has no folder")?)?;
    fs::write(&file, serde_json::to_string_pretty(&json!({"repetitions": arguments.repetitions, "rows": rows}))?)?;
    println!("Results as JSON: {}", file.display());
    Ok(())
}

fn candidates_before(folder: &Path) -> Result<Vec<Candidate>> {
    candidates(folder, ", before")
}

fn candidates(folder: &Path, suffix: &str) -> Result<Vec<Candidate>> {
    let mut names = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let program = entry?.path().join("bootstrap");
        let name = program.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        if let Some(name) = name.filter(|_| program.exists()) {
            names.insert(format!("{name}{suffix}"), program.clone());
        }
    }
    let candidate = |(name, program)| Candidate { name, program, starts: Vec::new(), first_calls: Vec::new() };
    Ok(names.into_iter().map(candidate).collect())
}

type Row = Map<String, Value>;

/// A row of medians for each candidate. The baseline is the first.
fn rows(candidates: &[Candidate]) -> Result<Vec<Row>> {
    let baseline = candidates.iter().find(|candidate| candidate.name == BASELINE).context("the baseline is missing")?;
    let baseline_cpu = median(baseline.starts.iter().map(|start| start.cpu.as_secs_f64())).context("no start")?;
    let others = candidates.iter().filter(|candidate| candidate.name != BASELINE);
    std::iter::once(baseline).chain(others).map(|candidate| row(candidate, baseline_cpu)).collect()
}

fn row(candidate: &Candidate, baseline_cpu: f64) -> Result<Row> {
    let start_median = |field: fn(&StartCost) -> f64| median(candidate.starts.iter().map(field)).context("no start");
    let cpu = start_median(|start| start.cpu.as_secs_f64())?;
    let call = median(candidate.first_calls.iter().map(Duration::as_secs_f64));
    let row = json!({
        "function": candidate.name,
        "file_bytes": fs::metadata(&candidate.program)?.len(),
        "ready_ms": rounded(start_median(|start| start.wall.as_secs_f64())? * 1e3),
        "init_cpu_ms": rounded(cpu * 1e3),
        "init_cpu_ratio": rounded(cpu / baseline_cpu),
        "first_call_cpu_ms": call.map(|call| rounded(call * 1e3)),
        "ready_memory_kib": start_median(|start| start.memory_kib as f64)?,
    });
    row.as_object().cloned().context("the row is not an object")
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The rows in Markdown.
fn table(rows: &[Row]) -> String {
    let mut table =
        "| function | file | exec to ready | CPU until ready | ratio | CPU of the first call | memory when ready |\n\
                     |---|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
    for row in rows {
        let number = |name: &str| row.get(name).and_then(Value::as_f64);
        let cell = |name: &str, factor: f64, unit: &str| {
            number(name).map_or("–".to_owned(), |number| format!("{:.2}{unit}", number * factor))
        };
        table += &format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            row.get("function").and_then(Value::as_str).unwrap_or_default(),
            cell("file_bytes", 1e-6, " MB"),
            cell("ready_ms", 1.0, " ms"),
            cell("init_cpu_ms", 1.0, " ms"),
            cell("init_cpu_ratio", 1.0, ""),
            cell("first_call_cpu_ms", 1.0, " ms"),
            cell("ready_memory_kib", 1.0 / 1024.0, " MiB"),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_has_medians_and_the_ratio_to_the_baseline() {
        let start_cost = |cpu: u64| StartCost {
            wall: Duration::from_micros(cpu * 2),
            cpu: Duration::from_micros(cpu),
            memory_kib: 2048,
        };
        let candidate = |name: &str, cpus: [u64; 3]| Candidate {
            name: name.to_owned(),
            program: std::env::current_exe().expect("a program"),
            starts: cpus.map(start_cost).to_vec(),
            first_calls: vec![],
        };
        let candidates = [candidate("a", [3_000, 90_000, 2_000]), candidate(BASELINE, [500, 1_000, 4_000])];
        let rows = rows(&candidates).expect("rows");
        assert_eq!((&rows[0]["function"], &rows[0]["init_cpu_ms"]), (&json!(BASELINE), &json!(1.0)));
        assert_eq!((&rows[1]["init_cpu_ms"], &rows[1]["init_cpu_ratio"]), (&json!(3.0), &json!(3.0)));
        let table = table(&rows);
        assert!(table.contains("| 6.00 ms | 3.00 ms | 3.00 | – | 2.00 MiB |"), "{table}");
    }
}

//! What it takes to start: every function next to one that does nothing, in the same run.
//!
//! A process is started as Lambda does it, with the Runtime API in its environment. It is ready when it asks for
//! its first event. What it has used until then stands in `/proc`, in nanoseconds, so this is Linux only.
//! Functions take turns: what else the machine does then meets all of them.

mod call;
mod process;
mod runtime_api;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use stack::{functions, paths, tools};

use self::{call::Server, process::Started};

/// What others are measured against.
const BARE: &str = "noop-function";

/// `cargo xtask bench startup`' arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// How often each function is started.
    #[arg(long, default_value_t = 25)]
    repetitions: usize,
    /// Measure what lies in this folder, too, under the same names: `<name>/bootstrap`, as it was built before.
    #[arg(long, value_name = "FOLDER")]
    before: Option<PathBuf>,
    /// Measure what was built last.
    #[arg(long)]
    as_built: bool,
}

/// A program that is measured.
struct Candidate {
    name: String,
    program: PathBuf,
    starts: Vec<Started>,
    calls: Vec<Duration>,
}

/// Measures, prints a table, and writes the same figures to `target/bench/startup.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    tools::install()?;
    if !arguments.as_built {
        functions::build(functions::BuildProfile::Release)?;
        functions::build_binary(BARE)?;
    }
    let mut candidates = candidates(&paths::root().join("target/lambda"), "")?;
    ensure!(candidates.iter().any(|candidate| candidate.name == BARE), "{BARE} has not been built");
    if let Some(folder) = &arguments.before {
        candidates.extend(candidates_before(folder)?);
    }
    let server = Server::start()?;
    for round in 0..arguments.repetitions {
        println!("▸ round {} of {}", round + 1, arguments.repetitions);
        for candidate in &mut candidates {
            let of = || format!("{} does not start", candidate.program.display());
            candidate.starts.push(process::start(&candidate.program, &[]).with_context(of)?.0);
            candidate.calls.extend(server.first_call(&candidate.name, &candidate.program).with_context(of)?);
        }
    }
    let rows = rows(&candidates)?;
    println!("\n{}", table(&rows));
    let file = paths::root().join("target/bench/startup.json");
    fs::create_dir_all(file.parent().context("a file without a folder")?)?;
    fs::write(&file, serde_json::to_string_pretty(&json!({"repetitions": arguments.repetitions, "rows": rows}))?)?;
    println!("The same figures: {}", file.display());
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
    let candidate = |(name, program)| Candidate { name, program, starts: Vec::new(), calls: Vec::new() };
    Ok(names.into_iter().map(candidate).collect())
}

type Row = Map<String, Value>;

/// A row for each candidate, medians of all its runs; the bare one first.
fn rows(candidates: &[Candidate]) -> Result<Vec<Row>> {
    let bare = candidates.iter().find(|candidate| candidate.name == BARE).context("nothing to compare with")?;
    let bare_cpu = median(bare.starts.iter().map(|start| start.cpu.as_secs_f64())).context("no start")?;
    let others = candidates.iter().filter(|candidate| candidate.name != BARE);
    std::iter::once(bare).chain(others).map(|candidate| row(candidate, bare_cpu)).collect()
}

fn row(candidate: &Candidate, bare_cpu: f64) -> Result<Row> {
    let of = |figure: fn(&Started) -> f64| median(candidate.starts.iter().map(figure)).context("no start");
    let cpu = of(|start| start.cpu.as_secs_f64())?;
    let call = median(candidate.calls.iter().map(Duration::as_secs_f64));
    let row = json!({
        "function": candidate.name,
        "file_bytes": fs::metadata(&candidate.program)?.len(),
        "ready_ms": rounded(of(|start| start.wall.as_secs_f64())? * 1e3),
        "init_cpu_ms": rounded(cpu * 1e3),
        "init_cpu_to_bare": rounded(cpu / bare_cpu),
        "first_call_cpu_ms": call.map(|call| rounded(call * 1e3)),
        "rest_memory_kib": of(|start| start.memory_kib as f64)?,
    });
    row.as_object().cloned().context("a row is an object")
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// In the form that `docs/benchmarks/startup.md` has.
fn table(rows: &[Row]) -> String {
    let mut table =
        "| function | file | exec → ready | CPU in init | to bare | CPU in the first call | memory at rest |\n\
                     |---|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
    for row in rows {
        let number = |name: &str| row.get(name).and_then(Value::as_f64);
        let shown = |name: &str, factor: f64, unit: &str| {
            number(name).map_or("–".to_owned(), |number| format!("{:.2}{unit}", number * factor))
        };
        table += &format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            row.get("function").and_then(Value::as_str).unwrap_or_default(),
            shown("file_bytes", 1e-6, " MB"),
            shown("ready_ms", 1.0, " ms"),
            shown("init_cpu_ms", 1.0, " ms"),
            shown("init_cpu_to_bare", 1.0, ""),
            shown("first_call_cpu_ms", 1.0, " ms"),
            shown("rest_memory_kib", 1.0 / 1024.0, " MiB"),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_of_medians_and_compares_with_the_noop_function() {
        let started = |cpu: u64| Started {
            wall: Duration::from_micros(cpu * 2),
            cpu: Duration::from_micros(cpu),
            memory_kib: 2048,
        };
        let candidate = |name: &str, cpus: [u64; 3]| Candidate {
            name: name.to_owned(),
            program: std::env::current_exe().expect("a program"),
            starts: cpus.map(started).to_vec(),
            calls: vec![],
        };
        let candidates = [candidate("a", [3_000, 90_000, 2_000]), candidate(BARE, [500, 1_000, 4_000])];
        let rows = rows(&candidates).expect("rows");
        assert_eq!((&rows[0]["function"], &rows[0]["init_cpu_ms"]), (&json!(BARE), &json!(1.0)));
        assert_eq!((&rows[1]["init_cpu_ms"], &rows[1]["init_cpu_to_bare"]), (&json!(3.0), &json!(3.0)));
        let table = table(&rows);
        assert!(table.contains("| 6.00 ms | 3.00 ms | 3.00 | – | 2.00 MiB |"), "{table}");
    }
}

//! Benchmarks that are programs of a package (`benches/`), in the release profile that goes to
//! Lambda: nothing depends on a function, so they cannot be services. What they say are rows of
//! figures, as lines of JSON.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use stack::{paths, progress};

/// One line of the table, as the program says it.
pub type Row = Map<String, Value>;

/// A benchmark: its package and its name.
pub type Program = (&'static str, &'static str);

/// Runs these, prints a table, and writes the same figures to `target/bench/<name>.json`.
pub fn run(name: &str, programs: &[Program]) -> Result<()> {
    let mut rows = Vec::new();
    for (package, program) in programs {
        rows.extend(measured(package, program)?);
    }
    keep(name, &rows)
}

/// Builds and runs a benchmark of `package`; its rows.
pub fn measured(package: &str, name: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let bench = ["bench", "--package", package, "--bench", name];
    progress::run(&format!("Building the benchmark of {package}"), cargo().args(bench).arg("--no-run"))?;
    progress::show(&format!("Measuring {package}"), cargo().args(bench), |line| rows.extend(row(line)))?;
    ensure!(!rows.is_empty(), "the benchmark of {package} said nothing");
    Ok(rows)
}

/// Prints a table of the rows, and writes the same figures to `target/bench/<name>.json`.
pub fn keep(name: &str, rows: &[Row]) -> Result<()> {
    println!("\n{}", table(rows));
    let file = paths::root().join("target/bench").join(format!("{name}.json"));
    fs::create_dir_all(file.parent().context("a file without a folder")?)?;
    fs::write(&file, serde_json::to_string_pretty(&json!({ "rows": rows }))?)?;
    println!("The same figures: {}", file.display());
    Ok(())
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(paths::root());
    cargo
}

/// A row, if the line is one: logs and metrics stand between.
fn row(line: &str) -> Option<Row> {
    let row: Row = serde_json::from_str(line).ok()?;
    row.get("row").is_some_and(Value::is_string).then_some(row)
}

/// A line for each figure: what, how much, and what it should be.
fn table(rows: &[Row]) -> String {
    let mut table = String::new();
    for row in rows {
        let name = row.get("row").and_then(Value::as_str).unwrap_or_default();
        table += name;
        table.push('\n');
        for (figure, value) in row.iter().filter(|(figure, _)| *figure != "row") {
            table += &format!("    {:<30}{:>14}\n", figure.replace('_', " "), grouped(value));
        }
    }
    table
}

/// A whole number with its thousands apart.
fn grouped(value: &Value) -> String {
    let Some(number) = value.as_f64() else { return value.to_string() };
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_from_what_is_logged_in_between() {
        let lines = [
            r#"{"row":"poller","records_per_second":1234567,"target":480000}"#,
            r#"{"level":"INFO","message":"lease taken"}"#,
            "     Running benches/stream/main.rs",
        ];
        let rows: Vec<Row> = lines.iter().filter_map(|line| row(line)).collect();
        assert_eq!(rows.len(), 1);
        let expected = "poller\n    \
                        records per second                 1,234,567\n    \
                        target                               480,000\n";
        assert_eq!(table(&rows), expected);
    }
}

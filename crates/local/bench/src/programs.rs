//! Runs benchmark programs of other packages (`benches/`), in the release profile. No crate depends on a function's
//! crate, so these benchmarks are programs. Each prints its results as lines of JSON.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};
use stack::{cargo, paths, progress};

/// One result of a benchmark: its name in `row`, and figures.
pub type Row = Map<String, Value>;

/// A benchmark program: package and name.
pub type Program = (&'static str, &'static str);

/// Runs benchmark programs, prints their results as a table and writes them to `target/bench/<name>.json`.
pub fn run(name: &str, programs: &[Program]) -> Result<()> {
    let mut rows = Vec::new();
    for (package, program) in programs {
        rows.extend(measure(package, program)?);
    }
    report(name, &rows)
}

/// Builds and runs a benchmark program and returns its results.
pub fn measure(package: &str, name: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let arguments = ["bench", "--package", package, "--bench", name];
    progress::run(&format!("Building the benchmark of {package}"), cargo().args(arguments).arg("--no-run"))?;
    progress::show(&format!("Measuring {package}"), cargo().args(arguments), |line| rows.extend(row(line)))?;
    ensure!(!rows.is_empty(), "the benchmark of {package} printed no result");
    Ok(rows)
}

/// Prints results as a table and writes them to `target/bench/<name>.json`.
pub fn report(name: &str, rows: &[Row]) -> Result<()> {
    println!("\n{}", table(rows));
    let file = paths::root().join("target/bench").join(format!("{name}.json"));
    fs::create_dir_all(file.parent().context("the file has no folder")?)?;
    fs::write(&file, serde_json::to_string_pretty(&json!({ "rows": rows }))?)?;
    println!("Results as JSON: {}", file.display());
    Ok(())
}

/// A result made with `json!`.
pub fn object(row: Value) -> Result<Row> {
    match row {
        Value::Object(row) => Ok(row),
        _ => bail!("the result is not an object"),
    }
}

/// Parses a line of output. `None` for log lines and metrics.
fn row(line: &str) -> Option<Row> {
    let row: Row = serde_json::from_str(line).ok()?;
    row.get("row").is_some_and(Value::is_string).then_some(row)
}

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

/// A number rounded to an integer with thousands separators; below ten, to two decimals.
fn grouped(value: &Value) -> String {
    let Some(number) = value.as_f64() else { return value.to_string() };
    if value.is_f64() && number.abs() < 10.0 {
        return format!("{number:.2}");
    }
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
    fn lines_of_a_log_are_ignored_in_the_table() {
        let lines = [
            r#"{"row":"poller","records_per_second":1234567,"target":480000,"ms":1.234}"#,
            r#"{"level":"INFO","message":"lease taken"}"#,
            "     Running benches/stream/main.rs",
        ];
        let rows: Vec<Row> = lines.iter().filter_map(|line| row(line)).collect();
        assert_eq!(rows.len(), 1);
        let expected = "poller\n    \
                        records per second                 1,234,567\n    \
                        target                               480,000\n    \
                        ms                                      1.23\n";
        assert_eq!(table(&rows), expected);
    }
}

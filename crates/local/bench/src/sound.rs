//! The analysis of a recording, compared with ffmpeg's `ebur128=peak=true` on the same files.
//!
//! Measures a program of `crates/sound` (`examples/analyse.rs`) in the release profile, its start-up included. The two
//! programs alternate, so that other load on the machine affects both. ffmpeg decodes and filters in separate threads
//! and logs no frames; its CPU time is the sum of its threads.
//!
//! Also measures the whole audio worker as built for AWS: analysis, renditions and AWS calls.

mod inputs;
mod programs;
mod worker;

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use stack::{functions, paths, tools};

use self::programs::{Cost, Programs};

/// Measured runs of each program.
const ROUNDS: usize = 5;
/// Highest allowed CPU time relative to ffmpeg, for AAC and MP3.
const MAX_CPU_RATIO: f64 = 0.7;
/// Highest allowed memory for a recording of three hours.
const MAX_MIB: f64 = 32.0;
/// Highest allowed differences from ffmpeg.
const MAX_LU: f64 = 0.1;
const MAX_DB: f64 = 0.2;

/// Prints the results as tables and writes them to `target/bench/sound.json`.
pub fn run() -> Result<()> {
    tools::install()?;
    functions::build_binary(worker::BINARY)?;
    let programs = Programs::prepare()?;
    let folder = paths::root().join("target/bench/sound");
    fs::create_dir_all(&folder)?;

    println!("\nSpeed: CPU seconds for 10 minutes of sound, median of {ROUNDS} runs");
    println!(
        "{:<16}{:>8}{:>9}{:>8}{:>13}{:>8}{:>9}",
        "file", "ours", "ffmpeg", "ratio", "× real time", "MiB", "ffmpeg"
    );
    let mut speeds = Vec::new();
    let long = inputs::long(&programs, &folder)?;
    for path in &long {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(programs.ours(path)?.cost);
            theirs.push(programs.ffmpeg_cost(path)?);
        }
        let (ours, theirs) = (median(ours), median(theirs));
        let ratio = ours.cpu_seconds / theirs.cpu_seconds;
        let name = inputs::name(path);
        println!(
            "{name:<16}{:>8.2}{:>9.2}{ratio:>8.2}{:>13.0}{:>8.1}{:>9.1}",
            ours.cpu_seconds,
            theirs.cpu_seconds,
            600.0 / ours.cpu_seconds,
            ours.peak_mib,
            theirs.peak_mib
        );
        speeds.push(json!({ "file": name, "ours": ours.json(), "ffmpeg": theirs.json(), "ratio": ratio }));
    }
    println!("Requirement: ratio of at most {MAX_CPU_RATIO} for AAC and MP3.");

    println!("\nWhole worker: CPU seconds per minute of sound; MiB without ffmpeg");
    println!("{:<16}{:>8}{:>9}{:>14}{:>8}", "file", "worker", "ffmpeg", "ffmpeg share", "MiB");
    let mut whole = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let three_hours = inputs::three_hours(&programs, &folder)?;
    let ten_minutes = long.into_iter().map(|path| (path, 10.0));
    let recordings: Vec<_> = ten_minutes.chain(three_hours.first().map(|path| (path.clone(), 180.0))).collect();
    for cost in runtime.block_on(worker::measure(&recordings))? {
        let worker::WorkerCost { file, worker, ffmpeg, mib } = cost;
        let share = 100.0 * ffmpeg / (worker + ffmpeg);
        println!("{file:<16}{worker:>8.2}{ffmpeg:>9.2}{share:>12.0} %{mib:>8.1}");
        whole.push(json!({ "file": file, "worker": worker, "ffmpeg": ffmpeg, "peak_mib": mib }));
    }

    println!("\nMemory: MiB for 3 hours of sound");
    let mut memory = Vec::new();
    for path in three_hours {
        let cost = programs.ours(&path)?.cost;
        let name = inputs::name(&path);
        println!("{name:<16}{:>8.1}   in {:.1} CPU seconds", cost.peak_mib, cost.cpu_seconds);
        memory.push(json!({ "file": name, "ours": cost.json() }));
    }
    println!("Requirement: at most {MAX_MIB} MiB.");

    println!("\nAccuracy: difference from ffmpeg");
    println!("{:<18}{:>9}{:>9}{:>7}{:>11}{:>9}{:>7}", "file", "LUFS", "ffmpeg", "LU", "dBTP", "ffmpeg", "dB");
    let mut accuracy = Vec::new();
    let mut inaccurate = Vec::new();
    for path in inputs::kinds(&programs, &folder)? {
        let ours = programs.ours(&path)?;
        let theirs = programs.ffmpeg_measures(&path)?;
        let name = inputs::name(&path);
        let (lu, db) = ((ours.lufs - theirs.lufs).abs(), (ours.dbtp - theirs.dbtp).abs());
        println!(
            "{name:<18}{:>9.3}{:>9.3}{lu:>7.3}{:>11.3}{:>9.3}{db:>7.3}",
            ours.lufs, theirs.lufs, ours.dbtp, theirs.dbtp
        );
        if lu > MAX_LU || db > MAX_DB {
            inaccurate.push(name.clone());
        }
        accuracy.push(json!({
            "file": name, "lufs": ours.lufs, "ffmpeg_lufs": theirs.lufs, "dbtp": ours.dbtp, "ffmpeg_dbtp": theirs.dbtp,
        }));
    }
    println!("Requirement: at most {MAX_LU} LU and {MAX_DB} dB.");

    let file = folder.with_extension("json");
    let report = json!({ "speed": speeds, "whole_worker": whole, "three_hours": memory, "accuracy": accuracy });
    fs::write(&file, serde_json::to_string_pretty(&report)?).with_context(|| file.display().to_string())?;
    println!("\nResults as JSON: {}", file.display());
    // Only the accuracy does not depend on the machine.
    ensure!(inaccurate.is_empty(), "results differ too much from ffmpeg: {}", inaccurate.join(", "));
    Ok(())
}

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds));
    costs[costs.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_value() {
        let costs = [3.0, 1.0, 2.0].map(|cpu_seconds| Cost { cpu_seconds, peak_mib: 1.0 });
        assert_eq!(median(costs.to_vec()).cpu_seconds, 2.0);
    }
}

//! The analysis of a recording, against ffmpeg's `ebur128=peak=true` on the same files.
//!
//! What is measured is `crates/sound` in the release profile that goes to Lambda, as a program
//! (`examples/analyse.rs`), with all it takes to start. The two take turns, so that what else the
//! machine does hits both. ffmpeg decodes and filters in a thread each and is told to log no
//! frames; its CPU time is the sum of its threads.
//!
//! And the whole worker, as it is built for AWS: analysis, renditions, and its calls.

mod inputs;
mod programs;
mod worker;

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use stack::{functions, paths, tools};

use self::programs::{Cost, Programs};

/// How often each program takes its turn.
const ROUNDS: usize = 5;
/// What is demanded: of ffmpeg's CPU time, for AAC and MP3.
const MOST_CPU: f64 = 0.7;
/// For three hours.
const MOST_MIB: f64 = 32.0;
/// Between the two programs.
const MOST_LU: f64 = 0.1;
const MOST_DB: f64 = 0.2;

/// Measures, prints tables, and writes the same figures to `target/bench/sound.json`.
pub fn run() -> Result<()> {
    tools::install()?;
    functions::build_binary(worker::BINARY)?;
    let programs = Programs::prepare()?;
    let folder = paths::root().join("target/bench/sound");
    fs::create_dir_all(&folder)?;

    println!("\nSpeed: 10 minutes, the median of {ROUNDS} turns each, in seconds of CPU");
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
    println!("Demanded: at most {MOST_CPU} for AAC and MP3.");

    println!("\nThe whole worker: seconds of CPU a minute of sound, and the MiB of all but ffmpeg");
    println!("{:<16}{:>8}{:>9}{:>12}{:>8}", "file", "worker", "ffmpeg", "encoding is", "MiB");
    let mut whole = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let three_hours = inputs::three_hours(&programs, &folder)?;
    let ten_minutes = long.into_iter().map(|path| (path, 10.0));
    let recordings: Vec<_> = ten_minutes.chain(three_hours.first().map(|path| (path.clone(), 180.0))).collect();
    for taken in runtime.block_on(worker::measure(&recordings))? {
        let worker::Taken { file, worker, ffmpeg, mib } = taken;
        let share = 100.0 * ffmpeg / (worker + ffmpeg);
        println!("{file:<16}{worker:>8.2}{ffmpeg:>9.2}{share:>10.0} %{mib:>8.1}");
        whole.push(json!({ "file": file, "worker": worker, "ffmpeg": ffmpeg, "peak_mib": mib }));
    }

    println!("\nMemory: 3 hours, in MiB");
    let mut memory = Vec::new();
    for path in three_hours {
        let cost = programs.ours(&path)?.cost;
        let name = inputs::name(&path);
        println!("{name:<16}{:>8.1}   in {:.1} s of CPU", cost.peak_mib, cost.cpu_seconds);
        memory.push(json!({ "file": name, "ours": cost.json() }));
    }
    println!("Demanded: at most {MOST_MIB}.");

    println!("\nRight: ours, ffmpeg's, apart");
    println!("{:<18}{:>9}{:>9}{:>7}{:>11}{:>9}{:>7}", "file", "LUFS", "ffmpeg", "LU", "dBTP", "ffmpeg", "dB");
    let mut accuracy = Vec::new();
    let mut apart = Vec::new();
    for path in inputs::kinds(&programs, &folder)? {
        let ours = programs.ours(&path)?;
        let theirs = programs.ffmpeg_measures(&path)?;
        let name = inputs::name(&path);
        let (lu, db) = ((ours.lufs - theirs.lufs).abs(), (ours.dbtp - theirs.dbtp).abs());
        println!(
            "{name:<18}{:>9.3}{:>9.3}{lu:>7.3}{:>11.3}{:>9.3}{db:>7.3}",
            ours.lufs, theirs.lufs, ours.dbtp, theirs.dbtp
        );
        if lu > MOST_LU || db > MOST_DB {
            apart.push(name.clone());
        }
        accuracy.push(json!({
            "file": name, "lufs": ours.lufs, "ffmpeg_lufs": theirs.lufs, "dbtp": ours.dbtp, "ffmpeg_dbtp": theirs.dbtp,
        }));
    }
    println!("Demanded: at most {MOST_LU} LU and {MOST_DB} dB.");

    let file = folder.with_extension("json");
    let report = json!({ "speed": speeds, "whole_worker": whole, "three_hours": memory, "accuracy": accuracy });
    fs::write(&file, serde_json::to_string_pretty(&report)?).with_context(|| file.display().to_string())?;
    println!("\nThe same figures: {}", file.display());
    // Speed depends on the machine; this does not.
    ensure!(apart.is_empty(), "too far from ffmpeg: {}", apart.join(", "));
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
    fn median_is_the_middle_one() {
        let costs = [3.0, 1.0, 2.0].map(|cpu_seconds| Cost { cpu_seconds, peak_mib: 1.0 });
        assert_eq!(median(costs.to_vec()).cpu_seconds, 2.0);
    }
}

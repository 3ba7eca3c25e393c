//! `cargo xtask bench picture`: CPU, memory and quality of thumbnails, side by side.

mod candidates;
mod inputs;
mod report;

use std::fs;

use anyhow::{Context, Result};
use serde_json::json;
use stack::paths;

use candidates::{CANDIDATES, Candidate, Worker};
use report::Measurement;

/// How it is measured.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Rounds that each candidate runs on each photograph; the median counts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Only photographs whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Encode as WebP, too, which is most of everybody's time.
    #[arg(long)]
    webp: bool,
}

/// Measures every candidate on every photograph, in turns, so that what slows the machine down slows all.
pub fn run(arguments: &Arguments) -> Result<()> {
    candidates::install()?;
    let photographs = inputs::make()?.into_iter().filter(|photo| photo.name.contains(&arguments.only));
    let formats: &[&str] = if arguments.webp { &["jpeg", "webp"] } else { &["jpeg"] };
    let mut workers = CANDIDATES.map(Worker::start).into_iter().collect::<Result<Vec<_>>>()?;
    let mut quality = Worker::quality()?;

    let mut measurements = Vec::new();
    for photo in photographs {
        println!("▸ {}", photo.name);
        let mut of_photo: Vec<Measurement> = Vec::new();
        // The first run fills caches; what it writes is what the quality is taken of.
        for (candidate, worker) in CANDIDATES.iter().zip(&mut workers) {
            let out = folder(&photo.name, *candidate)?;
            worker.develop(&photo.path, *candidate, formats, Some(&out))?;
            let thumbnails: Vec<_> = report::BOUNDS.iter().map(|bound| out.join(format!("{bound}.jpeg"))).collect();
            let quality = quality.ask(&json!({ "original": photo.path, "thumbnails": thumbnails }))?;
            // A process of its own: one that has run before keeps memory that it would need again.
            let memory = Worker::start(*candidate)?.develop(&photo.path, *candidate, formats, None)?;
            of_photo.push(Measurement::new(&photo, *candidate, &memory, &quality)?);
        }
        for _ in 0..arguments.rounds {
            for ((candidate, worker), measurement) in CANDIDATES.iter().zip(&mut workers).zip(&mut of_photo) {
                let answer = worker.develop(&photo.path, *candidate, formats, None)?;
                measurement.rounds.push(answer["cpu_ms"].as_f64().context("no time")?);
            }
        }
        measurements.extend(of_photo);
    }
    report::write(&measurements, formats)
}

fn folder(photo: &str, candidate: Candidate) -> Result<std::path::PathBuf> {
    let folder = workdir().join("out").join(photo).join(candidate.name.replace(' ', "-"));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn workdir() -> std::path::PathBuf {
    paths::root().join("target/bench/picture")
}

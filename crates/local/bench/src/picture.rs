//! `cargo xtask bench picture`: CPU, memory and quality of thumbnails, compared with other libraries.

mod candidates;
mod inputs;
mod report;
mod workdir;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use candidates::{CANDIDATES, Candidate, Worker};
use report::Measurement;
use workdir::workdir;

/// Options of `cargo xtask bench picture`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Measured rounds per candidate and photograph. The result is their median.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Use only photographs whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// Also encode as WebP, which then takes most of the time.
    #[arg(long)]
    webp: bool,
}

/// Measures every candidate on every photograph. Candidates alternate, so that other load on the machine affects all.
pub fn run(arguments: &Arguments) -> Result<()> {
    candidates::install()?;
    let photographs = inputs::make()?.into_iter().filter(|photo| photo.name.contains(&arguments.only));
    let formats: &[&str] = if arguments.webp { &["jpeg", "webp"] } else { &["jpeg"] };
    let mut workers = CANDIDATES.map(Worker::start).into_iter().collect::<Result<Vec<_>>>()?;
    let mut quality = Worker::quality()?;

    let mut measurements = Vec::new();
    for photo in photographs {
        println!("▸ {}", photo.name);
        let mut photo_measurements: Vec<Measurement> = Vec::new();
        // The first run fills caches. Its output is used for the quality.
        for (candidate, worker) in CANDIDATES.iter().zip(&mut workers) {
            let out = output_folder(&photo.name, *candidate)?;
            worker.render(&photo.path, *candidate, formats, Some(&out))?;
            let thumbnails: Vec<_> = report::BOUNDS.iter().map(|bound| out.join(format!("{bound}.jpeg"))).collect();
            let quality = quality.request(&json!({ "original": photo.path, "thumbnails": thumbnails }))?;
            // A new process, because a process that has run before reuses its memory.
            let memory = Worker::start(*candidate)?.render(&photo.path, *candidate, formats, None)?;
            photo_measurements.push(Measurement::new(&photo, *candidate, &memory, &quality)?);
        }
        for _ in 0..arguments.rounds {
            for ((candidate, worker), measurement) in CANDIDATES.iter().zip(&mut workers).zip(&mut photo_measurements) {
                let result = worker.render(&photo.path, *candidate, formats, None)?;
                measurement.rounds.push(result["cpu_ms"].as_f64().context("no CPU time")?);
            }
        }
        measurements.extend(photo_measurements);
    }
    report::write(&measurements, formats)
}

fn output_folder(photo: &str, candidate: Candidate) -> Result<PathBuf> {
    let folder = workdir().join("out").join(photo).join(candidate.name.replace(' ', "-"));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

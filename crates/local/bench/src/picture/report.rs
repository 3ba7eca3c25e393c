//! The tables, and the same as JSON.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use stack::paths;

use super::{
    candidates::{CANDIDATES, Candidate, YARDSTICK},
    inputs::Photograph,
};

/// The longest sides of the thumbnails, as `picture::BOUNDS` has them.
pub const BOUNDS: [u32; 3] = [1080, 512, 128];

/// What one candidate did with one photograph.
#[derive(Debug, Serialize)]
pub struct Measurement {
    photo: String,
    candidate: &'static str,
    /// CPU time of each round, in milliseconds.
    pub rounds: Vec<f64>,
    /// What the process grew by at most, beyond what it held with the file read.
    grown_mib: f64,
    /// The process as a whole.
    peak_mib: f64,
    /// By bound, largest first.
    quality: Vec<Quality>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Quality {
    psnr: f64,
    ssim: f64,
}

impl Measurement {
    /// Without rounds yet.
    pub fn new(photo: &Photograph, candidate: Candidate, memory: &Value, quality: &Value) -> Result<Self> {
        let mib = |name: &str| Some(memory[name].as_f64()? / 1024.0);
        let quality = quality.as_array().context("no quality")?.iter();
        Ok(Self {
            photo: photo.name.clone(),
            candidate: candidate.name,
            rounds: Vec::new(),
            grown_mib: mib("grown_kib").context("no memory")?,
            peak_mib: mib("peak_kib").context("no memory")?,
            quality: quality
                .map(|q| Some(Quality { psnr: q["psnr"].as_f64()?, ssim: q["ssim"].as_f64()? }))
                .collect::<Option<_>>()
                .context("no quality")?,
        })
    }

    fn cpu_ms(&self) -> f64 {
        median(&self.rounds)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

/// Prints the tables and writes `target/bench/picture.json`.
pub fn write(measurements: &[Measurement], formats: &[&str]) -> Result<()> {
    println!("\nOut: 1080, 512 and 128 px as {}. CPU: the median of the rounds.\n", formats.join(" and "));
    println!("| photograph | candidate | CPU ms | / {YARDSTICK} | / sharp independent | grown MiB | peak MiB |");
    println!("|---|---|--:|--:|--:|--:|--:|");
    let mut json = Vec::new();
    for of_photo in measurements.chunk_by(|a, b| a.photo == b.photo) {
        let time_of = |name| of_photo.iter().find(|m| m.candidate == name).map_or(f64::NAN, Measurement::cpu_ms);
        for m in of_photo {
            let (cpu, casc, indep) = (m.cpu_ms(), time_of(YARDSTICK), time_of("sharp independent"));
            println!(
                "| {} | {} | {cpu:.1} | {:.2} | {:.2} | {:.1} | {:.1} |",
                m.photo,
                m.candidate,
                cpu / casc,
                cpu / indep,
                m.grown_mib,
                m.peak_mib
            );
            let mut entry = serde_json::to_value(m)?;
            entry["cpu_ms"] = json!(cpu);
            entry["ratio_to_cascade"] = json!(cpu / casc);
            entry["ratio_to_independent"] = json!(cpu / indep);
            json.push(entry);
        }
    }

    println!("\nPSNR (dB) / SSIM of the JPEGs against a float Lanczos of the full decode.\n");
    println!("| photograph | candidate | 1080 | 512 | 128 |\n|---|---|--:|--:|--:|");
    let cells =
        |quality: &[Quality]| quality.iter().map(|q| format!(" {:.2} / {:.4} |", q.psnr, q.ssim)).collect::<String>();
    for m in measurements {
        println!("| {} | {} |{}", m.photo, m.candidate, cells(&m.quality));
    }
    for candidate in CANDIDATES {
        let of_candidate: Vec<_> = measurements.iter().filter(|m| m.candidate == candidate.name).collect();
        let mean = |pick: &dyn Fn(&Quality) -> f64, at: usize| {
            of_candidate.iter().map(|m| m.quality.get(at).map_or(f64::NAN, pick)).sum::<f64>()
                / of_candidate.len() as f64
        };
        let means: Vec<_> =
            (0..BOUNDS.len()).map(|at| Quality { psnr: mean(&|q| q.psnr, at), ssim: mean(&|q| q.ssim, at) }).collect();
        println!("| **mean** | {} |{}", candidate.name, cells(&means));
    }

    let path = paths::root().join("target/bench/picture.json");
    fs::write(&path, serde_json::to_vec_pretty(&json!({ "formats": formats, "measurements": json }))?)?;
    println!("\nWritten to {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_order_and_outliers() {
        assert_eq!(median(&[9.0, 1.0, 1000.0]), 9.0);
        assert_eq!(median(&[4.0, 1.0, 1000.0, 2.0]), 3.0);
        assert!(median(&[]).is_nan());
    }
}

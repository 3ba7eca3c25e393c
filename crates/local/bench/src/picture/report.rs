//! Prints the results as tables and writes them as JSON.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use stack::paths;

use super::{
    candidates::{BASELINE, CANDIDATES, Candidate},
    inputs::Photograph,
};

/// Longest sides of the thumbnails, equal to those of crates/picture.
pub const BOUNDS: [u32; 3] = [1080, 512, 128];

/// Results of a candidate for a photograph.
#[derive(Debug, Serialize)]
pub struct Measurement {
    photo: String,
    candidate: &'static str,
    /// CPU time of each round, in milliseconds.
    pub rounds: Vec<f64>,
    /// Largest memory growth of the process after it read the file.
    grown_mib: f64,
    /// Peak memory of the process.
    peak_mib: f64,
    /// Quality by size, largest first.
    quality: Vec<Quality>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Quality {
    psnr: f64,
    chroma_psnr: f64,
    ssim: f64,
}

impl Measurement {
    /// A measurement without rounds.
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
                .map(|q| {
                    let value = |name: &str| q[name].as_f64();
                    Some(Quality { psnr: value("psnr")?, chroma_psnr: value("chroma_psnr")?, ssim: value("ssim")? })
                })
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
    println!("\nOutput: 1080, 512 and 128 px as {}. CPU is the median of the rounds.\n", formats.join(" and "));
    println!("| photograph | candidate | CPU ms | / {BASELINE} | / sharp independent | grown MiB | peak MiB |");
    println!("|---|---|--:|--:|--:|--:|--:|");
    let mut json = Vec::new();
    for photo_measurements in measurements.chunk_by(|a, b| a.photo == b.photo) {
        let time_of =
            |name| photo_measurements.iter().find(|m| m.candidate == name).map_or(f64::NAN, Measurement::cpu_ms);
        for m in photo_measurements {
            let (cpu, cascade, independent) = (m.cpu_ms(), time_of(BASELINE), time_of("sharp independent"));
            println!(
                "| {} | {} | {cpu:.1} | {:.2} | {:.2} | {:.1} | {:.1} |",
                m.photo,
                m.candidate,
                cpu / cascade,
                cpu / independent,
                m.grown_mib,
                m.peak_mib
            );
            let mut entry = serde_json::to_value(m)?;
            entry["cpu_ms"] = json!(cpu);
            entry["ratio_to_cascade"] = json!(cpu / cascade);
            entry["ratio_to_independent"] = json!(cpu / independent);
            json.push(entry);
        }
    }

    println!(
        "\nPSNR (dB) / PSNR of the chroma / SSIM of the JPEGs, compared with a float Lanczos reduction of the decoded original.\n"
    );
    println!("| photograph | candidate | 1080 | 512 | 128 |\n|---|---|--:|--:|--:|");
    let cell = |q: &Quality| format!(" {:.2} / {:.2} / {:.4} |", q.psnr, q.chroma_psnr, q.ssim);
    let cells = |quality: &[Quality]| quality.iter().map(cell).collect::<String>();
    for m in measurements {
        println!("| {} | {} |{}", m.photo, m.candidate, cells(&m.quality));
    }
    for candidate in CANDIDATES {
        let candidate_measurements: Vec<_> = measurements.iter().filter(|m| m.candidate == candidate.name).collect();
        let mean = |field: &dyn Fn(&Quality) -> f64, index: usize| {
            candidate_measurements.iter().map(|m| m.quality.get(index).map_or(f64::NAN, field)).sum::<f64>()
                / candidate_measurements.len() as f64
        };
        let means: Vec<_> = (0..BOUNDS.len())
            .map(|index| Quality {
                psnr: mean(&|q| q.psnr, index),
                chroma_psnr: mean(&|q| q.chroma_psnr, index),
                ssim: mean(&|q| q.ssim, index),
            })
            .collect();
        println!("| **mean** | {} |{}", candidate.name, cells(&means));
    }

    let path = paths::root().join("target/bench/picture.json");
    fs::write(&path, serde_json::to_vec_pretty(&json!({ "formats": formats, "measurements": json }))?)?;
    println!("\nResults as JSON: {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_ignores_order_and_outliers() {
        assert_eq!(median(&[9.0, 1.0, 1000.0]), 9.0);
        assert_eq!(median(&[4.0, 1.0, 1000.0, 2.0]), 3.0);
        assert!(median(&[]).is_nan());
    }
}

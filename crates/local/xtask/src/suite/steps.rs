//! The steps of a test run and their times.

use std::{collections::BTreeMap, fs, time::Instant};

use anyhow::Result;
use stack::paths;

/// Announces each step and measures its time.
#[derive(Debug, Default)]
pub struct Steps {
    times: Vec<(&'static str, f64)>,
}

impl Steps {
    /// Runs a step.
    pub fn run<T>(&mut self, name: &'static str, step: impl FnOnce() -> T) -> T {
        println!("═ step {}: {name}", self.times.len() + 1);
        let start = Instant::now();
        let result = step();
        self.times.push((name, start.elapsed().as_secs_f64()));
        result
    }

    /// Prints the times of all steps, and writes them in seconds to `target/ci-times.json`.
    pub fn write(&self) -> Result<()> {
        println!("\nTimes:");
        for (name, seconds) in &self.times {
            println!("{seconds:>8.1} s  {name}");
        }
        let total: f64 = self.times.iter().map(|(_, seconds)| seconds).sum();
        println!("{total:>8.1} s  total");
        let mut times: BTreeMap<&str, f64> = self.times.iter().copied().collect();
        times.insert("total", total);
        let file = paths::root().join("target/ci-times.json");
        Ok(fs::write(file, serde_json::to_string_pretty(&times)?)?)
    }
}

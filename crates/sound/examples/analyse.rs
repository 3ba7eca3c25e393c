//! Analyses files and prints one line of JSON for each, with the CPU time and memory of the process so far.
//!
//! `cargo run --release -p sound --example analyse -- FILE…`

use std::{env, error::Error, fs, fs::File};

use serde_json::{Value, json};
use sound::{Limits, analyse};

fn main() -> Result<(), Box<dyn Error>> {
    for path in env::args().skip(1) {
        let analysis = analyse(File::open(&path)?, &Limits::default());
        let mut line = match analysis {
            Ok(analysis) => {
                let mut line = serde_json::to_value(&analysis)?;
                line["preview"] = Value::from(analysis.measured.waveform.preview_base64());
                line["waveform_points"] = Value::from(analysis.measured.waveform.points().len());
                line
            }
            Err(error) => json!({ "error": error.code(), "message": error.to_string() }),
        };
        line["file"] = Value::from(path);
        line["cpu_seconds"] = Value::from(cpu_seconds());
        line["peak_kib"] = Value::from(peak_kib());
        println!("{line}");
    }
    Ok(())
}

/// The CPU time of this single-threaded process. 0 on systems without this file.
fn cpu_seconds() -> f64 {
    let nanoseconds = fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = nanoseconds.and_then(|line| line.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// The peak memory of this process.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

//! Measures this crate for `cargo xtask bench picture`. Reads a JSON request per line from standard
//! input and writes a JSON result per line to standard output.

use std::{fs, io, path::Path, process::ExitCode};

use picture::{Encoding, Limits, make_variants_as};
use rustix::time::{ClockId, clock_gettime};

fn main() -> ExitCode {
    for line in io::stdin().lines() {
        match line.map_err(|error| error.to_string()).and_then(|line| measure(&line)) {
            Ok(result) => println!("{result}"),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn measure(request: &str) -> Result<serde_json::Value, String> {
    let request: serde_json::Value = serde_json::from_str(request).map_err(|error| error.to_string())?;
    let file = request["file"].as_str().ok_or("no file")?;
    let formats = request["formats"].as_array().ok_or("no formats")?;
    let encodings: Vec<Encoding> =
        formats.iter().map(|format| if format == "jpeg" { Encoding::Jpeg } else { Encoding::WebP }).collect();
    let bytes = fs::read(file).map_err(|error| format!("{file}: {error}"))?;

    fs::write("/proc/self/clear_refs", "5").map_err(|error| error.to_string())?;
    let before = status("VmRSS:")?;
    let start = cpu_ms();
    let pictures = make_variants_as(&bytes, &Limits::default(), &encodings).map_err(|error| error.to_string())?;
    let elapsed = cpu_ms() - start;
    let peak = status("VmHWM:")?;

    if let Some(out) = request["out"].as_str() {
        for variant in &pictures.variants {
            let format = if variant.encoding == Encoding::Jpeg { "jpeg" } else { "webp" };
            let path = Path::new(out).join(format!("{}.{format}", variant.bound));
            fs::write(&path, &variant.bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(serde_json::json!({ "cpu_ms": elapsed, "grown_kib": peak.saturating_sub(before), "peak_kib": peak }))
}

/// CPU time of the process in milliseconds.
fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// A value in `/proc/self/status`, in KiB.
fn status(name: &str) -> Result<u64, String> {
    let status = fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    line.split_whitespace().next().and_then(|number| number.parse().ok()).ok_or_else(|| "no number".to_owned())
}

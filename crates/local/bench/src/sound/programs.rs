//! The two compared programs.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use stack::{
    functions,
    tools::{self, Tool},
};

/// CPU and memory of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// User and system CPU time of all threads.
    pub cpu_seconds: f64,
    /// Peak resident memory.
    pub peak_mib: f64,
}

impl Cost {
    pub fn json(self) -> Value {
        json!({ "cpu_seconds": self.cpu_seconds, "peak_mib": self.peak_mib })
    }
}

/// The results of `crates/sound` for a file.
#[derive(Debug, Clone, Copy)]
pub struct Ours {
    pub cost: Cost,
    pub lufs: f64,
    pub dbtp: f64,
}

/// The results of ffmpeg for a file.
#[derive(Debug, Clone, Copy)]
pub struct Measures {
    pub lufs: f64,
    pub dbtp: f64,
}

pub struct Programs {
    analyse: PathBuf,
    ffmpeg: PathBuf,
}

impl Programs {
    pub fn prepare() -> Result<Self> {
        Tool::Audio.install()?;
        let ffmpeg = tools::ffmpeg()?;
        Tool::Builder.install()?;
        functions::build_example("sound", "analyse")?;
        Ok(Self { analyse: functions::example("analyse"), ffmpeg })
    }

    pub fn ours(&self, path: &Path) -> Result<Ours> {
        let output = Command::new(&self.analyse).arg(path).stdin(Stdio::null()).output()?;
        let line: Value = serde_json::from_slice(&output.stdout).context("the analysis printed no result")?;
        let number = |pointer: &str| {
            line.pointer(pointer).and_then(Value::as_f64).with_context(|| format!("no {pointer} in {line}"))
        };
        Ok(Ours {
            cost: Cost { cpu_seconds: number("/cpu_seconds")?, peak_mib: number("/peak_kib")? / 1024.0 },
            lufs: number("/loudness/integrated_lufs")?,
            dbtp: number("/true_peak_dbtp")?,
        })
    }

    /// Measures CPU and memory of ffmpeg.
    pub fn ffmpeg_cost(&self, path: &Path) -> Result<Cost> {
        let output = self
            .ffmpeg()
            .args(["-nostats", "-benchmark", "-threads", "1", "-filter_threads", "1"])
            .arg("-i")
            .arg(path)
            .args(["-vn", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"])
            .output()?;
        let log = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "ffmpeg: {log}");
        cost(&log).context("ffmpeg printed no CPU time")
    }

    /// Loudness and true peak by ffmpeg, with three decimals.
    pub fn ffmpeg_measures(&self, path: &Path) -> Result<Measures> {
        let mut command = self.ffmpeg();
        // ffmpeg's own Opus decoder differs by some dB for SILK and hybrid frames, so use libopus.
        if path.extension().is_some_and(|extension| extension == "opus") {
            command.args(["-c:a", "libopus"]);
        }
        let filter = "ebur128=peak=true:framelog=quiet:metadata=1,ametadata=print:file=-";
        command.arg("-i").arg(path).args(["-vn", "-af", filter, "-f", "null", "-"]);
        let output = command.output()?;
        ensure!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
        measures(&String::from_utf8(output.stdout)?).context("ffmpeg printed no loudness")
    }

    /// Creates a file with ffmpeg if it does not exist.
    pub fn make(&self, path: &Path, arguments: &[impl AsRef<OsStr>]) -> Result<()> {
        if path.is_file() {
            return Ok(());
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).context("no file extension")?;
        // An interrupted run must not leave an incomplete file with the final name.
        let incomplete = path.with_extension(format!("incomplete.{extension}"));
        let output = self.ffmpeg().args(["-y", "-fflags", "+bitexact"]).args(arguments).arg(&incomplete).output()?;
        if !output.status.success() {
            bail!("ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(fs::rename(incomplete, path)?)
    }

    fn ffmpeg(&self) -> Command {
        let mut command = Command::new(&self.ffmpeg);
        command.args(["-nostdin", "-hide_banner"]).stdin(Stdio::null());
        command
    }
}

/// Parses `bench: utime=3.796s stime=1.282s rtime=4.1s` and `bench: maxrss=80000KiB`.
fn cost(log: &str) -> Option<Cost> {
    let number = |name: &str| {
        let rest = log.split_once(&format!("{name}="))?.1;
        rest.split(|c: char| c != '.' && !c.is_ascii_digit()).next()?.parse::<f64>().ok()
    };
    Some(Cost { cpu_seconds: number("utime")? + number("stime")?, peak_mib: number("maxrss")? / 1024.0 })
}

/// Parses the last `lavfi.r128.I=…` (LUFS) and the last `lavfi.r128.true_peak=…` (1.0 is full scale).
fn measures(output: &str) -> Option<Measures> {
    let last = |name: &str| {
        let mut values = output.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        values.next_back()?.parse::<f64>().ok()
    };
    Some(Measures { lufs: last("lavfi.r128.I")?, dbtp: 20.0 * last("lavfi.r128.true_peak")?.log10() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_of_ffmpeg_is_parsed() {
        let log = "size=N/A\nbench: utime=3.500s stime=1.250s rtime=4.000s\nbench: maxrss=81920KiB\n";
        assert_eq!(cost(log), Some(Cost { cpu_seconds: 4.75, peak_mib: 80.0 }));
        assert_eq!(cost("bench: nothing"), None);
        let output = "lavfi.r128.I=-70.000\nlavfi.r128.I.x=1\nlavfi.r128.I=-14.125\nlavfi.r128.true_peak=0.500\n";
        let found = measures(output).expect("measures");
        assert_eq!(found.lufs, -14.125);
        assert!((found.dbtp + 6.0206).abs() < 1e-4);
    }
}

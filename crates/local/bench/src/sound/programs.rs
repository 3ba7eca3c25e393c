//! The two programs that take turns.

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

/// What a run has cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// User and system time of all threads.
    pub cpu_seconds: f64,
    /// The most memory that was resident.
    pub peak_mib: f64,
}

impl Cost {
    pub fn json(self) -> Value {
        json!({ "cpu_seconds": self.cpu_seconds, "peak_mib": self.peak_mib })
    }
}

/// What `crates/sound` says of a file.
#[derive(Debug, Clone, Copy)]
pub struct Ours {
    pub cost: Cost,
    pub lufs: f64,
    pub dbtp: f64,
}

/// What ffmpeg says of a file.
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
        let line: Value = serde_json::from_slice(&output.stdout).context("the analysis said nothing")?;
        let number = |pointer: &str| {
            line.pointer(pointer).and_then(Value::as_f64).with_context(|| format!("no {pointer} in {line}"))
        };
        Ok(Ours {
            cost: Cost { cpu_seconds: number("/cpu_seconds")?, peak_mib: number("/peak_kib")? / 1024.0 },
            lufs: number("/loudness/integrated_lufs")?,
            dbtp: number("/true_peak_dbtp")?,
        })
    }

    /// Decodes and measures once, for the clock.
    pub fn ffmpeg_cost(&self, path: &Path) -> Result<Cost> {
        let output = self
            .ffmpeg()
            .args(["-nostats", "-benchmark", "-threads", "1", "-filter_threads", "1"])
            .arg("-i")
            .arg(path)
            .args(["-vn", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"])
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "ffmpeg: {said}");
        cost(&said).context("ffmpeg tells no cost")
    }

    /// Decodes and measures once, for the figures, to a thousandth.
    pub fn ffmpeg_measures(&self, path: &Path) -> Result<Measures> {
        let mut command = self.ffmpeg();
        // Its own decoder of Opus is some dB off for SILK and hybrid frames; libopus is in it, too.
        if path.extension().is_some_and(|extension| extension == "opus") {
            command.args(["-c:a", "libopus"]);
        }
        let filter = "ebur128=peak=true:framelog=quiet:metadata=1,ametadata=print:file=-";
        command.arg("-i").arg(path).args(["-vn", "-af", filter, "-f", "null", "-"]);
        let output = command.output()?;
        ensure!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
        measures(&String::from_utf8(output.stdout)?).context("ffmpeg measured nothing")
    }

    /// Makes a file, unless it is there.
    pub fn make(&self, path: &Path, arguments: &[impl AsRef<OsStr>]) -> Result<()> {
        if path.is_file() {
            return Ok(());
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).context("an extension")?;
        // A run that was broken off must not leave half a file behind.
        let part = path.with_extension(format!("part.{extension}"));
        let output = self.ffmpeg().args(["-y", "-fflags", "+bitexact"]).args(arguments).arg(&part).output()?;
        if !output.status.success() {
            bail!("ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(fs::rename(part, path)?)
    }

    fn ffmpeg(&self) -> Command {
        let mut command = Command::new(&self.ffmpeg);
        command.args(["-nostdin", "-hide_banner"]).stdin(Stdio::null());
        command
    }
}

/// From `bench: utime=3.796s stime=1.282s rtime=4.1s` and `bench: maxrss=80000KiB`.
fn cost(said: &str) -> Option<Cost> {
    let number = |name: &str| {
        let rest = said.split_once(&format!("{name}="))?.1;
        rest.split(|c: char| c != '.' && !c.is_ascii_digit()).next()?.parse::<f64>().ok()
    };
    Some(Cost { cpu_seconds: number("utime")? + number("stime")?, peak_mib: number("maxrss")? / 1024.0 })
}

/// From the last of each `lavfi.r128.I=…` (LUFS) and `lavfi.r128.true_peak=…` (1.0 is full scale).
fn measures(printed: &str) -> Option<Measures> {
    let last = |name: &str| {
        let mut values = printed.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        values.next_back()?.parse::<f64>().ok()
    };
    Some(Measures { lufs: last("lavfi.r128.I")?, dbtp: 20.0 * last("lavfi.r128.true_peak")?.log10() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_ffmpeg_says() {
        let said = "size=N/A\nbench: utime=3.500s stime=1.250s rtime=4.000s\nbench: maxrss=81920KiB\n";
        assert_eq!(cost(said), Some(Cost { cpu_seconds: 4.75, peak_mib: 80.0 }));
        assert_eq!(cost("bench: nothing"), None);
        let printed = "lavfi.r128.I=-70.000\nlavfi.r128.I.x=1\nlavfi.r128.I=-14.125\nlavfi.r128.true_peak=0.500\n";
        let found = measures(printed).expect("measures");
        assert_eq!(found.lufs, -14.125);
        assert!((found.dbtp + 6.0206).abs() < 1e-4);
    }
}

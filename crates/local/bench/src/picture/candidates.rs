//! The compared libraries and the processes that run them.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stack::{
    functions, paths, progress,
    tools::{self, Tool},
};

use super::workdir::workdir;

/// A library with a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Name in the report.
    pub name: &'static str,
    library: Library,
    strategy: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Library {
    Picture,
    Sharp,
    Vips,
}

/// The candidate to compare with.
pub const BASELINE: &str = "sharp cascade";

/// All candidates. `cascade` decodes once and makes each size from the previous one; `independent` makes each size from
/// the original.
pub const CANDIDATES: [Candidate; 5] = [
    Candidate { name: "picture", library: Library::Picture, strategy: "cascade" },
    Candidate { name: BASELINE, library: Library::Sharp, strategy: "cascade" },
    Candidate { name: "sharp independent", library: Library::Sharp, strategy: "independent" },
    Candidate { name: "pyvips cascade", library: Library::Vips, strategy: "cascade" },
    Candidate { name: "pyvips independent", library: Library::Vips, strategy: "independent" },
];

/// Builds crates/picture and installs the other libraries if they are missing.
pub fn install() -> Result<()> {
    Tool::Builder.install()?;
    functions::build_example("picture", "measure")?;
    Tool::Bench.install()?;
    let pinned = fs::read_to_string(tools::pins("bench-picture.json"))?;
    let manifest = node_folder().join("package.json");
    let is_installed = node_folder().join("node_modules/sharp/package.json").exists();
    if !is_installed || fs::read_to_string(&manifest).is_ok_and(|installed| installed != pinned) {
        fs::create_dir_all(node_folder())?;
        fs::write(&manifest, pinned)?;
        let mut npm = Command::new("npm");
        npm.current_dir(node_folder()).args(["install", "--no-audit", "--no-fund", "--no-package-lock"]);
        progress::run("Installing sharp (once)", &mut npm)?;
    }
    Ok(())
}

fn node_folder() -> PathBuf {
    workdir().join("node")
}

fn script(name: &str) -> PathBuf {
    paths::root().join("crates/local/bench/src/picture").join(name)
}

/// A process that reads a JSON request per line and prints a JSON result per line. It exits at the end of its input.
pub struct Worker {
    child: Child,
    requests: Option<ChildStdin>,
    results: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a process for `candidate`.
    pub fn start(candidate: Candidate) -> Result<Self> {
        Self::spawn(&mut match candidate.library {
            Library::Picture => Command::new(functions::example("measure")),
            Library::Sharp => {
                let mut node = Command::new("node");
                node.arg(script("sharp.cjs")).env("NODE_PATH", node_folder().join("node_modules"));
                node
            }
            Library::Vips => python("vips.py"),
        })
    }

    /// Starts a process that compares thumbnails with their original.
    pub fn quality() -> Result<Self> {
        Self::spawn(&mut python("quality.py"))
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let requests = child.stdin.take();
        let results = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Self { child, requests, results })
    }

    /// Makes thumbnails of a photograph. The result has `cpu_ms`, `grown_kib` and `peak_kib`.
    pub fn render(
        &mut self,
        photo: &Path,
        candidate: Candidate,
        formats: &[&str],
        out: Option<&Path>,
    ) -> Result<Value> {
        self.request(&json!({ "file": photo, "strategy": candidate.strategy, "formats": formats, "out": out }))
            .with_context(|| format!("{} on {}", candidate.name, photo.display()))
    }

    /// Sends a request and waits for the result.
    pub fn request(&mut self, request: &Value) -> Result<Value> {
        let requests = self.requests.as_mut().context("no input")?;
        writeln!(requests, "{request}")?;
        requests.flush()?;
        let mut result = String::new();
        ensure!(self.results.read_line(&mut result)? > 0, "the process exited without a result");
        Ok(serde_json::from_str(&result)?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}

/// A command that runs a Python script of this folder.
pub fn python(name: &str) -> Command {
    let mut python = Tool::Bench.command("python");
    python.arg(script(name));
    python
}

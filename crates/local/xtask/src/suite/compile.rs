//! Compiles the workspace and its tests once, with clippy.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Result, ensure};
use stack::{cargo, progress};

/// Compiles all targets of the workspace. Warnings of rustc and clippy are errors.
///
/// # Errors
/// If it does not compile without warnings, or clippy is missing.
pub fn all() -> Result<()> {
    let driver = clippy_driver();
    ensure!(driver.is_file(), "clippy is missing. Install it: rustup component add clippy");
    let mut build = lint_environment(cargo());
    progress::run(
        "Compiling and linting everything",
        build.args(["build", "--workspace", "--all-targets", "--keep-going"]),
    )
}

/// Lets clippy's driver take the place of rustc for the crates of the workspace. It compiles like rustc and lints besides,
/// so that lints need no build of their own. `cargo clippy` uses the same variables, but checks only.
pub fn lint_environment(mut cargo: Command) -> Command {
    // The separator is that of `cargo clippy`.
    cargo.env("RUSTC_WORKSPACE_WRAPPER", clippy_driver()).env("CLIPPY_ARGS", "--deny__CLIPPY_HACKERY__warnings");
    cargo
}

/// It is beside the cargo that runs us.
fn clippy_driver() -> PathBuf {
    PathBuf::from(env::var_os("CARGO").unwrap_or_default()).with_file_name("clippy-driver")
}

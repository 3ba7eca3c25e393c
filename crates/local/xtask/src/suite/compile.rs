//! Compiles the workspace and its tests once, with clippy.

use anyhow::Result;
use stack::{cargo, lint_environment, progress};

/// Compiles all targets of the workspace. Warnings of rustc and clippy are errors.
///
/// # Errors
/// If it does not compile without warnings.
pub fn all() -> Result<()> {
    let mut build = lint_environment(cargo());
    progress::run(
        "Compiling and linting everything",
        build.args(["build", "--workspace", "--all-targets", "--keep-going"]),
    )
}

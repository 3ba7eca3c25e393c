use std::process::Command;

use crate::paths;

/// A command that runs the current cargo in the root of the workspace.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(paths::root());
    // Build scripts of dependencies run again if these variables, which cargo sets for xtask, change.
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_MANIFEST_PATH"] {
        cargo.env_remove(variable);
    }
    cargo
}

//! actionlint, which checks GitHub's workflows. It is a Go program that no registry of the other tools has in this version, so
//! it is compiled where Go is at hand.

use std::{
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::{
    install,
    tool::{pins, versioned_folder},
};
use crate::{paths, progress};

/// A command that runs actionlint in the root of the workspace. Compiles it if it is missing. `None` without Go.
///
/// # Errors
/// If it cannot be compiled.
pub fn actionlint() -> Result<Option<Command>> {
    let file = pins("actionlint.txt");
    let module = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let folder = versioned_folder("actionlint", &module);
    let program = folder.join("bin/actionlint");
    if !program.exists() && !has_go() {
        return Ok(None);
    }
    let installed = install::once(&folder, || {
        let mut go = Command::new("go");
        // No other version of Go is downloaded.
        go.args(["install", module.trim()]).env("GOBIN", folder.join("bin")).env("GOTOOLCHAIN", "local");
        progress::run("Installing actionlint (once)", &mut go)
    });
    if let Err(error) = installed {
        println!("– actionlint: {error:#}");
        return Ok(None);
    }
    let mut command = Command::new(program);
    command.current_dir(paths::root());
    Ok(Some(command))
}

fn has_go() -> bool {
    let version = Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

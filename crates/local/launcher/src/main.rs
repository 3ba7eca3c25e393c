//! `cargo xtask`: compiles xtask and becomes it.

use std::{
    env,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, ExitCode},
};

use launcher::{doctor, lint_environment, prerequisites, root, workspace_build};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let command = arguments.first().and_then(|argument| argument.to_str()).unwrap_or_default();
    let result = if command == "doctor" { doctor::run() } else { launch(command, &arguments) };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns only if xtask cannot be compiled or started.
fn launch(command: &str, arguments: &[OsString]) -> Result<(), String> {
    prerequisites::require()?;
    let mut build = workspace_build();
    build.args(["--bin", "xtask"]);
    if command == "test" {
        prerequisites::require_for_tests()?;
        build = lint_environment(build);
    }
    let status = build.status().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !status.success() {
        return Err("xtask does not compile".to_owned());
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let xtask = target.join("debug/xtask");
    // xtask takes the place of this process, so that it receives signals itself.
    let error = Command::new(&xtask).args(arguments).exec();
    Err(format!("cannot start {}: {error}", xtask.display()))
}

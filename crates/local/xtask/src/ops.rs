//! `cargo xtask ops`: runs the operator's tool, the crate `ops`, for a stack on AWS or on this machine.
//!
//! The tool is a separate program because it links AWS SDKs, which take long to build.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use stack::{emulator::Emulator, functions, paths, workspace_build};

/// Arguments of `cargo xtask ops`.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Operate the stack of this name on this machine (`development` for `up`) instead of one on AWS.
    #[arg(long, value_name = "NAME")]
    local: Option<String>,
    /// Arguments of the tool; see `--help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds and runs the tool's command `smoke`.
pub fn smoke(arguments: Arguments) -> Result<()> {
    let Arguments { local, arguments } = arguments;
    run(&Arguments { local, arguments: ["smoke".to_owned()].into_iter().chain(arguments).collect() })
}

/// Builds and runs the tool.
pub fn run(arguments: &Arguments) -> Result<()> {
    // With the features of the whole workspace: the SDKs are then those that the functions were compiled with.
    let build = workspace_build().args(["--bin", "ops"]).status()?;
    ensure!(build.success(), "ops does not compile");
    let mut ops = Command::new(functions::dev_binary("ops"));
    ops.current_dir(paths::root());
    if let Some(name) = &arguments.local {
        let emulator = Emulator::running(name).with_context(|| format!("the stack {name} is not running"))?;
        emulator.configure(&mut ops).args(["--endpoint-url", &emulator.endpoint()]);
    }
    let status = ops.args(&arguments.arguments).status()?;
    if !status.success() {
        bail!("ops failed");
    }
    Ok(())
}

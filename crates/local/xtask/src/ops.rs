//! `cargo xtask ops`: the operator's tool, which is the crate `ops`, at a stack on AWS or on this machine.
//!
//! It is a program of its own, because it is made of SDKs, which nobody is to wait for who only wants a demo.

use std::process::Command;

use anyhow::{Context, Result, bail};
use stack::{emulator::Emulator, paths};

/// `cargo xtask ops`' arguments.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Look after the stack of this name on this machine (`up` has made `development`), not after one on AWS.
    #[arg(long, value_name = "NAME")]
    local: Option<String>,
    /// What to do: `--help` tells.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the tool, if need be, and runs it.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut ops = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    ops.current_dir(paths::root()).args(["run", "--quiet", "--package", "ops", "--"]);
    if let Some(name) = &arguments.local {
        let emulator = Emulator::running(name).with_context(|| format!("no stack {name} runs on this machine"))?;
        emulator.configure(&mut ops).args(["--endpoint-url", &emulator.endpoint()]);
    }
    let status = ops.args(&arguments.arguments).status()?;
    if !status.success() {
        bail!("not done");
    }
    Ok(())
}

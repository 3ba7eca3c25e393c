//! Builds the functions with `sam build`.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    paths, progress,
    tools::{self, Tool},
};

/// Optimization of the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildProfile {
    /// For development and tests: without link-time optimization, which takes more than a minute per function and only
    /// makes the files smaller.
    Local,
    /// As for AWS, for measurements.
    Release,
}

/// Builds all functions of the template; fast if nothing changed.
pub fn build(profile: BuildProfile) -> Result<()> {
    // `sam build` builds the functions one after the other. Building all at once uses all cores and shows progress;
    // `sam build` then finds them up to date, since all functions share one set of features.
    let mut lambda = builder(Tool::Builder.command("cargo-lambda"), profile)?;
    lambda.args(["lambda", "build", "--release"]);
    for name in names()? {
        lambda.args(["--bin", &name]);
    }
    progress::run("Compiling the functions", &mut lambda)?;
    let mut sam = builder(Tool::Sam.command("sam"), profile)?;
    progress::run("Packaging the functions", sam.arg("build").env("SAM_CLI_TELEMETRY", "0"))
}

/// Builds the binary `name` as for AWS.
pub fn build_binary(name: &str) -> Result<()> {
    let mut lambda = builder(Tool::Builder.command("cargo-lambda"), BuildProfile::Release)?;
    lambda.args(["lambda", "build", "--release", "--bin", name]);
    progress::run(&format!("Compiling {name}"), &mut lambda)
}

/// Builds the example `name` of `package` as for AWS, including the target CPU.
pub fn build_example(package: &str, name: &str) -> Result<()> {
    let mut lambda = builder(Tool::Builder.command("cargo-lambda"), BuildProfile::Release)?;
    lambda.args(["lambda", "build", "--release", "--package", package, "--example", name]);
    lambda.args(["--lambda-dir", EXAMPLES]);
    progress::run(&format!("Compiling crates/{package} (release)"), &mut lambda)
}

/// The path of an example that `build_example` has built.
pub fn example(name: &str) -> PathBuf {
    paths::root().join(EXAMPLES).join(name).join("bootstrap")
}

/// A folder apart from the functions.
const EXAMPLES: &str = "target/bench/examples";

/// The path of a binary that `build` or `build_binary` has built.
pub fn built_binary(name: &str) -> PathBuf {
    paths::root().join("target/lambda").join(name).join("bootstrap")
}

/// The names of the functions' binaries: those of their folders.
fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(paths::root().join("functions"))? {
        let name = entry?.file_name().into_string();
        names.push(name.ok().context("the name of a function is not UTF-8")?);
    }
    names.sort();
    Ok(names)
}

/// Prepares `command`: adds cargo-lambda and zig to its path, and removes the variables of the running cargo, which would
/// change the build.
fn builder(mut command: Command, profile: BuildProfile) -> Result<Command> {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO") && text != "CARGO_HOME" {
            command.env_remove(&name);
        }
    }
    if profile == BuildProfile::Local {
        command.env("CARGO_PROFILE_RELEASE_LTO", "off");
    }
    command.env("PATH", tools::path_with(Tool::Builder)?);
    Ok(command)
}

/// The template that `sam build` has written.
pub fn built_template() -> PathBuf {
    paths::root().join(".aws-sam/build/template.yaml")
}

/// The packaged binary of the function with this logical id in the template.
pub fn packaged_binary(logical_id: &str) -> PathBuf {
    paths::root().join(".aws-sam/build").join(logical_id).join("bootstrap")
}

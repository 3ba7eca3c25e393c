//! `sam build`: the binaries as they go to AWS, for local use, too.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    paths, progress,
    tools::{self, Tool},
};

/// What binaries are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildProfile {
    /// To try and test them: linked without optimisation across crates, which takes a minute and more
    /// for each function, and makes them smaller by a fifth, no different otherwise.
    Here,
    /// As `sam build` makes them for AWS: to measure.
    AwsClient,
}

/// Builds every function of the template; quick when nothing changed.
pub fn build(profile: BuildProfile) -> Result<()> {
    // What `sam build` does one by one, at once: it then finds all done, since all functions share
    // one set of features. Unlike it, this keeps all cores busy and says what it compiles.
    let mut lambda = builder(Tool::Builder.command("cargo-lambda"), profile)?;
    lambda.args(["lambda", "build", "--release"]);
    for name in names()? {
        lambda.args(["--bin", &name]);
    }
    progress::run("Compiling the functions", &mut lambda)?;
    let mut sam = builder(Tool::Sam.command("sam"), profile)?;
    progress::run("Packaging the functions", sam.arg("build").env("SAM_CLI_TELEMETRY", "0"))
}

/// Builds the binary `name` as functions are built for AWS.
pub fn build_binary(name: &str) -> Result<()> {
    let mut lambda = builder(Tool::Builder.command("cargo-lambda"), For::AwsClient)?;
    lambda.args(["lambda", "build", "--release", "--bin", name]);
    progress::run(&format!("Compiling {name}"), &mut lambda)
}

/// Builds the example `name` of `package` as functions are built for AWS: for the same processors, too.
pub fn build_example(package: &str, name: &str) -> Result<()> {
    let mut lambda = builder(Tool::Builder.command("cargo-lambda"), For::AwsClient)?;
    lambda.args(["lambda", "build", "--release", "--package", package, "--example", name]);
    lambda.args(["--lambda-dir", EXAMPLES]);
    progress::run(&format!("Compiling crates/{package} as it is released"), &mut lambda)
}

/// Where `build_example` leaves the example `name`.
pub fn example(name: &str) -> PathBuf {
    paths::root().join(EXAMPLES).join(name).join("bootstrap")
}

/// Not among the functions.
const EXAMPLES: &str = "target/bench/examples";

/// Where `build` and `build_binary` leave the binary `name`.
pub fn binary(name: &str) -> PathBuf {
    paths::root().join("target/lambda").join(name).join("bootstrap")
}

/// The functions' binaries: one per folder, of the same name.
fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(paths::root().join("functions"))? {
        let name = entry?.file_name().into_string();
        names.push(name.ok().context("a function's name is not UTF-8")?);
    }
    names.sort();
    Ok(names)
}

/// `command` with cargo-lambda and zig in its path, and without what cargo says to the programs it
/// starts, which would change what it compiles for them.
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

/// The built template, which names the built functions.
pub fn built_template() -> PathBuf {
    paths::root().join(".aws-sam/build/template.yaml")
}

/// The binary of the function with this logical id in the template.
pub fn bootstrap(logical_id: &str) -> PathBuf {
    paths::root().join(".aws-sam/build").join(logical_id).join("bootstrap")
}

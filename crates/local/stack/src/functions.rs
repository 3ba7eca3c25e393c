//! Builds the functions and packages them for the stack on one machine.
//!
//! `sam build` makes the packages for AWS. It compiles each function on its own with cross-compilation and link-time
//! optimization. The local packages come from one build of all functions, by default with the profile and the
//! dependencies that the tests have, too.

mod archive;
mod local_template;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context, Result, anyhow};
use launcher::workspace_build;

use self::local_template::{Function, local_template};

use crate::{
    paths,
    priority::{self, with_niceness},
    progress,
    tools::{self, Tool},
};

/// Optimization of the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildProfile {
    /// For development and tests: cargo's `dev` profile, in which hot codecs are optimized.
    Local,
    /// As for AWS, for measurements.
    Release,
}

/// Builds all functions and packages them for a local stack; fast if nothing changed.
pub fn build(profile: BuildProfile) -> Result<()> {
    match profile {
        BuildProfile::Local => {
            progress::run("Compiling the functions", workspace_build().arg("--bins"))?;
        }
        BuildProfile::Release => {
            let mut lambda = cargo_lambda()?;
            for function in template_and_functions()?.1 {
                lambda.args(["--bin", &function.binary]);
            }
            progress::run("Compiling the functions (release)", &mut lambda)?;
        }
    }
    package(profile)
}

/// Packages functions that are built already, and writes the template that names the packages.
pub fn package(profile: BuildProfile) -> Result<()> {
    let (template, functions) = template_and_functions()?;
    let package = |function: &Function| {
        let built = match profile {
            BuildProfile::Local => dev_binary(&function.binary),
            BuildProfile::Release => built_binary(&function.binary),
        };
        let (binary, archive) = (packaged_binary(&function.logical_id), packaged_archive(&function.logical_id));
        let packaged = copy_if_newer(&built, &binary)
            .and_then(|is_new| if is_new || !archive.exists() { archive::write(&binary, &archive) } else { Ok(()) });
        packaged.with_context(|| format!("cannot package {}", built.display()))
    };
    thread::scope(|scope| {
        let threads: Vec<_> = functions.iter().map(|function| scope.spawn(|| package(function))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked"))))
    })?;
    Ok(fs::write(built_template(), template)?)
}

/// Builds the binary `name` as for AWS.
pub fn build_binary(name: &str) -> Result<()> {
    let mut lambda = cargo_lambda()?;
    progress::run(&format!("Compiling {name} (release)"), lambda.args(["--bin", name]))
}

/// Builds the package of the function `logical_id` for AWS, with `sam build`, and returns the folder of the packages.
/// Tests that wait for answers come before it.
pub fn sam_build(logical_id: &str) -> Result<PathBuf> {
    let mut sam = release(with_niceness(priority::BUILD, &Tool::Sam.command("sam")))?;
    sam.args(["build", logical_id]).env("SAM_CLI_TELEMETRY", "0");
    progress::run(&format!("Building {logical_id} for AWS (sam build)"), &mut sam)?;
    Ok(paths::root().join(".aws-sam/build"))
}

/// Builds the example `name` of `package` as for AWS, including the target CPU.
pub fn build_example(package: &str, name: &str) -> Result<()> {
    let mut lambda = cargo_lambda()?;
    lambda.args(["--package", package, "--example", name, "--lambda-dir", EXAMPLES]);
    progress::run(&format!("Compiling crates/{package} (release)"), &mut lambda)
}

/// The path of an example that `build_example` has built.
pub fn example(name: &str) -> PathBuf {
    paths::root().join(EXAMPLES).join(name).join("bootstrap")
}

/// A folder apart from the functions.
const EXAMPLES: &str = "target/bench/examples";

/// The path of a release binary that `build` or `build_binary` has built.
pub fn built_binary(name: &str) -> PathBuf {
    paths::root().join("target/lambda").join(name).join("bootstrap")
}

/// The path of a binary of the `dev` profile.
pub fn dev_binary(name: &str) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| paths::root().join("target"), PathBuf::from);
    target.join("debug").join(name)
}

/// The template whose functions are the packages that `package` has made.
pub fn built_template() -> PathBuf {
    packages().join("template.yaml")
}

/// The packaged binary of the function with this logical id in the template.
pub fn packaged_binary(logical_id: &str) -> PathBuf {
    packages().join(logical_id).join("bootstrap")
}

/// The archive of that binary, which is uploaded.
pub(crate) fn packaged_archive(logical_id: &str) -> PathBuf {
    packages().join(logical_id).with_extension("zip")
}

/// The environment variable with the folder of the packages, if it is not that of the local packages.
pub const PACKAGES_VARIABLE: &str = "IYAGI_PACKAGES";

pub(crate) fn packages() -> PathBuf {
    env::var_os(PACKAGES_VARIABLE).map_or_else(|| paths::workdir().join("functions"), PathBuf::from)
}

/// The template for a local stack, and the functions that it names.
fn template_and_functions() -> Result<(String, Vec<Function>)> {
    let template = fs::read_to_string(paths::root().join("template.yaml"))?;
    local_template(&template, paths::root(), &packages())
}

/// Copies a file, unless the copy is as old. Returns whether it has copied.
fn copy_if_newer(from: &Path, to: &Path) -> Result<bool> {
    let modified = fs::metadata(from)?.modified()?;
    let is_current = fs::metadata(to).and_then(|metadata| metadata.modified()).is_ok_and(|copied| copied == modified);
    if is_current {
        return Ok(false);
    }
    fs::create_dir_all(to.parent().context("a file without a folder")?)?;
    // A running function keeps the old file.
    let new = to.with_extension("new");
    fs::copy(from, &new)?;
    fs::File::options().write(true).open(&new)?.set_modified(modified)?;
    fs::rename(new, to)?;
    Ok(true)
}

fn cargo_lambda() -> Result<Command> {
    let mut lambda = release(Tool::Builder.command("cargo-lambda"))?;
    lambda.args(["lambda", "build", "--release"]);
    Ok(lambda)
}

/// Prepares a release build: installs cargo-lambda and zig, adds them to the path, and removes the variables of the
/// running cargo, which would change the build.
fn release(mut command: Command) -> Result<Command> {
    Tool::Builder.install()?;
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let changes_build = text.starts_with("CARGO") && text != "CARGO_HOME" || text == "RUSTC_WORKSPACE_WRAPPER";
        if changes_build {
            command.env_remove(&name);
        }
    }
    command.env("PATH", tools::path_with(Tool::Builder)?);
    Ok(command)
}

//! Linters of templates and of dependencies, as `cargo xtask test` runs them. What they let pass, and why, stands in
//! `infra/lint`, in `deny.toml`, and in the metadata of single resources.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use stack::{
    emulator, paths, progress,
    tools::{self, Tool},
};

use crate::suite::cargo;

/// Installs what is missing; quick when nothing is.
pub fn install() -> Result<()> {
    Tool::Lint.install()?;
    tools::install_machete()
}

/// Runs all, each a step of its own. None but cargo, for crates that are missing, asks anybody outside.
pub fn run() -> Result<()> {
    let templates = templates()?;
    let mut sam = Tool::Sam.command("sam");
    sam.args(["validate", "--lint", "--template-file", "template.yaml"]);
    sam.env("SAM_CLI_TELEMETRY", "0").env("AWS_DEFAULT_REGION", emulator::REGION);
    progress::run("Checking template.yaml (sam validate)", &mut sam)?;

    let mut cfn_lint = Tool::Lint.command("cfn-lint");
    cfn_lint.args(["--config-file", "infra/lint/cfn-lint.yaml", "--regions", emulator::REGION, "--"]).args(&templates);
    progress::run("Linting the templates (cfn-lint, serverless rules)", &mut cfn_lint)?;

    let mut checkov = Tool::Lint.command("checkov");
    checkov.args(["--config-file", "infra/lint/checkov.yaml", "--file"]).args(&templates);
    progress::run("Linting the templates (checkov)", &mut checkov)?;

    // Of all platforms: cargo-deny looks at those, too, before it leaves them out.
    progress::run("Fetching dependencies", cargo().args(["fetch", "--locked"]))?;
    let mut deny = Tool::Lint.command("cargo-deny");
    deny.args(["--offline", "--locked", "check", "bans", "licenses", "sources"]);
    progress::run("Checking dependencies (cargo-deny)", &mut deny)?;

    progress::run("Looking for unused dependencies (cargo-machete)", &mut tools::machete())
}

/// `template.yaml` and those of `infra/`.
fn templates() -> Result<Vec<PathBuf>> {
    let mut templates = vec![PathBuf::from("template.yaml")];
    for entry in fs::read_dir(paths::root().join("infra")).context("cannot read infra")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            templates.push(path.strip_prefix(paths::root())?.to_owned());
        }
    }
    templates.sort();
    Ok(templates)
}

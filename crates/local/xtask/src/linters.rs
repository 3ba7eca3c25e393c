//! Linters of templates, dependencies and spelling. Exceptions are in `infra/lint`, `deny.toml`, `typos.toml` and the
//! metadata of single resources.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use aws_client::REGION;
use stack::{
    cargo, paths, progress,
    tools::{self, Tool},
};

/// Installs missing linters; fast if none is missing.
pub fn install() -> Result<()> {
    Tool::Lint.install()?;
    tools::actionlint()?;
    Ok(())
}

/// Runs all linters. Only cargo uses the network, to fetch missing crates.
pub fn run() -> Result<()> {
    progress::run("Checking the spelling (typos)", Tool::Lint.command("typos").args(["--config", "typos.toml"]))?;

    let templates = templates()?;
    let mut sam = Tool::Sam.command("sam");
    sam.args(["validate", "--lint", "--template-file", "template.yaml"]);
    sam.env("SAM_CLI_TELEMETRY", "0").env("AWS_DEFAULT_REGION", REGION);
    progress::run("Checking template.yaml (sam validate)", &mut sam)?;

    let mut cfn_lint = Tool::Lint.command("cfn-lint");
    cfn_lint.args(["--config-file", "infra/lint/cfn-lint.yaml", "--regions", REGION, "--"]).args(&templates);
    progress::run("Linting the templates (cfn-lint, serverless rules)", &mut cfn_lint)?;

    let mut checkov = Tool::Lint.command("checkov");
    checkov.args(["--config-file", "infra/lint/checkov.yaml", "--file"]).args(&templates);
    progress::run("Linting the templates (checkov)", &mut checkov)?;

    workflows()?;

    // cargo-deny loads the dependencies of all platforms, even of those that it excludes.
    progress::run("Fetching dependencies", cargo().args(["fetch", "--locked"]))?;
    let mut deny = Tool::Lint.command("cargo-deny");
    deny.args(["--offline", "--locked", "check", "bans", "licenses", "sources"]);
    progress::run("Checking dependencies (cargo-deny)", &mut deny)?;

    let mut shear = Tool::Lint.command("cargo-shear");
    // Also names Rust files that no crate contains.
    progress::run("Looking for unused dependencies (cargo-shear)", shear.args(["--frozen", "--deny-warnings"]))
}

/// Checks GitHub's workflows. Without Go and its modules they are left out, except in continuous integration (environment
/// variable `CI`).
fn workflows() -> Result<()> {
    match tools::actionlint()? {
        // Other linters are not pinned.
        Some(mut actionlint) => {
            progress::run("Linting the workflows (actionlint)", actionlint.args(["-shellcheck=", "-pyflakes="]))
        }
        None => {
            ensure!(env::var_os("CI").is_none(), "actionlint needs Go and its modules");
            println!("– workflows: not linted, because Go or its modules are missing");
            Ok(())
        }
    }
}

/// `template.yaml` and the templates of `infra/`.
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

//! `sam build`: the binaries as they go to AWS, for local use, too.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    paths, steps,
    tools::{self, Tool},
};

/// Builds every function of the template; quick when nothing changed.
pub fn build() -> Result<()> {
    let mut sam = Tool::Sam.command("sam");
    sam.arg("build").env("SAM_CLI_TELEMETRY", "0").env("PATH", tools::path_with(Tool::Builder)?);
    // cargo gives its own settings to what it starts; they would change what cargo-lambda builds.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO") && text != "CARGO_HOME" || text.starts_with("RUST") && text != "RUSTUP_HOME" {
            sam.env_remove(&name);
        }
    }
    steps::run("Building the functions (minutes at first, then seconds)", &mut sam)
}

/// The built template, which names the built functions.
pub fn built_template() -> PathBuf {
    paths::root().join(".aws-sam/build/template.yaml")
}

/// The binary of the function with this logical id in the template.
pub fn bootstrap(logical_id: &str) -> PathBuf {
    paths::root().join(".aws-sam/build").join(logical_id).join("bootstrap")
}

//! The engines and their choice.

use std::{env, fmt, path::Path, process::Command};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::tools::{Tool, opensearch, prerequisites::Prerequisite};

/// A server with OpenSearch's API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// osmem-server, in memory, without the Korean analyzer. It needs nothing installed.
    #[default]
    Embedded,
    /// OpenSearch with the Korean analyzer. It needs Java.
    #[value(name = "opensearch")]
    OpenSearch,
}

impl Engine {
    /// The engine for tests: OpenSearch where a JDK and Maven are installed, else the embedded one.
    ///
    /// # Errors
    /// Without them in continuous integration (environment variable `CI`), where all tests must run.
    pub fn for_tests() -> Result<Self> {
        let Some(Prerequisite { name, install, .. }) = opensearch::missing() else { return Ok(Self::OpenSearch) };
        if is_continuous_integration(env::var("CI").ok().as_deref()) {
            bail!("{name} is missing, and continuous integration tests the real search engine. Install it: {install}");
        }
        Ok(Self::Embedded)
    }

    /// All engines that tests can run on, with the error of [`Self::for_tests`].
    pub fn all_for_tests() -> Result<Vec<Self>> {
        Ok(match Self::for_tests()? {
            Self::Embedded => vec![Self::Embedded],
            Self::OpenSearch => vec![Self::Embedded, Self::OpenSearch],
        })
    }

    /// The best value of the template's parameter `SearchAnalyzer`.
    pub fn analyzer(self) -> &'static str {
        match self {
            Self::Embedded => "bigram",
            Self::OpenSearch => "nori-bigram",
        }
    }

    /// Whether data outlive the process.
    pub fn is_durable(self) -> bool {
        self == Self::OpenSearch
    }

    /// Installs it if it is missing.
    pub fn install(self) -> Result<()> {
        match self {
            Self::Embedded => Tool::Search.install(),
            Self::OpenSearch => opensearch::install(),
        }
    }

    /// A command that runs it. Its first line of output is JSON with its `url`.
    pub(super) fn command(self, data: &Path, port: u16, settings: &[&str]) -> Result<Command> {
        if self == Self::OpenSearch {
            return opensearch::command(data, port, settings);
        }
        let mut command = Command::new(embedded_program()?);
        command.args(["-addr", &format!("127.0.0.1:{port}"), "-no-ja"]);
        Ok(command)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("osmem-server, embedded, without the Korean analyzer"),
            Self::OpenSearch => write!(f, "OpenSearch {} with the Korean analyzer nori", opensearch::VERSION),
        }
    }
}

/// Whether the value of the variable `CI` says so.
fn is_continuous_integration(value: Option<&str>) -> bool {
    value.is_some_and(|value| !["", "0", "false"].contains(&value))
}

/// The path of the binary in the Python package.
fn embedded_program() -> Result<String> {
    let script = ["-c", "import osmem_server; print(osmem_server.resolve_binary())"];
    let output = Tool::Search.command("python").args(script).output()?;
    let path = String::from_utf8(output.stdout)?.trim().to_owned();
    if path.is_empty() {
        bail!("osmem-server has no binary for this machine");
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuous_integration_is_recognized_by_its_variable() {
        for (value, expected) in
            [(None, false), (Some(""), false), (Some("false"), false), (Some("true"), true), (Some("1"), true)]
        {
            assert_eq!(is_continuous_integration(value), expected, "{value:?}");
        }
    }
}

//! The engines and their choice.

use std::{env, fmt, path::Path, process::Command};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::tools::{Tool, opensearch};

/// A server with OpenSearch's API. `docs/design/search.md` lists the differences.
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
    /// The engine for tests, installed: OpenSearch where Java is installed and Maven can download it, else the embedded one.
    ///
    /// # Errors
    /// Without OpenSearch in continuous integration (environment variable `CI`), where all tests must run.
    pub fn for_tests() -> Result<Self> {
        let engine = choice(opensearch::install(), env::var_os("CI").is_some())?;
        engine.install().map(|()| engine)
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
    pub(super) fn command(self, data: &Path, port: u16, settings: &[&str], is_measured: bool) -> Result<Command> {
        if self == Self::OpenSearch {
            return opensearch::command(data, port, settings, is_measured);
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

/// The engine after an attempt to install OpenSearch.
fn choice(installed: Result<()>, is_continuous_integration: bool) -> Result<Engine> {
    match installed {
        Ok(()) => Ok(Engine::OpenSearch),
        Err(error) if opensearch::unavailable(&error).is_none() => Err(error),
        Err(error) if is_continuous_integration => Err(error.context("continuous integration tests with OpenSearch")),
        Err(error) => {
            println!("Without OpenSearch: {error:#}");
            Ok(Engine::Embedded)
        }
    }
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
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn opensearch_is_optional_outside_continuous_integration() {
        let unavailable = || Err(opensearch::Unavailable("no Java".to_owned()).into());
        assert_eq!(choice(Ok(()), true).expect("an engine"), Engine::OpenSearch);
        assert_eq!(choice(unavailable(), false).expect("an engine"), Engine::Embedded);
        assert!(format!("{:#}", choice(unavailable(), true).expect_err("an error")).ends_with("no Java"));
        choice(Err(anyhow!("another file than pinned")), false).expect_err("an error that is not about this machine");
    }
}

//! A search server: OpenSearch with the Korean analyzer, or an embedded server with its API. Neither has access control.
//!
//! The product relies on these features: bulk requests with external versions and a status per document, aliases, strict
//! mappings, analyzers, highlights, and `search_after`.

mod engine;

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use anyhow::{Context, Result, bail};
use http_server::serve_until_shutdown;
use serde::Deserialize;

pub use self::engine::Engine;
use crate::paths;

/// Arguments of `cargo xtask search`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The engine.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Folder of the data. The embedded engine keeps its data in memory.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// A running server. It stops when the value is dropped or this process ends.
#[derive(Debug)]
pub struct SearchServer {
    child: Child,
    endpoint: String,
    options: Options,
}

/// Options of a server.
#[derive(Debug, Clone)]
struct Options {
    engine: Engine,
    /// 0: a free port.
    port: u16,
    data: PathBuf,
    settings: Vec<String>,
    /// Whether Java compiles for speed. Otherwise it compiles fast, which halves the CPU time of a short life.
    is_measured: bool,
}

impl SearchServer {
    /// Starts a server without data on a free port. `name` is unique among the servers that run in this checkout. The
    /// server accepts requests when this returns.
    pub fn start(engine: Engine, name: &str) -> Result<Self> {
        Self::start_with(engine, name, &[])
    }

    /// Like [`Self::start`], with settings of OpenSearch's node as `name=value`.
    pub fn start_with(engine: Engine, name: &str, settings: &[&str]) -> Result<Self> {
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        Self::run(Options { settings, ..Options::without_data(engine, name)? })
    }

    /// Like [`Self::start`], for benches.
    pub fn start_measured(engine: Engine, name: &str) -> Result<Self> {
        Self::run(Options { is_measured: true, ..Options::without_data(engine, name)? })
    }

    fn run(options: Options) -> Result<Self> {
        let Options { engine, port, data, settings, is_measured } = &options;
        engine.install()?;
        fs::create_dir_all(data)?;
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        let mut child = engine
            .command(data, *port, &settings, *is_measured)?
            // The server ends when its standard input is closed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {engine}"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let Ok(ready) = serde_json::from_str::<Ready>(&line) else {
            child.kill()?;
            child.wait()?;
            bail!("{engine} does not start: {line}");
        };
        Ok(Self { child, endpoint: ready.url, options })
    }

    /// The server's base URL.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Kills the process, as a lost machine would. Requests fail until [`Self::restart`].
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Kills the process if it runs, and starts it on the same port with the data on its disk.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        let port = port_of(&self.endpoint).context("the endpoint has no port")?;
        *self = Self::run(Options { port, ..self.options.clone() })?;
        Ok(())
    }
}

impl Options {
    fn without_data(engine: Engine, name: &str) -> Result<Self> {
        let data = paths::workdir().join("search").join(name);
        remove_folder(&data)?;
        Ok(Self { engine, port: 0, data, settings: Vec::new(), is_measured: false })
    }
}

impl Drop for SearchServer {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a server until SIGTERM or Ctrl-C: `cargo xtask search`.
pub async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { port, engine, data } = arguments;
    let data = data.unwrap_or_else(|| paths::workdir().join("search/by-hand"));
    let options = Options { engine, port, data, settings: Vec::new(), is_measured: false };
    serve_until_shutdown(|| SearchServer::run(options), SearchServer::endpoint).await
}

/// The port in a base URL.
pub(crate) fn port_of(endpoint: &str) -> Option<u16> {
    endpoint.rsplit_once(':')?.1.parse().ok()
}

/// Deletes a folder, if it exists.
pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The first line of its output.
#[derive(Deserialize)]
struct Ready {
    url: String,
}

//! An OpenSearch-compatible server: osmem-server, in memory, without nori and without access control.
//!
//! The tests rely on these features: bulk requests with external versions and a status per document, aliases, strict
//! mappings, analyzers, highlights, and `search_after`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use http_server::serve_until_shutdown;
use serde::Deserialize;

use crate::tools::Tool;

/// Arguments of `cargo xtask search`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// A running server. It stops when the value is dropped or this process ends.
#[derive(Debug)]
pub struct SearchServer {
    child: Child,
    endpoint: String,
}

impl SearchServer {
    /// Starts a server on loopback port `port`, or on a free port if 0. It accepts requests when this returns.
    pub fn start(port: u16) -> Result<Self> {
        Tool::Search.install()?;
        let mut child = Command::new(program()?)
            .args(["-addr", &format!("127.0.0.1:{port}"), "-no-ja"])
            // The server ends when its standard input is closed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start osmem-server")?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let Ok(ready) = serde_json::from_str::<Ready>(&line) else {
            child.kill()?;
            child.wait()?;
            bail!("osmem-server does not start: {line}");
        };
        Ok(Self { child, endpoint: ready.url })
    }

    /// The server's base URL.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
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
    serve_until_shutdown(|| SearchServer::start(arguments.port), SearchServer::endpoint).await
}

/// The first line of its output.
#[derive(Deserialize)]
struct Ready {
    url: String,
}

/// The path of the binary in the Python package.
fn program() -> Result<String> {
    let script = ["-c", "import osmem_server; print(osmem_server.resolve_binary())"];
    let output = Tool::Search.command("python").args(script).output()?;
    let path = String::from_utf8(output.stdout)?.trim().to_owned();
    if path.is_empty() {
        bail!("osmem-server has no binary for this machine");
    }
    Ok(path)
}

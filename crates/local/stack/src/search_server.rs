//! OpenSearch's API, played by osmem-server: in memory, without nori, and open to everybody.
//!
//! What it does as OpenSearch does is what the tests lean on: bulk requests with external versions
//! and a status for each document, aliases, strict mappings, analyzers, highlights, `search_after`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use http_server::serve_until_shutdown;
use serde::Deserialize;

use crate::tools::Tool;

/// `cargo xtask search`' arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// A running server, which ends with this value, or with this process however that ends.
#[derive(Debug)]
pub struct SearchServer {
    child: Child,
    endpoint: String,
}

impl SearchServer {
    /// Starts a server on `port` of loopback, or on a free one if that is 0. It answers when this returns.
    pub fn start(port: u16) -> Result<Self> {
        Tool::Search.install()?;
        let mut child = Command::new(program()?)
            .args(["-addr", &format!("127.0.0.1:{port}"), "-no-ja"])
            // It ends when this is closed.
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

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }
}

impl Drop for SearchServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `cargo xtask search`: runs a server until SIGTERM or Ctrl-C.
pub async fn run(arguments: Arguments) -> Result<()> {
    serve_until_shutdown(|| SearchServer::start(arguments.port), SearchServer::endpoint).await
}

/// What it says first.
#[derive(Deserialize)]
struct Ready {
    url: String,
}

/// Where the package keeps its binary.
fn program() -> Result<String> {
    let ask = ["-c", "import osmem_server; print(osmem_server.resolve_binary())"];
    let answer = Tool::Search.command("python").args(ask).output()?;
    let path = String::from_utf8(answer.stdout)?.trim().to_owned();
    if path.is_empty() {
        bail!("osmem-server has no binary for this machine");
    }
    Ok(path)
}

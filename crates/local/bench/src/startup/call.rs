//! CPU time of a function's first AWS call: from the event until the request is sent over TLS, connector, handshake,
//! certificate checks and signature included.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Stdio},
    sync::Mutex,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stack::{paths, tools::Tool};

use super::process;

/// A TLS server with certificates similar to those of AWS. It prints a line for each request.
const PROGRAM: &str = include_str!("tls.py");

/// Functions with an event for which they call AWS.
const EVENTS: [(&str, &str); 13] = [
    ("account-api", "get-erasure"),
    ("audio-worker", "batch-with-poison"),
    ("device-api", "put-device"),
    ("export-worker", "export-account"),
    ("inbox-api", "list-notifications"),
    ("media-api", "get-media-item"),
    ("metadata-writer", "batch-with-poison"),
    ("platform-application", "create-platform-application"),
    ("push-fanout", "batch-with-poison"),
    ("search-api", "search"),
    ("search-indexer", "batch-with-poison"),
    ("stream-poller", "stream-status"),
    ("thumbnailer", "batch-with-poison"),
];

/// The server that functions call instead of AWS.
pub struct Server {
    child: Child,
    output: Mutex<BufReader<ChildStdout>>,
    endpoint: String,
    certificates: PathBuf,
}

impl Server {
    /// Starts the server.
    pub fn start() -> Result<Self> {
        let folder = paths::workdir().join("startup");
        fs::create_dir_all(&folder)?;
        let certificates = folder.join("certificates.pem");
        let mut child = Tool::Emulator
            .command("python")
            .args(["-c", PROGRAM])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        let mut port = String::new();
        output.read_line(&mut port)?;
        let endpoint = format!("https://localhost:{}", port.trim());
        Ok(Self { child, output: Mutex::new(output), endpoint, certificates })
    }

    /// CPU time of a new process for its first call. `None` for functions without a suitable event.
    pub fn first_call(&self, name: &str, program: &Path) -> Result<Option<Duration>> {
        let name = name.split(',').next().unwrap_or(name);
        let Some((_, event)) = EVENTS.iter().find(|(function, _)| *function == name) else { return Ok(None) };
        let file = paths::root().join("tests/events").join(format!("{event}.json"));
        let mut event: Value = serde_json::from_slice(&fs::read(file)?)?;
        // Several messages would cause several calls.
        if let Some(records) = event["Records"].as_array_mut() {
            records.truncate(1);
        }
        let certificates = self.certificates.to_str().context("the path of the checkout is not UTF-8")?;
        let settings = [
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("NEPTUNE_ENDPOINT_URL", &self.endpoint),
            ("OPENSEARCH_ENDPOINT_URL", &self.endpoint),
            ("AWS_CA_BUNDLE", certificates),
            // For libraries that use the system's certificates.
            ("SSL_CERT_FILE", certificates),
        ];
        let mut start = process::start(program, &settings)?;
        let before = start.process.cpu()?;
        start.invocation.respond(&event.to_string())?;
        let mut line = String::new();
        self.output.lock().ok().context("a measurement panicked")?.read_line(&mut line)?;
        ensure!(line.trim() == "request", "the function does not call AWS: {line}");
        Ok(Some(start.process.cpu()?.saturating_sub(before)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

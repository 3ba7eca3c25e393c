//! The first call that a function makes, over TLS: everything from the event to the request that is sent, the
//! connector, the handshake with all its checks, and the signature included.

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

use super::{process, runtime_api::hand};

/// Plays AWS: makes certificates as AWS has them, and says when a request has come.
const PROGRAM: &str = include_str!("tls.py");

/// An event for each function that calls AWS when it is handed this one.
const EVENTS: [(&str, &str); 10] = [
    ("audio-worker", "batch-with-poison"),
    ("device-api", "put-device"),
    ("media-api", "get-media-item"),
    ("metadata-writer", "batch-with-poison"),
    ("platform-application", "create-platform-application"),
    ("push-fanout", "batch-with-poison"),
    ("search-api", "search"),
    ("search-indexer", "batch-with-poison"),
    ("stream-poller", "stream-status"),
    ("thumbnailer", "batch-with-poison"),
];

/// What plays AWS.
pub struct Server {
    child: Child,
    output: Mutex<BufReader<ChildStdout>>,
    endpoint: String,
    certificates: PathBuf,
}

impl Server {
    /// Starts it.
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

    /// The CPU that a new process needs for its first call; `None` for what has no event here that leads to one.
    pub fn first_call(&self, name: &str, program: &Path) -> Result<Option<Duration>> {
        let name = name.split(',').next().unwrap_or(name);
        let Some((_, event)) = EVENTS.iter().find(|(function, _)| *function == name) else { return Ok(None) };
        let file = paths::root().join("tests/events").join(format!("{event}.json"));
        let mut event: Value = serde_json::from_slice(&fs::read(file)?)?;
        // One message is one call; more are worked on side by side.
        if let Some(records) = event["Records"].as_array_mut() {
            records.truncate(1);
        }
        let certificates = self.certificates.to_str().context("the path of the checkout is not UTF-8")?;
        let settings = [
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("NEPTUNE_ENDPOINT_URL", &self.endpoint),
            ("OPENSEARCH_ENDPOINT_URL", &self.endpoint),
            ("AWS_CA_BUNDLE", certificates),
            // Who still trusts the system's certificates.
            ("SSL_CERT_FILE", certificates),
        ];
        let (_, mut waiting) = process::start(program, &settings)?;
        let before = waiting.process.cpu()?;
        hand(&mut waiting.question, &event.to_string())?;
        let mut line = String::new();
        self.output.lock().ok().context("a measurement has panicked")?.read_line(&mut line)?;
        ensure!(line.trim() == "request", "it makes no call: {line}");
        Ok(Some(waiting.process.cpu()?.saturating_sub(before)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! MiniStack, the AWS emulator.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use aws_client::{ACCESS_KEY, REGION, SECRET_KEY};
use serde::{Deserialize, Serialize};

use crate::{paths, process, tools::Tool};

/// Runs MiniStack and records the calls that IAM allows.
const RECORDER: &str = include_str!("emulator/recorder.py");

/// A running emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emulator {
    pid: i32,
    port: u16,
}

/// Options of an emulator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmulatorOptions {
    /// Whether IAM is enforced.
    pub enforces_iam: bool,
    /// Endpoint that functions call instead of the emulator.
    pub functions_endpoint: Option<String>,
    /// Whether it writes its state to disk when it stops, for [`Emulator::restart`].
    pub persists_state: bool,
}

/// How long an emulator may take to start, also with the state of the one before, or to write its state. Some seconds do,
/// unless tests keep the machine busy.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A free loopback port.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The base URL of an emulator on `port`.
pub fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

impl Emulator {
    /// Starts an emulator on a free loopback port and waits until it accepts requests. It keeps running when this process
    /// ends. Stops an emulator of the same name that an interrupted command left running.
    pub fn start(name: &str, enforce_iam: bool) -> Result<Self> {
        Self::start_at(name, free_port()?, &EmulatorOptions { enforces_iam: enforce_iam, ..EmulatorOptions::default() })
    }

    /// Like [`Self::start`], on this port and with these options.
    pub fn start_at(name: &str, port: u16, options: &EmulatorOptions) -> Result<Self> {
        if let Some(stale) = Self::running(name) {
            stale.stop()?;
        }
        fs::create_dir_all(folder(name))?;
        // The roles of an earlier emulator have the same names.
        File::create(usage_file(name))?;
        File::create(log_file(name))?;
        if options.persists_state && state_folder(name).exists() {
            fs::remove_dir_all(state_folder(name))?;
        }
        Self::launch(name, port, options)
    }

    /// Restarts the emulator on the same port with its state.
    pub fn restart(&self, name: &str, options: &EmulatorOptions) -> Result<Self> {
        process::stop_within(TIMEOUT, "the emulator", self.pid, is_emulator)?;
        Self::launch(name, self.port, options)
    }

    fn launch(name: &str, port: u16, options: &EmulatorOptions) -> Result<Self> {
        let folder = folder(name);
        // MiniStack unpacks functions into the folder for temporary files.
        let temporary = folder.join("tmp");
        fs::create_dir_all(&temporary)?;
        let log_path = log_file(name);
        let log = File::options().create(true).append(true).open(&log_path)?;
        let mut command = Tool::Emulator.command("python");
        let command = configure(port, &mut command);
        if let Some(endpoint) = &options.functions_endpoint {
            // MiniStack passes its own variable on to functions.
            command.env("AWS_ENDPOINT_URL", endpoint);
        }
        if options.persists_state {
            let state = state_folder(name);
            command.env("PERSIST_STATE", "1").env("STATE_DIR", state.join("services"));
            command.env("S3_PERSIST", "1").env("S3_DATA_DIR", state.join("objects"));
        }
        let mut child = command
            .args(["-c", RECORDER])
            .arg(usage_file(name))
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_HOST", "localhost")
            .env("AUTH", if options.enforces_iam { "true" } else { "false" })
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .env("TMPDIR", temporary)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C in this terminal must not stop the emulator.
            .process_group(0)
            .spawn()
            .context("cannot start the emulator")?;
        let emulator = Self { pid: i32::try_from(child.id())?, port };
        fs::write(record_file(name), serde_json::to_vec(&emulator)?)?;
        let deadline = Instant::now() + TIMEOUT;
        while !emulator.is_ready() {
            // `is_alive` fails for a moment after the start, when the process has no command line yet.
            if Instant::now() > deadline || child.try_wait()?.is_some() {
                child.kill()?;
                child.wait()?;
                bail!("the emulator did not start; see {}", log_path.display());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(emulator)
    }

    /// Ids of the running function processes, sorted.
    pub fn functions(&self) -> Result<Vec<i32>> {
        process::children(self.pid, |argument| argument.ends_with("/bootstrap"))
    }

    /// Kills a function process with SIGKILL. Returns whether it existed.
    pub fn kill_function(&self, pid: i32) -> Result<bool> {
        Ok(self.functions()?.contains(&pid) && process::kill(pid)?)
    }

    /// The running emulator `name`.
    pub fn running(name: &str) -> Option<Self> {
        let emulator: Self = serde_json::from_slice(&fs::read(record_file(name)).ok()?).ok()?;
        emulator.is_alive().then_some(emulator)
    }

    /// Process id.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The emulator's base URL.
    pub fn endpoint(&self) -> String {
        endpoint(self.port)
    }

    /// Configures `command` to use this emulator as AWS, with the administrator's credentials.
    pub fn configure<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        configure(self.port, command)
    }

    /// Whether the emulator accepts requests.
    pub fn is_ready(&self) -> bool {
        // Plain sockets work inside and outside of an async runtime.
        use std::io::{Read, Write};
        let status_line = || -> std::io::Result<String> {
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(b"GET /_ministack/ready HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
            let mut start = [0; 12];
            stream.read_exact(&mut start)?;
            Ok(String::from_utf8_lossy(&start).into_owned())
        };
        self.is_alive() && status_line().is_ok_and(|line| line.ends_with("200"))
    }

    /// Stops the process, with SIGTERM first.
    pub fn stop(&self) -> Result<()> {
        process::stop("the emulator", self.pid, is_emulator)
    }

    fn is_alive(&self) -> bool {
        process::is_alive(self.pid, is_emulator)
    }
}

fn is_emulator(argument: &str) -> bool {
    argument.contains("ministack")
}

/// The folder of the emulator `name`.
fn folder(name: &str) -> PathBuf {
    paths::workdir().join(name)
}

/// The log of the emulator `name`.
pub fn log_file(name: &str) -> PathBuf {
    folder(name).join("emulator.log")
}

/// The folder of the persisted state of the emulator `name`.
fn state_folder(name: &str) -> PathBuf {
    folder(name).join("state")
}

/// The record of allowed calls of the emulator `name`: a line of JSON per role, action and resource.
pub fn usage_file(name: &str) -> PathBuf {
    folder(name).join("usage.jsonl")
}

/// The file that records a running emulator.
fn record_file(name: &str) -> PathBuf {
    folder(name).join("emulator.json")
}

/// Configures `command` to use the emulator on `port` as AWS, with the administrator's credentials. Removes all other AWS
/// variables, which may refer to a real account.
fn configure(port: u16, command: &mut Command) -> &mut Command {
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("AWS_") {
            command.env_remove(variable);
        }
    }
    command.env("AWS_ENDPOINT_URL", endpoint(port)).envs([
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_REGION", REGION),
    ])
}

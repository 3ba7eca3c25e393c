//! MiniStack, which plays AWS on this machine.

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
use serde::{Deserialize, Serialize};

use crate::{paths, process, tools::Tool};

/// Runs the emulator and records what roles do.
const RECORDER: &str = include_str!("emulator/recorder.py");

/// A running emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emulator {
    pid: i32,
    port: u16,
}

/// How an emulator is to be run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmulatorOptions {
    /// Whether IAM is enforced.
    pub enforces_iam: bool,
    /// What functions call instead of the emulator.
    pub functions_endpoint: Option<String>,
    /// Whether it keeps what it holds when it is ended, for [`Emulator::restart`].
    pub persists_state: bool,
}

/// How long an emulator may take to write down what it holds.
const PERSIST_TIMEOUT: Duration = Duration::from_secs(60);

/// A port of loopback that is free now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Where an emulator at `port` answers.
pub fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

impl Emulator {
    /// Starts an emulator on a free port of loopback and waits until it answers. It goes on when
    /// this process ends; one of the same name that an interrupted run left behind is ended first.
    /// IAM is enforced if `enforce_iam`.
    pub fn start(name: &str, enforce_iam: bool) -> Result<Self> {
        Self::start_at(name, free_port()?, &EmulatorOptions { enforces_iam: enforce_iam, ..EmulatorOptions::default() })
    }

    /// The same on this port.
    pub fn start_at(name: &str, port: u16, options: &EmulatorOptions) -> Result<Self> {
        if let Some(left_over) = Self::running(name) {
            left_over.stop()?;
        }
        fs::create_dir_all(folder(name))?;
        // Another emulator's roles had the same names.
        File::create(usage_file(name))?;
        File::create(log_file(name))?;
        if options.persists_state && state_folder(name).exists() {
            fs::remove_dir_all(state_folder(name))?;
        }
        Self::launch(name, port, options)
    }

    /// StreamBounds it, and starts it again with what it held, where it was.
    pub fn restart(&self, name: &str, options: &EmulatorOptions) -> Result<Self> {
        process::stop_within(PERSIST_TIMEOUT, "the emulator", self.pid, is_emulator)?;
        Self::launch(name, self.port, options)
    }

    fn launch(name: &str, port: u16, options: &EmulatorOptions) -> Result<Self> {
        let folder = folder(name);
        // Unpacked functions go there, not to the machine's own folder for temporary files.
        let temporary = folder.join("tmp");
        fs::create_dir_all(&temporary)?;
        let log_path = log_file(name);
        let log = File::options().create(true).append(true).open(&log_path)?;
        let mut command = Tool::Emulator.command("python");
        let command = at(port, &mut command);
        if let Some(endpoint) = &options.functions_endpoint {
            // It hands its own endpoint on to functions, and calls nobody there itself.
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
            // Not this terminal's Ctrl-C.
            .process_group(0)
            .spawn()
            .context("cannot start the emulator")?;
        let emulator = Self { pid: i32::try_from(child.id())?, port };
        fs::write(record(name), serde_json::to_vec(&emulator)?)?;
        let deadline = Instant::now() + Duration::from_secs(60);
        while !emulator.is_ready() {
            // Its command line does not tell: for a moment after the start it has none.
            if Instant::now() > deadline || child.try_wait()?.is_some() {
                child.kill()?;
                child.wait()?;
                bail!("the emulator does not start; see {}", log_path.display());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(emulator)
    }

    /// The functions' processes that it runs now, in the order of their ids.
    pub fn functions(&self) -> Result<Vec<i32>> {
        process::children(self.pid, |argument| argument.ends_with("/bootstrap"))
    }

    /// Kills a function's process at once, whatever it is doing; whether it was there.
    pub fn kill_function(&self, pid: i32) -> Result<bool> {
        Ok(self.functions()?.contains(&pid) && process::kill(pid)?)
    }

    /// The emulator `name`, if it is running.
    pub fn running(name: &str) -> Option<Self> {
        let emulator: Self = serde_json::from_slice(&fs::read(record(name)).ok()?).ok()?;
        emulator.is_alive().then_some(emulator)
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        endpoint(self.port)
    }

    /// Lets `command` see this emulator as AWS, and its administrator as itself.
    pub fn serve<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        at(self.port, command)
    }

    /// Whether it answers.
    pub fn is_ready(&self) -> bool {
        // Plain sockets, since this runs both inside and outside an async runtime.
        use std::io::{Read, Write};
        let answer = || -> std::io::Result<String> {
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(b"GET /_ministack/ready HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
            let mut start = [0; 12];
            stream.read_exact(&mut start)?;
            Ok(String::from_utf8_lossy(&start).into_owned())
        };
        self.is_alive() && answer().is_ok_and(|answer| answer.ends_with("200"))
    }

    /// StreamBounds it, politely first.
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

/// Where the emulator `name` keeps its files.
fn folder(name: &str) -> PathBuf {
    paths::workdir().join(name)
}

/// Where the emulator `name` says what it does.
pub fn log_file(name: &str) -> PathBuf {
    folder(name).join("emulator.log")
}

/// Where the emulator `name` keeps what it holds.
fn state_folder(name: &str) -> PathBuf {
    folder(name).join("state")
}

/// Where the emulator `name` writes down which role was allowed what: a line of JSON each.
pub fn usage_file(name: &str) -> PathBuf {
    folder(name).join("usage.jsonl")
}

/// Where it is written down that the emulator `name` runs.
fn record(name: &str) -> PathBuf {
    folder(name).join("emulator.json")
}

/// Lets `command` see the emulator at `port` as AWS, and its administrator as itself. Whoever runs
/// this may have an AWS account: of that it sees nothing.
fn at(port: u16, command: &mut Command) -> &mut Command {
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

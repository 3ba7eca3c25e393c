//! A sidecar: a process beside the AWS emulator that runs a subcommand of this program. It can outlive the command that
//! started it.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{paths, process};

/// A running sidecar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    subcommand: String,
    pid: i32,
    endpoint: String,
}

impl Sidecar {
    /// Starts `program subcommand arguments…`, which prints its endpoint as the first line. Stops a sidecar that an
    /// interrupted command left running.
    pub fn start(stack: &str, program: &Path, subcommand: &str, arguments: &[&str]) -> Result<Self> {
        if let Some(stale) = Self::running(stack, subcommand) {
            stale.stop()?;
        }
        let folder = folder(stack);
        fs::create_dir_all(&folder)?;
        let log = folder.join(format!("{subcommand}.log"));
        let mut child = Command::new(program)
            .arg(subcommand)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            // Ctrl-C in this terminal must not stop the sidecar.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {} {subcommand}", program.display()))?;
        let mut endpoint = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut endpoint)?;
        }
        let endpoint = endpoint.trim().to_owned();
        if endpoint.is_empty() {
            child.kill()?;
            child.wait()?;
            bail!("cannot start {subcommand}; see {}", log.display());
        }
        let sidecar = Self { subcommand: subcommand.to_owned(), pid: i32::try_from(child.id())?, endpoint };
        fs::write(record_file(stack, subcommand), serde_json::to_vec(&sidecar)?)?;
        Ok(sidecar)
    }

    /// The running sidecar of `stack` with this subcommand.
    pub fn running(stack: &str, subcommand: &str) -> Option<Self> {
        let sidecar: Self = serde_json::from_slice(&fs::read(record_file(stack, subcommand)).ok()?).ok()?;
        sidecar.is_alive().then_some(sidecar)
    }

    /// The sidecar's base URL.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The subcommand that it runs.
    pub fn subcommand(&self) -> &str {
        &self.subcommand
    }

    /// Process id.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether the process runs.
    pub fn is_alive(&self) -> bool {
        process::is_alive(self.pid, |argument| argument == self.subcommand)
    }

    /// Stops the process, with SIGTERM first.
    pub fn stop(&self) -> Result<()> {
        process::stop(&self.subcommand, self.pid, |argument| argument == self.subcommand)
    }
}

/// The path of the running program. On Linux it also works after cargo has replaced the program's file.
pub fn current_program() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    Ok(if running.exists() { running.to_owned() } else { env::current_exe()? })
}

fn folder(stack: &str) -> PathBuf {
    paths::workdir().join(stack)
}

/// The file that records a running sidecar.
fn record_file(stack: &str, subcommand: &str) -> PathBuf {
    folder(stack).join(format!("{subcommand}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set in the process whose file is deleted.
    const DELETED: &str = "IYAGI_TEST_DELETED";

    #[test]
    fn program_can_start_itself_after_its_file_was_deleted() {
        let file = env::current_exe().unwrap();
        if env::var_os(DELETED).is_some() {
            fs::remove_file(&file).unwrap();
            let output = Command::new(current_program().unwrap()).arg("--list").output().unwrap();
            assert!(String::from_utf8_lossy(&output.stdout).contains("sidecar::tests"));
            return;
        }
        let link = file.with_file_name(format!("deleted-{}", std::process::id()));
        fs::hard_link(&file, &link).unwrap();
        let mut program = Command::new(&link);
        program.args(["--exact", "sidecar::tests::program_can_start_itself_after_its_file_was_deleted"]);
        let output = program.env(DELETED, "yes").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(!link.exists(), "the program did not run");
    }
}

//! What runs beside the emulator of AWS: our own emulators, each in a process of its own, since a
//! stack may outlive the command that started it.

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
    /// Starts `program subcommand arguments…`, which prints where it answers as its first line. It
    /// goes on when this process ends; one that an interrupted run of `stack` left behind is ended
    /// first.
    pub fn start(stack: &str, program: &Path, subcommand: &str, arguments: &[&str]) -> Result<Self> {
        if let Some(left_over) = Self::recorded(stack, subcommand) {
            left_over.stop()?;
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
            // Not this terminal's Ctrl-C.
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
            bail!("{subcommand} does not start; see {}", log.display());
        }
        let sidecar = Self { subcommand: subcommand.to_owned(), pid: i32::try_from(child.id())?, endpoint };
        fs::write(record(stack, subcommand), serde_json::to_vec(&sidecar)?)?;
        Ok(sidecar)
    }

    /// The sidecar of `stack` that was started so, if it is running.
    pub fn recorded(stack: &str, subcommand: &str) -> Option<Self> {
        let sidecar: Self = serde_json::from_slice(&fs::read(record(stack, subcommand)).ok()?).ok()?;
        sidecar.is_alive().then_some(sidecar)
    }

    /// Where it answers.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Which subcommand it runs.
    pub fn subcommand(&self) -> &str {
        &self.subcommand
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it is running.
    pub fn is_alive(&self) -> bool {
        process::is_alive(self.pid, |argument| argument == self.subcommand)
    }

    /// StreamBounds it, politely first.
    pub fn stop(&self) -> Result<()> {
        process::stop(&self.subcommand, self.pid, |argument| argument == self.subcommand)
    }
}

/// This program. While it runs, cargo may build it anew: then its own file is gone, but Linux still
/// has it.
pub fn current_program() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    Ok(if running.exists() { running.to_owned() } else { env::current_exe()? })
}

fn folder(stack: &str) -> PathBuf {
    paths::workdir().join(stack)
}

/// Where it is written down that it runs, beside the emulator's record.
fn record(stack: &str, subcommand: &str) -> PathBuf {
    folder(stack).join(format!("{subcommand}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set where this test runs as the program whose file goes away.
    const GOES_AWAY: &str = "IYAGI_TEST_GOES_AWAY";

    #[test]
    fn a_program_starts_itself_also_when_its_file_is_gone() {
        let file = env::current_exe().unwrap();
        if env::var_os(GOES_AWAY).is_some() {
            fs::remove_file(&file).unwrap();
            let again = Command::new(current_program().unwrap()).arg("--list").output().unwrap();
            assert!(String::from_utf8_lossy(&again.stdout).contains("sidecar::tests"));
            return;
        }
        let link = file.with_file_name(format!("goes-away-{}", std::process::id()));
        fs::hard_link(&file, &link).unwrap();
        let mut program = Command::new(&link);
        program.args(["--exact", "sidecar::tests::a_program_starts_itself_also_when_its_file_is_gone"]);
        let output = program.env(GOES_AWAY, "yes").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(!link.exists(), "it has not run");
    }
}

//! Programs that must be installed before: a Rust toolchain, Python and a C compiler.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// A program that a fresh machine can lack.
#[derive(Debug, Clone, Copy)]
pub struct Prerequisite {
    /// What it is.
    pub name: &'static str,
    /// Why it is needed.
    pub reason: &'static str,
    /// The command that installs it on Debian and Ubuntu.
    pub install: &'static str,
    pub(super) is_there: fn() -> bool,
}

/// All prerequisites of `cargo xtask demo` and `cargo xtask test`, apart from the Rust toolchain that runs this.
pub const ALL: [Prerequisite; 2] = [
    Prerequisite {
        name: "Python 3.11 or newer with its venv module",
        reason: "the emulators and the SAM CLI are Python packages",
        install: "sudo apt-get install python3 python3-venv",
        is_there: || python().is_ok(),
    },
    Prerequisite {
        name: "a C compiler",
        reason: "libwebp and ring are compiled",
        install: "sudo apt-get install gcc libc6-dev",
        is_there: || ["cc", "gcc", "clang"].into_iter().any(|compiler| succeeds(compiler, &["--version"])),
    },
];

impl Prerequisite {
    /// Whether it is installed.
    pub fn is_there(&self) -> bool {
        (self.is_there)()
    }
}

/// Checks all prerequisites.
///
/// # Errors
/// If one is missing. The message contains the command that installs it.
pub fn require() -> Result<()> {
    match ALL.iter().find(|prerequisite| !prerequisite.is_there()) {
        None => Ok(()),
        Some(Prerequisite { name, reason, install, .. }) => {
            bail!(
                "{name} is missing ({reason}). Install it: {install}. `cargo xtask doctor` lists all that is missing."
            )
        }
    }
}

/// The first Python that is recent enough and has the venv module.
pub fn python() -> Result<&'static str> {
    const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    let candidates = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
    match candidates.into_iter().find(|python| succeeds(python, &["-c", PROBE])) {
        Some(python) => Ok(python),
        None => bail!("{} is missing. Install it: {}", ALL[0].name, ALL[0].install),
    }
}

/// Whether a program exists and succeeds.
pub(super) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let quiet = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The standard output of a program, if it exists and succeeds.
pub(super) fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

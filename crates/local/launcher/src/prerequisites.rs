//! Programs that must be installed before: a Rust toolchain, Python and a C compiler. Java and Maven are optional.

use std::process::{Command, Stdio};

use crate::build::beside_cargo;

/// A program that a fresh machine can lack.
#[derive(Debug, Clone, Copy)]
pub struct Prerequisite {
    /// What it is.
    pub name: &'static str,
    /// Why it is needed.
    pub reason: &'static str,
    /// The command that installs it on Debian and Ubuntu.
    pub install: &'static str,
    is_there: fn() -> bool,
}

/// The prerequisites of all commands, apart from the Rust toolchain that runs this.
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

/// What `cargo xtask test` needs besides.
pub const FOR_TESTS: [Prerequisite; 2] = [
    Prerequisite {
        name: "rustfmt",
        reason: "`cargo xtask test` checks the format",
        install: "rustup component add rustfmt",
        is_there: || beside_cargo("rustfmt").is_file(),
    },
    Prerequisite {
        name: "clippy",
        reason: "`cargo xtask test` lints",
        install: "rustup component add clippy",
        is_there: || beside_cargo("clippy-driver").is_file(),
    },
];

/// What the tests need to use OpenSearch itself.
pub const FOR_OPENSEARCH: [Prerequisite; 2] = [
    Prerequisite {
        name: "Java 17 or newer",
        reason: "the tests use OpenSearch with its Korean analyzer",
        install: "sudo apt-get install openjdk-17-jre-headless",
        is_there: || {
            output("java", &["--version"]).and_then(|text| java_version(&text)).is_some_and(|major| major >= 17)
        },
    },
    Prerequisite {
        name: "Maven",
        reason: "it downloads OpenSearch",
        install: "sudo apt-get install maven",
        is_there: || succeeds("mvn", &["--version"]),
    },
];

impl Prerequisite {
    /// Whether it is installed.
    pub fn is_there(&self) -> bool {
        (self.is_there)()
    }
}

/// Checks the prerequisites of all commands.
///
/// # Errors
/// If one is missing. The message contains the command that installs it.
pub fn require() -> Result<(), String> {
    check(&ALL)
}

/// Checks what only `cargo xtask test` needs.
///
/// # Errors
/// As [`require`].
pub fn require_for_tests() -> Result<(), String> {
    check(&FOR_TESTS)
}

fn check(prerequisites: &[Prerequisite]) -> Result<(), String> {
    match prerequisites.iter().find(|prerequisite| !prerequisite.is_there()) {
        None => Ok(()),
        Some(missing) => Err(message(missing)),
    }
}

fn message(Prerequisite { name, reason, install, .. }: &Prerequisite) -> String {
    format!("{name} is missing ({reason}). Install it: {install}. `cargo xtask doctor` lists all that is missing.")
}

/// The first Python that is recent enough and has the venv module.
///
/// # Errors
/// If there is none. The message contains the command that installs it.
pub fn python() -> Result<&'static str, String> {
    const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    let candidates = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
    candidates.into_iter().find(|python| succeeds(python, &["-c", PROBE])).ok_or_else(|| message(&ALL[0]))
}

/// The major version in the output of `java --version`: 17 in `openjdk 17.0.15 2025-04-15`.
fn java_version(output: &str) -> Option<u32> {
    output.split_whitespace().nth(1)?.split(['.', '-', '+']).next()?.parse().ok()
}

/// The standard output of a program, if it exists and succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let quiet = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_prerequisite_is_reported_with_its_remedy() {
        let missing = Prerequisite { is_there: || false, ..ALL[1] };
        let error = check(&[ALL[0], missing]).expect_err("a prerequisite is missing");
        assert!(error.contains("a C compiler is missing") && error.contains("apt-get install gcc"), "{error}");
        assert_eq!(check(&[Prerequisite { is_there: || true, ..ALL[1] }]), Ok(()));
    }

    #[test]
    fn java_version_is_the_first_number() {
        for (output, version) in [
            ("openjdk 17.0.15 2025-04-15\nOpenJDK Runtime Environment", Some(17)),
            ("java 25 2025-09-16 LTS", Some(25)),
            ("openjdk 23-ea 2024-09-17", Some(23)),
            ("java 1.8.0_402", Some(1)),
            ("not found", None),
            ("", None),
        ] {
            assert_eq!(java_version(output), version, "{output}");
        }
    }
}

//! `cargo xtask test`: every check there is, the quick ones first.

use std::process::Command;

use anyhow::{Result, bail};
use stack::{
    STATE_VARIABLE, Stack,
    emulator::usage_file,
    functions::{self, BuildProfile},
    paths, progress, state_file,
    tools::{self, Tool},
};

use crate::linters;

/// The stack that the tests run against: their own, not the developer's.
const STACK: &str = "test";

/// Tests that need built functions or a deployed stack; files of `tests/`.
const END_TO_END: [&str; 18] = [
    "api",
    "audio",
    "contract",
    "contract_audio",
    "contract_push",
    "contract_search",
    "delivery",
    "document",
    "hostile",
    "media",
    "ops",
    "poller",
    "push",
    "redrive",
    "search",
    "stories",
    "tokens",
    "uploads",
];

/// Runs all; ends with the counts of all test binaries together.
pub fn run() -> Result<()> {
    tools::install()?;
    Tool::Api.install()?;
    linters::install()?;
    progress::run("Checking the format", cargo().args(["fmt", "--all", "--check"]))?;
    linters::run()?;
    let mut clippy = cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    progress::run("Linting (clippy, warnings denied)", &mut clippy)?;

    let mut counts = Counts::default();
    progress::run("Building the tests", cargo().args(["test", "--workspace", "--no-run"]))?;
    let unit = counts.test(
        "Unit, property and architecture tests",
        cargo().args(["test", "--workspace", "--exclude", "end-to-end"]),
    );
    let end_to_end = functions::build(BuildProfile::Local).and_then(|()| end_to_end(&mut counts));
    println!("\n{} passed, {} failed", counts.passed, counts.failed);
    unit.and(end_to_end)
}

fn end_to_end(counts: &mut Counts) -> Result<()> {
    let stack = Stack::start(STACK)?;
    // The whole workspace with a filter, not one package: that would be built with other features,
    // and so from scratch.
    let mut tests = cargo();
    tests.args(["test", "--workspace"]);
    for name in END_TO_END {
        tests.args(["--test", name]);
    }
    let outcome = counts.test("Contract and end-to-end tests", tests.env(STATE_VARIABLE, state_file(STACK)));
    if outcome.is_err() {
        println!("The emulator's log: {}", paths::workdir().join(STACK).join("emulator.log").display());
    }
    // Only a run that has done everything has used all that there is to use.
    let outcome = outcome.and_then(|()| counts.check(iam_coverage::check(&stack, &usage_file(STACK))));
    stack.stop()?;
    // On a stack of its own, whose functions call through a proxy.
    outcome.and(counts.check(chaos::run(&chaos::Arguments::short())))
}

/// The cargo that runs us, at the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(paths::root());
    // Set by the cargo that runs us; whether they are makes build scripts of dependencies run again.
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_MANIFEST_PATH"] {
        cargo.env_remove(variable);
    }
    cargo
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Runs the whole of `command`, adding what its test binaries count.
    fn test(&mut self, what: &str, command: &mut Command) -> Result<()> {
        let before = self.passed + self.failed;
        let outcome = progress::show(what, command.args(["--no-fail-fast"]), |line| self.add(line));
        if outcome.is_ok() && self.passed + self.failed == before {
            bail!("{what}: no test ran");
        }
        outcome
    }

    /// Counts a check that is no test binary.
    fn check(&mut self, outcome: Result<()>) -> Result<()> {
        *if outcome.is_ok() { &mut self.passed } else { &mut self.failed } += 1;
        outcome
    }

    /// Reads libtest's closing line: `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(counts) = line.trim().strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for count in counts.1.split("; ") {
            match count.split_once(' ').and_then(|(number, what)| Some((number.parse::<u64>().ok()?, what))) {
                Some((number, "passed")) => self.passed += number,
                Some((number, "failed")) => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_what_test_binaries_say() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.15s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.15s",
        ] {
            counts.add(line);
        }
        assert_eq!(counts, Counts { passed: 7, failed: 2 });
    }
}

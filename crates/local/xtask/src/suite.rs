//! `cargo xtask test`: all checks and tests, the fast ones first.

use std::process::Command;

use anyhow::{Result, bail};
use stack::{
    STATE_VARIABLE, Stack, cargo,
    emulator::{log_file, usage_file},
    functions::{self, BuildProfile},
    progress, state_file,
    tools::{self, Tool},
};

use crate::linters;

/// Name of the stack for the tests.
const STACK: &str = "test";

/// Packages whose tests need built functions or a deployed stack, and their test binaries.
const END_TO_END: [(&str, &str); 2] = [("contract-tests", "contract"), ("e2e-tests", "e2e")];

/// Runs all checks and tests, and prints the total counts.
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
    let mut unit_tests = cargo();
    unit_tests.args(["test", "--workspace"]);
    for (package, _) in END_TO_END {
        unit_tests.args(["--exclude", package]);
    }
    let unit = counts.test("Unit, property and architecture tests", &mut unit_tests);
    let end_to_end = functions::build(BuildProfile::Local).and_then(|()| end_to_end(&mut counts));
    println!("\n{} passed, {} failed", counts.passed, counts.failed);
    unit.and(end_to_end)
}

fn end_to_end(counts: &mut Counts) -> Result<()> {
    let stack = Stack::start(STACK)?;
    // Naming the packages instead would change the features and rebuild all dependencies.
    let mut tests = cargo();
    tests.args(["test", "--workspace"]);
    for (_, binary) in END_TO_END {
        tests.args(["--test", binary]);
    }
    let result = counts.test("Contract and end-to-end tests", tests.env(STATE_VARIABLE, state_file(STACK)));
    if result.is_err() {
        println!("Log of the emulator: {}", log_file(STACK).display());
    }
    // Only a complete run uses all permissions.
    let result = result.and_then(|()| counts.check(iam_coverage::check(&stack, &usage_file(STACK))));
    stack.stop()?;
    // Uses a separate stack with a fault proxy.
    result.and(counts.check(chaos::run(&chaos::Arguments::short())))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Runs all tests of `command` and adds the counts of its test binaries.
    fn test(&mut self, title: &str, command: &mut Command) -> Result<()> {
        let before = self.passed + self.failed;
        let result = progress::show(title, command.args(["--no-fail-fast"]), |line| self.add(line));
        if result.is_ok() && self.passed + self.failed == before {
            bail!("{title}: no test ran");
        }
        result
    }

    /// Counts a check that is not a test binary.
    fn check(&mut self, result: Result<()>) -> Result<()> {
        *if result.is_ok() { &mut self.passed } else { &mut self.failed } += 1;
        result
    }

    /// Parses the summary of libtest: `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(counts) = line.trim().strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for count in counts.1.split("; ") {
            match count.split_once(' ').and_then(|(number, name)| Some((number.parse::<u64>().ok()?, name))) {
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
    fn counts_of_test_binaries_are_added() {
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

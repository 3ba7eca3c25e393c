//! Counts passed and failed tests.

use std::process::Command;

use anyhow::{Result, bail};
use stack::progress;

/// Numbers of tests and checks.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// The number of passed tests and checks.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// The number of failed tests and checks.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Adds the numbers of `other`.
    pub fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Runs all tests of `command` and adds the counts of its test binaries.
    pub fn test(&mut self, title: &str, command: &mut Command) -> Result<()> {
        let before = self.passed + self.failed;
        let result = progress::show(title, command.args(["--no-fail-fast"]), |line| self.read(line));
        self.some_ran(title, before, result)
    }

    /// Like [`Self::test`], for a command that already has arguments of the test binary.
    pub fn test_as_given(&mut self, title: &str, command: &mut Command) -> Result<()> {
        progress::show(title, command, |line| self.read(line))
    }

    /// Like [`Self::test`], but prints the output at the end.
    pub fn test_quietly(&mut self, title: &str, command: &mut Command) -> Result<()> {
        let before = self.passed + self.failed;
        let result = progress::show_at_end(title, command.args(["--no-fail-fast"]), |line| self.read(line));
        self.some_ran(title, before, result)
    }

    fn some_ran(&self, title: &str, before: u64, result: Result<()>) -> Result<()> {
        if result.is_ok() && self.passed + self.failed == before {
            bail!("{title}: no test ran");
        }
        result
    }

    /// Counts a check that is not a test binary.
    pub fn check(&mut self, result: Result<()>) -> Result<()> {
        *if result.is_ok() { &mut self.passed } else { &mut self.failed } += 1;
        result
    }

    /// Parses the summary of libtest: `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
    fn read(&mut self, line: &str) {
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
            counts.read(line);
        }
        assert_eq!(counts, Counts { passed: 7, failed: 2 });
    }
}

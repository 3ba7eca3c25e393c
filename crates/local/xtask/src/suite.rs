//! `cargo xtask test`: all checks and tests.
//!
//! Everything is compiled once, by clippy's driver, which lints while it compiles. Meanwhile the tools are installed and
//! templates, dependencies and documents are checked. Then unit tests run beside chaos and the tests of the deployed stack
//! and of the search engines, which mostly wait. Meanwhile, a function is built for AWS.

mod changed;
mod compile;
mod counts;
mod scheduling;
mod search_engine;
mod steps;

use std::{
    fs,
    path::Path,
    process::Command,
    thread::{self, ScopedJoinHandle},
};

use anyhow::{Context, Result, anyhow, ensure};
use stack::{
    STATE_VARIABLE, Stack, cargo,
    emulator::{log_file, usage_file},
    functions::{self, BuildProfile},
    lint_environment,
    priority::{COMPUTING_TESTS, with_niceness},
    progress,
    search_server::Engine,
    state_file,
    tools::{self, Tool},
};

pub use self::changed::Arguments;
use self::{counts::Counts, scheduling::overlap, search_engine::search_engine, steps::Steps};
use crate::{linters, prose};

/// Name of the stack for the tests.
const STACK: &str = "test";
/// A function whose package for AWS is built and started in the tests. It links C code and three SDKs.
const RELEASED: &str = "Thumbnailer";
/// The largest file of a function for AWS, in bytes. (docs/adr/0022-binary-size-and-builds.md)
const MAX_FILE_BYTES: u64 = 10_000_000;

/// Runs all checks and tests, or with `--changed` those that a change can reach, and prints the total counts.
pub fn run(arguments: &Arguments) -> Result<()> {
    let selection = changed::selection(arguments)?;
    let mut steps = Steps::default();
    let mut counts = Counts::default();
    let result = match &selection {
        None => all(&mut steps, &mut counts),
        Some((workspace, reached)) => changed::run(workspace, reached, &mut steps, &mut counts),
    };
    steps.write()?;
    println!("\n{} passed, {} failed", counts.passed(), counts.failed());
    result
}

fn all(steps: &mut Steps, counts: &mut Counts) -> Result<()> {
    let search = steps.run("search engine", search_engine)?;
    // What is checked in a second fails before minutes of compiling.
    steps.run("format and words", || {
        progress::run("Checking the format", cargo().args(["fmt", "--all", "--check"])).and_then(|()| prose::check())
    })?;
    let (compiled, checked) = steps.run("compile and lint", || {
        thread::scope(|scope| {
            let checks = scope.spawn(checks);
            (compile::all(), joined(checks))
        })
    });
    compiled.and(checked)?;
    functions::package(BuildProfile::Local)?;
    let (tested, packages) = steps.run("tests, and a build for AWS", || {
        thread::scope(|scope| {
            let packages = scope.spawn(|| functions::sam_build(RELEASED));
            let unit = scope.spawn(unit_tests);
            let engines = scope.spawn(engine_tests);
            let chaos = scope.spawn(|| {
                let mut counts = Counts::default();
                // Uses a separate stack with a fault proxy.
                let result = counts.check(chaos::run(&chaos::Arguments::short()));
                (counts, result)
            });
            let deployed = deployed_tests(search);
            let others = [unit, engines, chaos].map(|thread| {
                thread.join().unwrap_or_else(|_| (Counts::default(), Err(anyhow!("the tests panicked"))))
            });
            let results = others.into_iter().chain([deployed]).map(|(these, result)| {
                counts.add(&these);
                result
            });
            (results.fold(Ok(()), Result::and), joined(packages))
        })
    });
    let released = steps.run("tests of the build for AWS", || {
        let packages = packages?;
        let size = counts.check(check_size(&packages));
        released_tests(counts, &packages).and(size)
    });
    tested.and(released)
}

/// The result of a thread.
fn joined<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
}

fn check_size(packages: &Path) -> Result<()> {
    let file = packages.join(RELEASED).join("bootstrap");
    let bytes = fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?.len();
    ensure!(bytes <= MAX_FILE_BYTES, "{} has {bytes} bytes; the limit is {MAX_FILE_BYTES}", file.display());
    println!("✓ {RELEASED} for AWS has {bytes} bytes; the limit is {MAX_FILE_BYTES}");
    Ok(())
}

/// Contract tests of a function in the form in which it is deployed to AWS.
fn released_tests(counts: &mut Counts, packages: &Path) -> Result<()> {
    let mut tests = lint_environment(cargo());
    tests.args(["test", "--workspace", "--test", "contract", "--", "thumbnailer::", "startup::"]);
    counts.test_as_given("Contract tests of the release build", tests.env(functions::PACKAGES_VARIABLE, packages))
}

/// Installs the tools and checks what needs no compiled code.
fn checks() -> Result<()> {
    tools::install()?;
    Tool::Api.install()?;
    Tool::Builder.install()?;
    linters::install()?;
    linters::run()
}

/// The output of these tests is printed when they have ended, since other tests run at the same time.
fn unit_tests() -> (Counts, Result<()>) {
    let mut counts = Counts::default();
    let mut tests = lint_environment(cargo());
    tests.args(["test", "--workspace"]);
    tests.args(["contract-tests", "e2e-tests", "search-tests"].iter().flat_map(|package| ["--exclude", package]));
    let result =
        counts.test_quietly("Unit, property and architecture tests", &mut with_niceness(COMPUTING_TESTS, &tests));
    (counts, result)
}

/// Tests of the search engines, which mostly wait for them.
fn engine_tests() -> (Counts, Result<()>) {
    let mut counts = Counts::default();
    let mut tests = lint_environment(cargo());
    tests.args(["test", "--workspace", "--test", "search"]);
    let result = counts.test_quietly("Tests of the search engines", &mut tests);
    (counts, result)
}

/// Contract tests, tests of the deployed stack, and the comparison of its permissions with the recorded calls.
fn deployed_tests(search: Engine) -> (Counts, Result<()>) {
    let mut counts = Counts::default();
    let result = Stack::start(STACK, search).and_then(|stack| {
        let mut tests = lint_environment(cargo());
        // Naming the packages instead would change the features and rebuild all dependencies.
        tests.args(["test", "--workspace", "--test", "contract", "--test", "e2e"]);
        overlap(&mut tests);
        let result = test_stack(&mut counts, &mut tests);
        // Only a complete run uses all permissions. After a failed test, some may seem unused.
        let covered = counts.check(iam_coverage::check(&stack, &usage_file(STACK)));
        stack.stop().and(result).and(covered)
    });
    (counts, result)
}

/// Runs tests with the path of the stack's state file.
fn test_stack(counts: &mut Counts, tests: &mut Command) -> Result<()> {
    let result = counts.test("Contract and end-to-end tests", tests.env(STATE_VARIABLE, state_file(STACK)));
    if result.is_err() {
        println!("Log of the emulator: {}", log_file(STACK).display());
    }
    result
}

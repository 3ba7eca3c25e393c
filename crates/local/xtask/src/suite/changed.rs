//! `cargo xtask test --changed`: the tests that a change can reach.

mod binaries;
mod reach;
mod workspace;

use std::collections::BTreeSet;

use anyhow::Result;
use stack::{
    STATE_VARIABLE, Stack, cargo,
    functions::{self, BuildProfile},
    lint_environment, progress, state_file, tools,
};

use self::{
    binaries::TestBinary,
    reach::{Reached, Workspace},
};
use super::{compile, counts::Counts, scheduling::overlap, search_engine::search_engine, steps::Steps};

/// Name of the stack for these tests.
const STACK: &str = "test";

/// Arguments of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run only the tests that the change can reach, and list what is left out.
    #[arg(long)]
    changed: bool,
    /// The commit that the change is compared with. Uncommitted and untracked files belong to the change.
    #[arg(long, value_name = "COMMIT", default_value = "HEAD", requires = "changed")]
    base: String,
}

/// The workspace, and what a change can reach in it. `None` if all checks and tests shall run.
pub fn selection(arguments: &Arguments) -> Result<Option<(Workspace, Reached)>> {
    if !arguments.changed {
        return Ok(None);
    }
    let workspace = workspace::read()?;
    let reached = reach::reach(&workspace::changed_files(&arguments.base)?, &workspace);
    Ok(Some((workspace, reached)))
}

/// Runs the tests that a change can reach.
pub fn run(workspace: &Workspace, reached: &Reached, steps: &mut Steps, counts: &mut Counts) -> Result<()> {
    print(reached);
    // Unit tests of some crates also search.
    let search = steps.run("search engine", search_engine)?;
    steps.run("format", || progress::run("Checking the format", cargo().args(["fmt", "--all", "--check"])))?;
    steps.run("compile and lint", compile::all)?;
    let folders = reached.packages.iter().filter_map(|name| Some(workspace.packages.get(name)?.folder.as_str()));
    let binaries = binaries::of_packages(&folders.collect())?;
    steps.run("unit tests", || {
        let run =
            |binary: &TestBinary| counts.test_as_given(&binary.program.display().to_string(), &mut binary.command());
        // All of them run, even if one fails.
        binaries.iter().map(run).fold(Ok(()), Result::and)
    })?;
    if reached.contract.is_empty() && reached.e2e.is_empty() {
        return Ok(());
    }
    steps.run("package functions", || tools::install().and_then(|()| functions::package(BuildProfile::Local)))?;
    steps.run("contract and end-to-end tests", || {
        if reached.e2e.is_empty() {
            return modules(counts, "contract", &reached.contract, None);
        }
        let stack = Stack::start(STACK, search)?;
        let contract = modules(counts, "contract", &reached.contract, None);
        let e2e = modules(counts, "e2e", &reached.e2e, Some(STACK));
        stack.stop().and(contract).and(e2e)
    })
}

/// Runs some modules of a test binary.
fn modules(counts: &mut Counts, binary: &str, modules: &BTreeSet<String>, stack: Option<&str>) -> Result<()> {
    if modules.is_empty() {
        return Ok(());
    }
    let mut tests = lint_environment(cargo());
    tests.args(["test", "--workspace", "--test", binary, "--"]);
    tests.args(modules.iter().map(|module| format!("{module}::")));
    overlap(&mut tests);
    if let Some(stack) = stack {
        tests.env(STATE_VARIABLE, state_file(stack));
    }
    counts.test_as_given(&format!("Tests of {binary}"), &mut tests)
}

fn print(reached: &Reached) {
    let list = |names: &BTreeSet<String>| match names.is_empty() {
        true => "none".to_owned(),
        false => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    };
    println!("Changed files       {}", reached.files);
    println!("Packages            {}", list(&reached.packages));
    println!("Contract tests      {}", list(&reached.contract));
    println!("End-to-end tests    {}", list(&reached.e2e));
    println!("Left out            packages: {}", list(&reached.left_out_packages));
    println!("                    contract tests: {}", list(&reached.left_out_contract));
    println!("                    end-to-end tests: {}", list(&reached.left_out_e2e));
    println!("                    examples in documentation, linters of templates, dependencies and prose,");
    println!("                    permissions, chaos");
}

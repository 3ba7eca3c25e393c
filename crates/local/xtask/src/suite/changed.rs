//! `cargo xtask test --changed`: the tests that a change can reach.

mod reach;
mod workspace;

use std::collections::BTreeSet;

use anyhow::Result;
use stack::{
    STATE_VARIABLE, Stack, cargo,
    functions::{self, BuildProfile},
    progress, state_file, tools,
};

use self::reach::Reached;
use super::{compile::lint_environment, counts::Counts, steps::Steps};

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

/// The tests to run.
pub enum Selection {
    /// All checks and tests.
    All,
    /// Those that a change can reach.
    Reached(Reached),
}

/// Decides which tests run.
pub fn selection(arguments: &Arguments) -> Result<Selection> {
    if !arguments.changed {
        return Ok(Selection::All);
    }
    let workspace = workspace::read()?;
    Ok(Selection::Reached(reach::reach(&workspace::changed_files(&arguments.base)?, &workspace)))
}

/// Runs the tests that a change can reach.
pub fn run(reached: &Reached, steps: &mut Steps, counts: &mut Counts) -> Result<()> {
    print(reached);
    steps.run("format", || progress::run("Checking the format", cargo().args(["fmt", "--all", "--check"])))?;
    if !reached.packages.is_empty() {
        let mut tests = lint_environment(cargo());
        tests.arg("test");
        for package in &reached.packages {
            tests.args(["--package", package]);
        }
        steps.run("unit tests", || counts.test("Unit, property and architecture tests", &mut tests))?;
    }
    if reached.contract.is_empty() && reached.e2e.is_empty() {
        return Ok(());
    }
    let search = super::search_engine()?;
    steps.run("build functions", || tools::install().and_then(|()| functions::build(BuildProfile::Local)))?;
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
    tests.args(["test", "--package", &format!("{binary}-tests"), "--test", binary, "--"]);
    tests.args(modules.iter().map(|module| format!("{module}::")));
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
    println!("                    linters of templates, dependencies and prose, permissions, chaos");
}
